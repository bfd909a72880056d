#include <mishap/loop/thread.hpp>

#include <exception>

#include <mishap/loop/detail/monitor.hpp>

namespace mishap {

namespace {

/// Waits for the end of threads that are not joined yet, as one operation.
void wait_for_end(std::vector<detail::ThreadBase*> threads, const char* operation, Place place) {
    EventLoop& loop = detail::running_loop("Thread.join()");
    if (loop.world().is_tearing_down()) {
        return;  // threads are ended before anybody else
    }
    detail::TaskBase* const who = loop.current_task();
    const std::uint64_t key = threads.back()->key;
    for (const detail::ThreadBase* thread : threads) {
        if (thread == who) {
            throw UsageError("a thread joins itself: it would wait for ever");
        }
    }
    if (who == nullptr) {
        for (const detail::ThreadBase* thread : threads) {
            if (!thread->is_done()) {
                throw UsageError("join() would have to wait in a callback, and with it the whole loop; join in a task");
            }
        }
    } else {
        struct Waiting {
            detail::Join join;
            ~Waiting() { join.give_up(); }
        };
        std::vector<detail::ThreadBase*> ended = threads;
        Waiting waiting{{*who, std::move(threads)}};
        const bool is_possible = !waiting.join.wait_for_next();
        loop.announce(Announcement({.object = key, .access = Access::read, .may_block = true}), is_possible, &waiting.join,
                      operation, place);
        threads = std::move(ended);
    }
    for (detail::ThreadBase* thread : threads) {
        loop.world().touch(*thread, Access::read, operation, place);
    }
}

}  // namespace

Thread::~Thread() {
    if (real_.joinable()) {
        real_.join();
    }
    // Unwound with its run, it is ended by the loop; here one can neither wait nor throw.
    if (state_.is_alive() && detail::current_loop != nullptr && !detail::current_loop->world().is_tearing_down()) {
        join({});
    }
}

Thread& Thread::operator=(Thread&& other) noexcept {
    if (this != &other) {
        if (joinable()) {
            join({});
        }
        state_ = std::move(other.state_);
        real_ = std::move(other.real_);
    }
    return *this;
}

void Thread::join(Place place) {
    if (!joinable()) {
        throw UsageError("join() was called where there is no thread to join: it was joined, detached or moved away");
    }
    if (real_.joinable()) {
        if (real_.get_id() == std::this_thread::get_id()) {
            throw UsageError("a thread joins itself: it would wait for ever");
        }
        real_.join();
        return;
    }
    const detail::Ref<detail::ThreadBase> thread = std::exchange(state_, {});
    wait_for_end({thread.get()}, "Thread.join", place);
}

void Thread::detach() {
    state_ = {};
    if (real_.joinable()) {
        real_.detach();
    }
}

std::string Thread::current_name() {
    if (const EventLoop* const loop = detail::simulated_loop()) {
        const detail::TaskBase* const who = loop->current_task();
        if (who == nullptr || !who->is_thread) {
            return {};
        }
        return who->name != nullptr ? *who->name : who->segment();
    }
    return detail::real_thread_name();
}

void Thread::let_idle() {
    if (state_.is_alive()) {
        state_->may_idle = true;
    }
}

void join_all(std::span<Thread> threads, Place place) {
    std::vector<detail::Ref<detail::ThreadBase>> states;
    std::vector<detail::ThreadBase*> bases;
    for (Thread& thread : threads) {
        if (thread.real_.joinable()) {
            thread.join(place);
        } else if (thread.joinable()) {
            states.push_back(std::exchange(thread.state_, {}));
            bases.push_back(states.back().get());
        }
    }
    if (!bases.empty()) {
        wait_for_end(std::move(bases), "join_all", place);
    }
}

void blocking_sleep(std::chrono::nanoseconds duration, Place place) {
    if (detail::simulated_loop() == nullptr) {
        detail::sleep_in_real_thread(duration);
        return;
    }
    detail::Monitor nothing("sleep", "sleep");
    nothing.wait("blocking_sleep", place, Access::read, [] { return false; }, [] {}, duration);
}

}  // namespace mishap
