#pragma once

#include <mishap/loop/event_loop.hpp>

namespace mishap {

namespace detail {

/// Returns whether to await `future` is nothing but to take its result: it has one, nobody is told, and nobody can go first.
inline bool is_at_hand(const FutureBase& future) {
    EventLoop* const loop = current_loop;
    if (!future.has_succeeded() || &future.loop() != loop || loop->current_task() == nullptr) {
        return false;
    }
    return !loop->current_task()->is_thread && loop->world().is_undisturbed();
}

/// Parks the current task until `future` is done, if it is not.
void await_done(FutureBase& future, const char* operation, Place place);

/// Returns a copy of the result of a future that has succeeded, or the result itself when it cannot be copied.
template <class T>
T result_of(const FutureBase& state) {
    if constexpr (!std::is_void_v<T>) {
        auto& value = *static_cast<Value<T>*>(state.value())->value;
        if constexpr (std::is_copy_constructible_v<T>) {
            return value;
        } else {
            return std::move(value);
        }
    }
}

/// As above, of one that is done; throws what it ended with if it did not succeed.
template <class T>
T take_result(const Future<T>& future) {
    FutureBase& state = future.state();
    if (state.has_succeeded() && !state.loop().world().is_observing()) [[likely]] {
        // Nothing to throw, nobody to tell.
    } else {
        state.throw_unless_succeeded("await()");
    }
    return result_of<T>(state);
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
    if (detail::FutureBase& state = future.state(); detail::is_at_hand(state)) {
        state.mark_retrieved();
        return detail::result_of<T>(state);
    }
    const Future<T> kept = future;  // the caller's handle may go while this task waits
    detail::await_done(kept.state(), "await", place);
    return detail::take_result(kept);
}

}  // namespace mishap
