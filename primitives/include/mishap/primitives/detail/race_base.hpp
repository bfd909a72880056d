#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include <mishap/loop/event_loop.hpp>

namespace mishap::detail {

/// A staggered race without its functions and its result. It lives until the last task of it is gone.
///
/// Each attempt is a task that waits for its turn, starts the task of the next attempt, and then makes its own.
///
/// Source:    Lib/asyncio/staggered.py, CPython 3.14.
class RaceBase : public Block {
public:
    RaceBase(EventLoop& loop, std::size_t size, std::optional<std::chrono::nanoseconds> delay)
        : loop_(&loop), size_(size), delay_(delay) {}

    /// Runs the race, in the current task. When it returns or throws, no attempt is left.
    void run(Place place);

protected:
    /// Makes an attempt; calls `wins` when it has succeeded.
    virtual void attempt(std::size_t index) = 0;
    /// Makes an attempt the winner unless there is one, and cancels the others.
    bool wins(std::size_t index);
    std::optional<std::size_t> winner() const { return winner_; }
    std::vector<std::exception_ptr> take_exceptions() { return std::move(exceptions_); }

private:
    void start(const Future<void>& previous_failed);
    void take_turn(const Future<void>& previous_failed);
    void wait_for_all(Place place);
    void cancel_all_but(const TaskBase* spared);

    EventLoop* loop_;
    std::size_t size_;
    std::size_t begun_ = 0;
    std::optional<std::chrono::nanoseconds> delay_;
    std::vector<Ref<FutureBase>> tasks_;
    std::vector<std::exception_ptr> exceptions_;  // of the attempts that have begun
    std::optional<std::size_t> winner_;
};

}  // namespace mishap::detail
