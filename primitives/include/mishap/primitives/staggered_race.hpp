#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <iterator>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <mishap/primitives/detail/ensure_future.hpp>
#include <mishap/primitives/detail/race_base.hpp>

namespace mishap {

/// How a `staggered_race` ended.
template <class T>
struct RaceResult {
    /// The result of the first attempt that succeeded, if one did; of attempts without a result `std::monostate`.
    std::optional<std::conditional_t<std::is_void_v<T>, std::monostate, T>> result;
    /// Which attempt that was.
    std::optional<std::size_t> index;
    /// What each attempt that began has thrown, in the order in which they began; null for one that did not throw.
    std::vector<std::exception_ptr> exceptions;
};

namespace detail {

/// A race between functions of one result type.
template <class F>
class Race final : public RaceBase {
public:
    using Result = decltype(call(std::declval<F&>()));

    Race(EventLoop& loop, std::vector<F> functions, std::optional<std::chrono::nanoseconds> delay)
        : RaceBase(loop, functions.size(), delay), functions_(std::move(functions)) {}

    RaceResult<Result> take() {
        return {std::move(result_), winner(), take_exceptions()};
    }

private:
    void attempt(std::size_t index) override {
        if constexpr (std::is_void_v<Result>) {
            call(functions_[index]);
            if (wins(index)) {
                result_.emplace();
            }
        } else {
            Result result = call(functions_[index]);
            if (wins(index)) {
                result_.emplace(std::move(result));
            }
        }
    }

    std::vector<F> functions_;
    decltype(RaceResult<Result>::result) result_;
};

}  // namespace detail

/// Calls functions one after the other until one succeeds: the next begins when the last one that began has failed, and
/// at the latest after `delay`; with `std::nullopt` only then. As soon as one succeeds the others are cancelled.
///
/// What the attempts throw is part of the result, CancelledError included; if all fail there is no winner.
///
/// Yields:    always.
/// Cancelled: all attempts are cancelled and waited for; a result that comes even so is lost.
/// Order:     attempts begin in the order of the argument. If a loser succeeds while it is cancelled, the first to
///            succeed stays the winner.
/// Throws:    CancelledError; UsageError outside a task.
/// Source:    asyncio.staggered.staggered_race, CPython 3.14 (RFC 8305, section 5).
template <class R>
auto staggered_race(R&& functions, std::optional<std::chrono::nanoseconds> delay, Place place = Place::here()) {
    using F = std::remove_cvref_t<decltype(*std::begin(functions))>;
    using Element = std::conditional_t<std::is_lvalue_reference_v<R>, const F&, F&&>;
    EventLoop& loop = detail::running_task_loop("staggered_race()");
    std::vector<F> kept;
    for (auto&& function : functions) {
        kept.push_back(static_cast<Element>(function));
    }
    const detail::Ref<detail::Race<F>> race(loop.make_block<detail::Race<F>>(loop, std::move(kept), delay));
    race->run(place);
    return race->take();
}

}  // namespace mishap
