#pragma once

#include <mishap/loop/event_loop.hpp>

namespace mishap {

/// Makes a loop the running one of its thread for as long as it runs.
class EventLoop::Running {
public:
    explicit Running(EventLoop& loop) : loop_(loop) {
        detail::refuse_nested_run();
        if (loop.is_closed_) {
            throw UsageError("a closed loop was run; make a new EventLoop");
        }
        loop.move_to_this_thread();
        loop.thread_globals_ = detail::capture_thread_globals();
        detail::park_state(loop.thread_globals_, saved_);
        detail::current_loop = &loop;
        detail::current_world() = loop.world_;
        loop.is_running_ = true;
    }
    ~Running() {
        loop_.is_running_ = false;
        detail::current_loop = nullptr;
        detail::current_world() = nullptr;
        detail::resume_state(loop_.thread_globals_, saved_);
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

private:
    EventLoop& loop_;
    detail::SavedState saved_{};
    detail::StickyFlags sticky_flags_;
};

}  // namespace mishap
