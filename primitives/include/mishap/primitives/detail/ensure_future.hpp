#pragma once

// What the combinators accept: a Task, a Future, a Coro, another library's awaitable, or a function. A function that
// returns a Coro counts as that coroutine, whose captures live as long as it runs.

#include <functional>
#include <type_traits>
#include <utility>

#include <mishap/loop/coro.hpp>
#include <mishap/loop/task.hpp>

namespace mishap::detail {

template <class T>
inline constexpr bool is_coro = false;
template <class T>
inline constexpr bool is_coro<Coro<T>> = true;

/// Calls `function`, and runs the coroutine if it returns one.
template <class F, class... A>
auto call(F&& function, A&&... arguments) {
    using Result = std::invoke_result_t<F, A...>;
    if constexpr (is_coro<std::decay_t<Result>>) {
        return std::invoke(std::forward<F>(function), std::forward<A>(arguments)...).run_here();
    } else {
        return std::invoke(std::forward<F>(function), std::forward<A>(arguments)...);
    }
}

template <class A>
concept SomeFuture = std::derived_from<std::remove_cvref_t<A>, AnyFuture>;
template <class A>
concept SomeCoro = is_coro<std::remove_cvref_t<A>>;
template <class A>
concept Function = std::invocable<std::decay_t<A>&> && !SomeFuture<A> && !SomeCoro<A>;

/// What can be made a future.
template <class A>
concept Ensurable = SomeFuture<A> || SomeCoro<A> || Function<A> || ForeignAwaitable<A>;

/// Makes a task of a function, unwrapping the coroutine that it may return.
template <class F>
auto create_task_of(EventLoop& loop, F&& function, const TaskOptions& options = {}) {
    if constexpr (SomeCoro<F>) {
        return loop.create_task([coro = std::forward<F>(function)]() mutable { return coro.run_here(); }, options);
    } else if constexpr (SomeCoro<std::invoke_result_t<std::decay_t<F>&>>) {
        return loop.create_task([kept = std::forward<F>(function)]() mutable { return call(kept); }, options);
    } else {
        return loop.create_task(std::forward<F>(function), options);
    }
}

template <class T>
Future<T> as_future(const Future<T>& future) {
    return future;
}

/// Returns a task or future as it is, and makes a task of anything else.
///
/// Source:    asyncio.ensure_future, CPython 3.13.
template <Ensurable A>
auto ensure_handle(EventLoop& loop, A&& argument) {
    if constexpr (SomeFuture<A>) {
        return std::remove_cvref_t<A>(argument);
    } else if constexpr (SomeCoro<A> || Function<A>) {
        return create_task_of(loop, std::forward<A>(argument));
    } else {
        return loop.create_task([kept = std::forward<A>(argument)]() mutable { return await(std::move(kept)); });
    }
}

/// As above; tasks are futures as well.
template <Ensurable A>
auto ensure_future(EventLoop& loop, A&& argument) {
    return as_future(ensure_handle(loop, std::forward<A>(argument)));
}

template <class T>
T result_of(const Future<T>&);
/// The type of what awaiting an argument gives.
template <class A>
using AwaitResult = decltype(result_of(ensure_future(std::declval<EventLoop&>(), std::declval<A>())));

}  // namespace mishap::detail
