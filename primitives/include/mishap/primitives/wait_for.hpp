#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include <mishap/loop/await.hpp>
#include <mishap/primitives/detail/ensure_future.hpp>
#include <mishap/primitives/timeout.hpp>

namespace mishap {

namespace detail {

/// Cancels `future` and waits until it is done, however it ends.
void cancel_and_wait(FutureBase& future, Place place);

/// Waits for what it is given in the current task: no task is made for a coroutine or a function.
template <class A>
auto await_inline(A&& argument, Place place) {
    if constexpr (Function<A>) {
        return call(argument);
    } else if constexpr (SomeCoro<A>) {
        return argument.run_here();
    } else {
        return await(std::forward<A>(argument), place);
    }
}

}  // namespace detail

/// Waits for a task, a future, a coroutine or a function for `delay` at most, and returns its result.
///
/// When the deadline passes, what is waited for is cancelled, and waited for until it has ended, however long that
/// takes; if it ends with a result even so, the result is returned. A coroutine or a function runs in the current task.
/// With a `delay` that is not positive only what is done already gives its result; a coroutine or function never begins.
///
/// Yields:    if the result is not there at once.
/// Cancelled: what is waited for is cancelled too; use `shield` to keep it alive.
/// Order:     as for `timeout` around an `await`.
/// Throws:    TimeoutError, what the awaited thing throws, CancelledError, UsageError outside a task.
/// Source:    asyncio.wait_for, CPython 3.13.
template <detail::Ensurable A>
auto wait_for(A&& awaitable, std::optional<std::chrono::nanoseconds> delay, Place place = Place::here()) {
    EventLoop& loop = detail::running_task_loop("wait_for()");
    const detail::AwaitScope scope(*loop.current_task(), "wait_for", place);
    if (delay.has_value() && delay->count() <= 0) {
        const auto future = detail::ensure_future(loop, std::forward<A>(awaitable));
        if (!future.done()) {
            detail::cancel_and_wait(future.state(), place);
            if (future.cancelled()) {
                future.state().take_cancel_message();  // asyncio looks at the result, too
                throw TimeoutError();
            }
        }
        return detail::take_result(future);
    }
    return timeout(
        delay, [&] { return detail::await_inline(std::forward<A>(awaitable), place); }, place);
}

}  // namespace mishap
