#pragma once

#include <chrono>
#include <exception>
#include <initializer_list>
#include <utility>

#include <mishap/loop/event_loop.hpp>

namespace mishap {

/// A loop in a simulated world whose time a test drives by hand; made where no loop runs.
///
/// Time stands still between two calls of `advance`, also while everybody sleeps: nothing here jumps to the next deadline by
/// itself, as `run` and `explore` do in a simulated world. Everything is calm, and in asyncio's order.
///
/// ```
/// Clock clock;
/// clock.call_later(2s, [&] { ... });
/// clock.create_task([] { sleep(3s); ... });
/// clock.advance(2s);             // calls what is due, in order of time
/// clock.pump({1s, 1s, 1s});
/// ```
///
/// Source:    twisted.internet.task.Clock 24.3.
class Clock {
public:
    Clock();
    /// Ends the tasks that are left: cancels them, newest first.
    ~Clock();
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;

    EventLoop& loop() { return loop_; }
    /// Returns the time, which begins at zero.
    VirtualTime time() { return loop_.time(); }

    /// Schedules `callback()`; it is called by an `advance`, as is what is due at once.
    template <class F>
    TimerHandle call_later(std::chrono::nanoseconds delay, F&& callback) {
        return loop_.call_later(delay, std::forward<F>(callback));
    }
    /// Makes a task; it begins with the next `advance`.
    template <class F>
    auto create_task(F&& function, const TaskOptions& options = {}) {
        return loop_.create_task(std::forward<F>(function), options);
    }

    /// Moves the time on by `duration`, and runs what is due until then in order of time, with what that schedules and is due
    /// until then too. Each call sees its own deadline as the time (Twisted: the end of the advance). By 0, it runs what is
    /// ready.
    ///
    /// Throws:    the first exception that a callback, or a task that nobody awaits, has thrown meanwhile, when all has been run;
    ///            UsageError inside a running loop and for a negative duration; std::runtime_error when a check fails, or
    ///            tasks run for ever without letting the time pass.
    void advance(std::chrono::nanoseconds duration);
    /// Advances by each of `durations` in turn.
    template <class R = std::initializer_list<std::chrono::nanoseconds>>
    void pump(const R& durations) {
        for (const std::chrono::nanoseconds duration : durations) {
            advance(duration);
        }
    }

private:
    World world_;
    EventLoop loop_;
    std::exception_ptr failure_;  // the first of this advance
};

}  // namespace mishap
