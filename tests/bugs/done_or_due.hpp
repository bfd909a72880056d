#pragma once

// What every wait_for on futures begins with (CPython up to 3.11). They differ in what they do next.

#include <chrono>

#include <mishap/mishap.hpp>

namespace bugs {

/// Waits until `work` is done or `delay` has passed, whichever comes first. Leaves `work` alone, also when it is
/// cancelled.
template <class T>
void wait_until_done_or_due(const mishap::Task<T>& work, std::chrono::nanoseconds delay) {
    const auto waiter = mishap::get_running_loop().create_future<void>();
    const auto release = [waiter] {
        if (!waiter.done()) {
            waiter.set_result();
        }
    };
    work.add_done_callback([release](const mishap::Future<T>&) { release(); });
    mishap::TimerHandle timer = mishap::get_running_loop().call_later(delay, release);
    try {
        mishap::await(waiter);
    } catch (const mishap::CancelledError&) {
        timer.cancel();
        throw;
    }
    timer.cancel();
}

/// Calls `function` in the current task and cancels that when `delay` has passed: there is no moment at which a result
/// exists and nobody has it, and none at which the work goes on alone (CPython 3.12).
template <class F>
auto wait_for_inline(F function, std::chrono::nanoseconds delay) {
    bool is_expired = false;
    const auto task = mishap::current_task();
    const int requests_before = task.cancelling();
    mishap::TimerHandle timer = mishap::get_running_loop().call_later(delay, [&is_expired, task] {
        is_expired = true;
        task.cancel();
    });
    struct AtEnd {
        mishap::TimerHandle& timer;
        ~AtEnd() { timer.cancel(); }
    };
    const AtEnd at_end{timer};
    try {
        return function();
    } catch (const mishap::CancelledError&) {
        timer.cancel();
        if (is_expired && task.uncancel() <= requests_before) {
            throw mishap::TimeoutError();
        }
        throw;
    }
}

}  // namespace bugs
