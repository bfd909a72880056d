#include <mishap/primitives/thread.hpp>

#include <exception>

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

EventLoop& Thread::simulated_loop() {
    EventLoop& loop = detail::running_loop("Thread");
    if (!loop.world().is_simulated()) {
        throw UsageError("a Thread was made in the real world, but it is a simulated one; use std::thread there");
    }
    return loop;
}

Thread::~Thread() {
    // Unwound with its run, it is ended by the loop; here one can neither wait nor throw.
    if (joinable() && detail::current_loop != nullptr && !detail::current_loop->world().is_tearing_down()) {
        join({});
    }
}

Thread& Thread::operator=(Thread&& other) noexcept {
    if (this != &other) {
        if (joinable()) {
            join({});
        }
        state_ = std::move(other.state_);
    }
    return *this;
}

void Thread::join(Place place) {
    if (!joinable()) {
        throw UsageError("join() was called where there is no thread to join: it was joined, detached or moved away");
    }
    const detail::Ref<detail::ThreadBase> thread = std::exchange(state_, {});
    wait_for_end({thread.get()}, "Thread.join", place);
}

void join_all(std::span<Thread> threads, Place place) {
    std::vector<detail::Ref<detail::ThreadBase>> states;
    std::vector<detail::ThreadBase*> bases;
    for (Thread& thread : threads) {
        if (thread.joinable()) {
            states.push_back(std::exchange(thread.state_, {}));
            bases.push_back(states.back().get());
        }
    }
    if (!bases.empty()) {
        wait_for_end(std::move(bases), "join_all", place);
    }
}

}  // namespace mishap
