#pragma once

#include <chrono>

#include <mishap/loop/event_loop.hpp>

namespace mishap {

/// What `sleep` returns. A task sleeps where the expression ends; a coroutine says `co_await` and suspends.
///
/// Nothing is done before that, and nothing remains to be done after `co_await`: this is how one name serves both.
class [[maybe_unused]] Sleep {
public:
    Sleep(std::chrono::nanoseconds delay, Place place) : delay_(delay), place_(place) {}
    Sleep(const Sleep&) = delete;
    Sleep& operator=(const Sleep&) = delete;
    ~Sleep() noexcept(false) {
        if (!is_taken_) {
            now();
        }
    }

    /// Sleeps, in the current task.
    void now() {
        is_taken_ = true;
        if (delay_.count() <= 0) {
            detail::running_task_loop("sleep()").yield("sleep", place_);
        } else {
            until_timer();
        }
    }

private:
    void until_timer();

    std::chrono::nanoseconds delay_;
    Place place_;
    bool is_taken_ = false;
};

/// Waits for `delay`; if that is zero or negative, it gives way to every other ready entry once.
///
/// Yields:    always.
/// Cancelled: the timer is cancelled.
/// Order:     tasks that wake at one time resume in the order in which they went to sleep, in the calm order.
/// Throws:    CancelledError; UsageError outside a task.
/// Source:    asyncio.sleep, CPython 3.13.
inline Sleep sleep(std::chrono::nanoseconds delay, Place place = Place::here()) { return Sleep(delay, place); }

/// As above, for coarser units: what does not fit in nanoseconds (292 years) sleeps as long as fits.
template <class R, class P>
Sleep sleep(std::chrono::duration<R, P> delay, Place place = Place::here()) {
    using Delay = std::chrono::duration<R, P>;
    constexpr auto longest = std::chrono::duration_cast<Delay>(std::chrono::nanoseconds::max());
    return Sleep(delay > longest ? std::chrono::nanoseconds::max() : std::chrono::nanoseconds(delay), place);
}

}  // namespace mishap
