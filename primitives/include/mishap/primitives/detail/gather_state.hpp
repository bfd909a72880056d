#pragma once

#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <mishap/loop/await.hpp>
#include <mishap/primitives/outcome.hpp>

namespace mishap::detail {

/// Returns what a child that was cancelled is thought to have thrown.
std::exception_ptr cancelled_error(const std::string* message);

/// The outer future of a gather, whatever its result.
///
/// Each child has a callback that tells the outer future, which then wakes who waits: two hops, as in asyncio. Being
/// cancelled means asking every child; the outer future ends when they have.
///
/// Source:    _GatheringFuture and gather, Lib/asyncio/tasks.py, CPython 3.13.
class GatherBase : public FutureBase {
public:
    GatherBase(EventLoop& loop, void* value, std::vector<Ref<FutureBase>> children, bool returns_exceptions);

    bool cancel(const std::string* message) override;
    void explain(WaitExplanation& explanation) const override;

    /// Begins to watch the children; those that are done already count at once.
    void watch();

protected:
    /// Stores the result, made from the children, all of which are done.
    virtual void collect() = 0;
    FutureBase& child(std::size_t index) const { return *children_[index]; }
    std::size_t size() const { return children_.size(); }

private:
    void child_done(FutureBase& child);

    std::vector<Ref<FutureBase>> children_;  // in the order of the arguments, repetitions included
    std::size_t unfinished_ = 0;             // without repetitions
    bool returns_exceptions_;
    bool is_cancel_requested_ = false;
};

/// One element of a gather's result: `void` becomes `std::monostate`.
template <class T, bool returns_exceptions>
using GatherItem = std::conditional_t<returns_exceptions, Outcome<T>, std::conditional_t<std::is_void_v<T>, std::monostate, T>>;

template <class T, bool returns_exceptions>
GatherItem<T, returns_exceptions> gather_item(FutureBase& child) {
    if constexpr (returns_exceptions) {
        if (child.state() == Waitable::State::cancelled) {
            return Outcome<T>::failure(cancelled_error(child.lasting_cancel_message()));
        }
        if (std::exception_ptr exception = child.exception()) {
            return Outcome<T>::failure(std::move(exception));
        }
        if constexpr (std::is_void_v<T>) {
            return Outcome<T>::success();
        } else {
            return Outcome<T>::success(take_result(Future<T>(&child)));
        }
    } else if constexpr (std::is_void_v<T>) {
        return {};
    } else {
        return take_result(Future<T>(&child));
    }
}

template <bool returns_exceptions, class... T>
class GatherTuple final : public GatherBase, public Value<std::tuple<GatherItem<T, returns_exceptions>...>> {
public:
    using Result = std::tuple<GatherItem<T, returns_exceptions>...>;

    GatherTuple(EventLoop& loop, std::vector<Ref<FutureBase>> children)
        : GatherBase(loop, static_cast<Value<Result>*>(this), std::move(children), returns_exceptions) {}

private:
    void collect() override { collect_each(std::index_sequence_for<T...>()); }
    template <std::size_t... I>
    void collect_each(std::index_sequence<I...>) {
        // Braces: taken from left to right on every compiler.
        this->set(Result{gather_item<T, returns_exceptions>(this->child(I))...});
    }
};

template <bool returns_exceptions, class T>
class GatherVector final : public GatherBase, public Value<std::vector<GatherItem<T, returns_exceptions>>> {
public:
    using Result = std::vector<GatherItem<T, returns_exceptions>>;

    GatherVector(EventLoop& loop, std::vector<Ref<FutureBase>> children)
        : GatherBase(loop, static_cast<Value<Result>*>(this), std::move(children), returns_exceptions) {}

private:
    void collect() override {
        Result result;
        result.reserve(size());
        for (std::size_t i = 0; i < size(); ++i) {
            result.push_back(gather_item<T, returns_exceptions>(this->child(i)));
        }
        this->set(std::move(result));
    }
};

}  // namespace mishap::detail
