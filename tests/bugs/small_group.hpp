#pragma once

// What groups of tasks have in common, as users write them. What a failure leads to, and when, is what they get wrong.

#include <cstddef>
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include <mishap/mishap.hpp>

namespace bugs {

/// The tasks of a group: who is left, and who failed.
class GroupTasks {
public:
    /// `on_failure` is called when a task has failed, once for each, in a callback.
    explicit GroupTasks(std::function<void()> on_failure) { state_->on_failure = std::move(on_failure); }
    ~GroupTasks() { state_->on_failure = nullptr; }  // the callbacks of tasks may outlive the group when a run is over
    GroupTasks(const GroupTasks&) = delete;
    GroupTasks& operator=(const GroupTasks&) = delete;

    void add(const mishap::Task<void>& task) {
        state_->tasks.push_back(task);
        ++state_->unfinished;
        task.add_done_callback([state = state_](const mishap::Future<void>& ended) { state->task_done(ended); });
    }

    void cancel_all() {
        for (const mishap::Task<void>& task : state_->tasks) {
            task.cancel();
        }
    }

    std::size_t unfinished() const { return state_->unfinished; }

    /// Waits until no task is left, or throws CancelledError.
    void wait() {
        if (state_->unfinished > 0) {
            state_->idle = mishap::get_running_loop().create_future<void>();
            mishap::await(state_->idle);
        }
    }

private:
    struct State {
        void task_done(const mishap::Future<void>& ended) {
            --unfinished;
            if (!ended.cancelled() && ended.exception() != nullptr && on_failure) {
                on_failure();
            }
            if (unfinished == 0 && idle.is_valid() && !idle.done()) {
                idle.set_result();
            }
        }

        std::vector<mishap::Task<void>> tasks;
        std::size_t unfinished = 0;
        mishap::Future<void> idle;
        std::function<void()> on_failure;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// What a group throws when a task of it has failed.
class GroupFailed : public std::runtime_error {
public:
    GroupFailed() : std::runtime_error("a task of the group failed") {}
};

}  // namespace bugs
