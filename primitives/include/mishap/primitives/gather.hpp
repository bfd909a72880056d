#pragma once

#include <iterator>
#include <tuple>
#include <utility>
#include <vector>

#include <mishap/loop/await.hpp>
#include <mishap/primitives/detail/ensure_future.hpp>
#include <mishap/primitives/detail/gather_state.hpp>

namespace mishap {

/// The type of `return_exceptions`.
struct ReturnExceptions {
    explicit ReturnExceptions() = default;
};
/// Given to `gather` first, it makes failures items of the result: each is an `Outcome` then.
inline constexpr ReturnExceptions return_exceptions{};

namespace detail {

template <class A>
concept EnsurableRange = requires(A& range) {
    { *std::begin(range) } -> Ensurable;
    std::end(range);
};
template <class A>
concept GatherArgument =
    Ensurable<A> || EnsurableRange<A> || std::same_as<std::remove_cvref_t<A>, ReturnExceptions>;

template <class G, class... A>
Future<typename G::Result> start_gather(EventLoop& loop, std::vector<Ref<FutureBase>> children) {
    auto* const state = loop.make_block<G>(loop, std::move(children));
    Future<typename G::Result> future(state);
    state->watch();
    return future;
}

template <bool returns_exceptions, class... A>
auto gather_each(EventLoop& loop, A&&... arguments) {
    std::vector<Ref<FutureBase>> children;
    children.reserve(sizeof...(A));
    // A fold over the comma goes from left to right: tasks are made in the order of the arguments.
    (children.push_back(Ref<FutureBase>(&ensure_future(loop, std::forward<A>(arguments)).state())), ...);
    return start_gather<GatherTuple<returns_exceptions, AwaitResult<A>...>>(loop, std::move(children));
}

template <bool returns_exceptions, class R>
auto gather_range(EventLoop& loop, R&& range) {
    // The elements of a range that is given away are given away too: coroutines cannot be copied.
    using Element = std::conditional_t<std::is_lvalue_reference_v<R>, decltype(*std::begin(range)),
                                       std::remove_reference_t<decltype(*std::begin(range))>&&>;
    std::vector<Ref<FutureBase>> children;
    for (auto&& element : range) {
        children.push_back(Ref<FutureBase>(&ensure_future(loop, static_cast<Element>(element)).state()));
    }
    return start_gather<GatherVector<returns_exceptions, AwaitResult<Element>>>(loop, std::move(children));
}

template <bool returns_exceptions = false, class... A>
auto make_gather(EventLoop& loop, A&&... arguments) {
    if constexpr (sizeof...(A) == 1 && (EnsurableRange<A> && ...)) {
        return gather_range<returns_exceptions>(loop, std::forward<A>(arguments)...);
    } else {
        return gather_each<returns_exceptions>(loop, std::forward<A>(arguments)...);
    }
}
template <bool returns_exceptions = false, class... A>
auto make_gather(EventLoop& loop, ReturnExceptions, A&&... arguments) {
    return make_gather<true>(loop, std::forward<A>(arguments)...);
}

template <class T>
T await_gather(const Future<T>& outer, Place place) {
    await_done(outer.state(), "gather", place);
    outer.state().throw_unless_succeeded("gather()");
    return std::move(*static_cast<Value<T>*>(outer.state().value())->value);
}

template <class... A>
auto gather_at(Place place, A&&... arguments) {
    return await_gather(make_gather(running_task_loop("gather()"), std::forward<A>(arguments)...), place);
}

}  // namespace detail

/// Starts what it is given and returns the future of all results; what `gather` waits for.
///
/// Cancelling that future asks every child to end; it is done when they are.
///
/// Throws:    UsageError outside a running loop.
/// Source:    asyncio.gather, CPython 3.13.
template <detail::GatherArgument... A>
auto gather_future(A&&... arguments) {
    return detail::make_gather(detail::running_loop("gather_future()"), std::forward<A>(arguments)...);
}

/// Runs tasks, futures, coroutines and functions at once and returns all their results, in the order of the arguments.
///
/// Several arguments give a `std::tuple`, in which `void` is `std::monostate`; one range gives a `std::vector`. The first
/// failure is thrown at once, and the others go on. With `return_exceptions` as first argument nothing that a child
/// does is thrown: every element is an `Outcome`, of which a cancelled child is one. A future given twice runs once.
///
/// Yields:    only if something is not done; with no arguments never.
/// Cancelled: all children are cancelled. Without `return_exceptions` the first of them to end ends the wait; with it,
///            the wait goes on until all have ended, and CancelledError is thrown even so.
/// Order:     tasks are made in the order of the arguments.
/// Throws:    what the first child to fail threw; CancelledError; UsageError outside a task.
/// Source:    asyncio.gather, CPython 3.13.
template <detail::GatherArgument... A>
auto gather(A&&... arguments) {
    return detail::gather_at({}, std::forward<A>(arguments)...);
}

// A default argument cannot follow a parameter pack: these know their caller's place, for await stacks.
template <detail::GatherArgument A>
auto gather(A&& a, Place place = Place::here()) {
    return detail::gather_at(place, std::forward<A>(a));
}
template <detail::GatherArgument A, detail::GatherArgument B>
auto gather(A&& a, B&& b, Place place = Place::here()) {
    return detail::gather_at(place, std::forward<A>(a), std::forward<B>(b));
}
template <detail::GatherArgument A, detail::GatherArgument B, detail::GatherArgument C>
auto gather(A&& a, B&& b, C&& c, Place place = Place::here()) {
    return detail::gather_at(place, std::forward<A>(a), std::forward<B>(b), std::forward<C>(c));
}
template <detail::GatherArgument A, detail::GatherArgument B, detail::GatherArgument C, detail::GatherArgument D>
auto gather(A&& a, B&& b, C&& c, D&& d, Place place = Place::here()) {
    return detail::gather_at(place, std::forward<A>(a), std::forward<B>(b), std::forward<C>(c), std::forward<D>(d));
}

}  // namespace mishap
