#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <iterator>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include <mishap/loop/sleep.hpp>
#include <mishap/primitives/as_completed.hpp>
#include <mishap/primitives/wait.hpp>

namespace mishap {

/// Makes a task that calls `function(arguments...)`, with copies of them; a coroutine that it returns is run.
///
/// Its first step is scheduled, not run.
///
/// Throws:    UsageError outside a running loop.
/// Source:    gevent.spawn 24.2.
template <class F, class... A>
    requires std::invocable<std::decay_t<F>&, std::decay_t<A>&...>
auto spawn(F&& function, A&&... arguments) {
    return detail::running_loop("spawn()").create_task(
        [kept = std::forward<F>(function), values = std::tuple<std::decay_t<A>...>(std::forward<A>(arguments)...)]() mutable {
            return std::apply([&](auto&... value) { return detail::call(kept, value...); }, values);
        });
}

/// As `spawn`, but calls the function only after `delay`; a task that is cancelled before never calls it.
///
/// Source:    gevent.spawn_later 24.2; twisted.internet.task.deferLater.
template <class F, class... A>
    requires std::invocable<std::decay_t<F>&, std::decay_t<A>&...>
auto spawn_later(std::chrono::nanoseconds delay, F&& function, A&&... arguments) {
    return detail::running_loop("spawn_later()")
        .create_task([delay, kept = std::forward<F>(function),
                      values = std::tuple<std::decay_t<A>...>(std::forward<A>(arguments)...)]() mutable {
            sleep(delay);
            return std::apply([&](auto&... value) { return detail::call(kept, value...); }, values);
        });
}

/// For how long, and for how many, `joinall` waits.
struct JoinOptions {
    std::optional<std::chrono::nanoseconds> timeout = std::nullopt;
    std::optional<std::size_t> count = std::nullopt;  // none: all of them
    bool raise_error = false;                         // throw what the first that fails ends with
};

/// Waits until several tasks or futures have ended, the first `count` of them, or `timeout` is over; returns those that have,
/// in the order in which they ended.
///
/// It neither cancels those that are left nor throws what any of them ended with, unless it is asked to; being cancelled is no
/// error.
///
/// Yields:    unless enough of them have ended already.
/// Cancelled: what is waited for goes on.
/// Order:     in which they end; those that had ended before come in the order of the argument.
/// Throws:    CancelledError; UsageError outside a task; with `raise_error` what the first that fails ended with.
/// Source:    gevent.joinall 24.2.
template <detail::FutureRange R>
auto joinall(const R& tasks, const JoinOptions& options = {}, Place place = Place::here()) {
    using F = std::remove_cvref_t<decltype(*std::begin(tasks))>;
    const std::vector<F> all(std::begin(tasks), std::end(tasks));
    auto ending = as_completed(all, options.timeout, place);
    std::vector<F> ended;
    while (!options.count.has_value() || ended.size() < *options.count) {
        std::optional<F> next;
        try {
            next = ending.next(place);
        } catch (const TimeoutError&) {
            break;
        }
        if (!next.has_value()) {
            break;
        }
        ended.push_back(*next);
        if (options.raise_error && !next->cancelled() && next->exception() != nullptr) {
            std::rethrow_exception(next->exception());
        }
    }
    return ended;
}

/// Cancels a task and waits until it has ended, for `timeout` at most. Returns whether it has; a task may refuse.
///
/// Yields:    if the task has not ended yet.
/// Cancelled: stops waiting; the request remains.
/// Order:     as for `wait`.
/// Throws:    CancelledError; UsageError outside a task, or when a task kills itself.
/// Source:    Greenlet.kill of gevent 24.2.
bool kill(const AnyTask& task, std::optional<std::chrono::nanoseconds> timeout = std::nullopt, Place place = Place::here());

}  // namespace mishap
