#pragma once

#include <mishap/loop/event_loop.hpp>

namespace mishap {

namespace detail {

/// Parks the current task until `future` is done, if it is not.
void await_done(FutureBase& future, const char* operation, Place place);

/// Returns a copy of a future's result, or the result itself when it cannot be copied.
template <class T>
T take_result(const Future<T>& future) {
    FutureBase& state = future.state();
    if (state.has_succeeded() && !state.loop().world().is_observing()) [[likely]] {
        // Nothing to throw, nobody to tell.
    } else {
        state.throw_unless_succeeded("await()");
    }
    if constexpr (!std::is_void_v<T>) {
        auto& value = *static_cast<Value<T>*>(state.value())->value;
        if constexpr (std::is_copy_constructible_v<T>) {
            return value;
        } else {
            return std::move(value);
        }
    }
}

}  // namespace detail

/// Waits for `future` and returns its result.
///
/// Yields:    only if the future is not done.
/// Cancelled: the future is cancelled too; use `shield` to keep it alive.
/// Order:     tasks that wait for one future resume in the order in which they began to wait.
/// Throws:    what the future ended with; UsageError outside a task, or when a task waits for itself.
/// Source:    `await` on an asyncio.Future, CPython 3.13.
template <class T>
T await(const Future<T>& future, Place place = Place::here()) {
    const Future<T> kept = future;  // the caller's handle may go while this task waits
    detail::await_done(kept.state(), "await", place);
    return detail::take_result(kept);
}

}  // namespace mishap
