#pragma once

#include <chrono>
#include <optional>
#include <type_traits>
#include <utility>

#include <mishap/loop/detail/await_scope.hpp>
#include <mishap/primitives/detail/ensure_future.hpp>

namespace mishap {

/// A deadline for a body: when it passes, the task that runs the body is cancelled, and the cancellation becomes a
/// TimeoutError where the body ends.
///
/// Only its own cancellation is converted: when somebody else cancels the task too, before or after the deadline,
/// CancelledError is thrown. Most programs call `timeout` or `timeout_at`; the class is for those who ask it later
/// whether it expired.
///
/// Source:    asyncio.Timeout, CPython 3.13.
class Timeout {
public:
    /// Makes a timeout for `when`; without a deadline it never expires unless it is rescheduled.
    explicit Timeout(std::optional<VirtualTime> when) : when_(when) {}
    ~Timeout() { leave(); }
    Timeout(const Timeout&) = delete;
    Timeout& operator=(const Timeout&) = delete;

    /// Returns the deadline, if there is one.
    std::optional<VirtualTime> when() const { return when_; }
    /// Moves the deadline, or takes it away.
    ///
    /// Throws:    UsageError unless its body runs and it has not expired.
    void reschedule(std::optional<VirtualTime> when);
    /// Returns whether the deadline passed while the body ran, so that the task was cancelled.
    bool expired() const { return state_ == State::expiring || state_ == State::expired; }

    /// Runs `body()` or `body(Timeout&)`, or the coroutine that it returns, in the current task; once.
    ///
    /// Yields:    where the body does; a deadline that has passed already acts in the next iteration.
    /// Cancelled: where the body waits.
    /// Order:     the body begins at once.
    /// Throws:    TimeoutError, what the body throws, UsageError outside a task or when it was run before.
    template <class Body>
    auto run(Body&& body, Place place = Place::here()) {
        enter();
        const Leave at_end{*this};
        const detail::AwaitScope scope(*task_, "timeout", place);
        try {
            if constexpr (std::is_invocable_v<Body, Timeout&>) {
                return detail::call(std::forward<Body>(body), *this);
            } else {
                return detail::call(std::forward<Body>(body));
            }
        } catch (const CancelledError&) {
            if (leave()) {
                throw TimeoutError();
            }
            throw;
        }
    }

private:
    enum class State : std::uint8_t { created, active, expiring, expired, finished };
    /// Leaves however the body ends.
    struct Leave {
        Timeout& timeout;
        ~Leave() { timeout.leave(); }
    };

    void enter();
    /// Ends the scope, if it has not ended; returns whether the pending cancellation is the timeout's alone.
    bool leave();
    void expire();

    State state_ = State::created;
    std::optional<VirtualTime> when_;
    TimerHandle timer_;
    Handle soon_;  // instead of a timer, when the deadline has passed
    detail::TaskBase* task_ = nullptr;
    int cancelling_at_entry_ = 0;
};

/// Runs `body()` or `body(Timeout&)` until `when` at most, and returns its result; `std::nullopt`: no deadline.
///
/// Yields:    where the body does; a deadline that has passed already acts in the next iteration.
/// Cancelled: where the body waits.
/// Order:     the body begins at once, in the current task.
/// Throws:    TimeoutError, what the body throws, UsageError outside a task.
/// Source:    asyncio.timeout_at, CPython 3.13.
template <class Body>
auto timeout_at(std::optional<VirtualTime> when, Body&& body, Place place = Place::here()) {
    return Timeout(when).run(std::forward<Body>(body), place);
}

/// Runs `body()` or `body(Timeout&)` for `delay` at most; see `timeout_at`.
///
/// Source:    asyncio.timeout, CPython 3.13.
template <class Body>
auto timeout(std::optional<std::chrono::nanoseconds> delay, Body&& body, Place place = Place::here()) {
    std::optional<VirtualTime> when;
    if (delay.has_value()) {
        when = get_running_loop().deadline_in(*delay);
    }
    return timeout_at(when, std::forward<Body>(body), place);
}

}  // namespace mishap
