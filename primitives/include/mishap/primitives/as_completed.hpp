#pragma once

#include <chrono>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include <mishap/primitives/detail/as_completed_state.hpp>
#include <mishap/primitives/detail/children.hpp>
#include <mishap/primitives/detail/ensure_future.hpp>

namespace mishap {

/// Several tasks or futures, in the order in which they end; made by `as_completed`.
///
/// Several tasks may share one and ask it for `next`. When it goes, what has not ended goes on, unwatched.
///
/// Source:    asyncio.as_completed as an asynchronous iterator, CPython 3.13.
template <class F>
class AsCompleted {
public:
    class Iterator;

    AsCompleted(EventLoop& loop, std::vector<F> futures, std::optional<std::chrono::nanoseconds> timeout, Place place);
    AsCompleted(AsCompleted&& other) noexcept = default;
    AsCompleted& operator=(AsCompleted&&) = delete;
    ~AsCompleted() {
        if (state_.is_alive()) {
            state_->stop();
        }
    }

    /// Waits for the next one to end and returns it, whatever it ended with; nothing if all were returned.
    ///
    /// Yields:    only if none has ended that was not returned yet.
    /// Cancelled: what is waited for goes on, and is what the next call returns.
    /// Order:     in which they end; those that had ended before come in the order of the arguments.
    /// Throws:    TimeoutError, once for each that has not ended in time; CancelledError; UsageError outside a task.
    std::optional<F> next() { return next(place_); }
    std::optional<F> next(Place place) {
        const std::optional<std::size_t> index = state_->next(place);
        return index.has_value() ? std::optional<F>(futures_[*index]) : std::nullopt;
    }

    /// Iterates: waits for the first, and for each following one as the iterator moves on.
    Iterator begin() { return Iterator(*this); }
    std::default_sentinel_t end() const { return {}; }

private:
    std::vector<F> futures_;
    detail::Ref<detail::AsCompletedState> state_;
    Place place_;
};

template <class F>
class AsCompleted<F>::Iterator {
public:
    using value_type = F;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    using reference = const F&;
    using pointer = const F*;

    explicit Iterator(AsCompleted& all) : all_(&all), current_(all.next()) {}
    reference operator*() const { return *current_; }
    pointer operator->() const { return &*current_; }
    Iterator& operator++() {
        current_ = all_->next();
        return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& a, std::default_sentinel_t) { return !a.current_.has_value(); }

private:
    AsCompleted* all_;
    std::optional<F> current_;
};

template <class F>
AsCompleted<F>::AsCompleted(EventLoop& loop, std::vector<F> futures, std::optional<std::chrono::nanoseconds> timeout,
                            Place place)
    : place_(place) {
    std::vector<detail::FutureBase*> states;
    for (const F& future : futures) {
        detail::check_loop_of(future.state(), loop, "as_completed()");
        states.push_back(&future.state());
    }
    std::vector<detail::Ref<detail::FutureBase>> children;
    for (const std::size_t i : detail::first_occurrences(states)) {
        children.emplace_back(states[i]);
        futures_.push_back(futures[i]);
    }
    state_ = detail::Ref<detail::AsCompletedState>(loop.make_block<detail::AsCompletedState>(loop, std::move(children)));
    state_->watch(timeout);
}

/// Starts what a range holds and iterates over it in the order in which it ends: `for (auto task : as_completed(tasks))`.
///
/// Tasks and futures come out as they were given, each once; coroutines and functions become tasks. `timeout` is for all
/// of it, from this call on: once it is over, waiting for one that has not ended throws TimeoutError, and those go on.
///
/// Yields:    here never; iterating does while nothing has ended.
/// Throws:    UsageError outside a running loop.
/// Source:    asyncio.as_completed, CPython 3.13.
template <class R>
    requires requires(R& range) {
        { *std::begin(range) } -> detail::Ensurable;
        std::end(range);
    }
auto as_completed(R&& range, std::optional<std::chrono::nanoseconds> timeout = std::nullopt, Place place = Place::here()) {
    // The elements of a range that is given away are given away too: coroutines cannot be copied.
    using Element = std::conditional_t<std::is_lvalue_reference_v<R>, decltype(*std::begin(range)),
                                       std::remove_reference_t<decltype(*std::begin(range))>&&>;
    EventLoop& loop = detail::running_loop("as_completed()");
    using F = decltype(detail::ensure_handle(loop, std::declval<Element>()));
    std::vector<F> futures;
    for (auto&& element : range) {
        futures.push_back(detail::ensure_handle(loop, static_cast<Element>(element)));
    }
    return AsCompleted<F>(loop, std::move(futures), timeout, place);
}

}  // namespace mishap
