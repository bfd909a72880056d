#pragma once

#include <chrono>
#include <concepts>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <type_traits>
#include <vector>

#include <mishap/loop/task.hpp>
#include <mishap/primitives/detail/children.hpp>
#include <mishap/primitives/detail/wait_state.hpp>

namespace mishap {

/// How long to `wait`, and for what.
struct WaitOptions {
    ReturnWhen return_when = ReturnWhen::all_completed;
    std::optional<std::chrono::nanoseconds> timeout = std::nullopt;
};

/// What `wait` was given, in that order and without repetitions, by whether it has ended.
template <class F>
struct WaitResult {
    std::vector<F> done;
    std::vector<F> pending;
};

namespace detail {
template <class R>
concept FutureRange = requires(const R& range) {
    { *std::begin(range) } -> std::convertible_to<const AnyFuture&>;
    std::end(range);
};
[[noreturn]] void nothing_to_wait_for();
}  // namespace detail

/// Waits until all of several tasks or futures have ended, or the first of them has, and says which.
///
/// It neither throws what they ended with nor cancels any of them, not even when `timeout` is over: then those that are
/// left are `pending`.
///
/// Yields:    always, also when everything has ended already.
/// Cancelled: what is waited for goes on.
/// Order:     the lists keep the order of the argument.
/// Throws:    CancelledError; UsageError outside a task, and when there is nothing to wait for.
/// Source:    asyncio.wait, CPython 3.13.
template <detail::FutureRange R>
auto wait(const R& futures, const WaitOptions& options = {}, Place place = Place::here()) {
    using F = std::remove_cvref_t<decltype(*std::begin(futures))>;
    std::vector<F> all;
    std::vector<detail::FutureBase*> states;
    for (const F& future : futures) {
        all.push_back(future);
        states.push_back(&future.state());
    }
    if (all.empty()) {
        detail::nothing_to_wait_for();
    }
    const std::vector<std::size_t> firsts = detail::first_occurrences(states);
    std::vector<detail::FutureBase*> unique;
    for (const std::size_t i : firsts) {
        unique.push_back(states[i]);
    }
    detail::wait_for_some(unique, options.return_when, options.timeout, "wait", place);
    WaitResult<F> result;
    for (const std::size_t i : firsts) {
        (all[i].done() ? result.done : result.pending).push_back(all[i]);
    }
    return result;
}

/// As above: `wait({one, other})`.
template <std::derived_from<detail::AnyFuture> F>
WaitResult<F> wait(std::initializer_list<F> futures, const WaitOptions& options = {}, Place place = Place::here()) {
    return wait<std::initializer_list<F>>(futures, options, place);
}

}  // namespace mishap
