#pragma once

// Results that threads wait for.
//
// `mishap::Future` belongs to a loop and is awaited by its tasks; `mishap::concurrent::Future` belongs to nobody: any
// thread completes it, any thread blocks until it is done. `wrap_future` and `run_coroutine_threadsafe` lead from one to
// the other.
//
// Source:    concurrent.futures, CPython 3.13 (Lib/concurrent/futures/_base.py).

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include <mishap/loop/detail/monitor.hpp>
#include <mishap/loop/errors.hpp>
#include <mishap/loop/future.hpp>

namespace mishap::concurrent {

/// Says that a result was asked of a future that was cancelled. An ordinary error: whoever waits for a thread is not
/// cancelled itself, unlike a task that `mishap::CancelledError` is thrown into.
class CancelledError : public std::runtime_error {
public:
    CancelledError() : std::runtime_error("the concurrent future was cancelled") {}
};

/// When `wait` returns.
enum class ReturnWhen : std::uint8_t { first_completed, first_exception, all_completed };

namespace detail {

using mishap::detail::Monitor;

class FutureCore;

/// A `wait` or `as_completed` that futures tell when they are done.
class DoneWatch {
public:
    explicit DoneWatch(bool stops_on_failure) : stops_on_failure_(stops_on_failure) {}

    /// Is told that `future` is done; by whoever completed it.
    void add(const FutureCore& future, bool has_failed);
    /// Waits until `count` futures are done, or one has failed if that is enough; takes what was told, also when `timeout` was
    /// over first. Returns whether it was not.
    bool wait(std::size_t count, std::optional<std::chrono::nanoseconds> timeout, const char* operation, Place place,
              std::vector<const FutureCore*>& told);

private:
    Monitor monitor_{"wait for concurrent futures", "wait"};
    bool stops_on_failure_;
    bool has_failed_ = false;
    std::vector<const FutureCore*> told_;
};

/// The state of a future, whatever its result.
class FutureCore : public std::enable_shared_from_this<FutureCore> {
public:
    enum class State : std::uint8_t { pending, running, cancelled, cancelled_and_notified, finished };

    FutureCore() = default;
    virtual ~FutureCore() = default;
    FutureCore(const FutureCore&) = delete;
    FutureCore& operator=(const FutureCore&) = delete;

    bool cancel(Place place);
    State state(const char* operation, Place place) const;
    bool begin(Place place);
    /// Ends a future that has not begun, and that nobody will complete any more, as cancelled; tells everybody.
    void give_up();
    /// Ends the future: `store` keeps the result; null, and there is `exception`.
    ///
    /// Throws:    InvalidStateError when it is done.
    void finish(const std::function<void()>& store, std::exception_ptr exception, Place place);
    /// Waits until the future is done.
    ///
    /// Throws:    TimeoutError, CancelledError.
    void wait_done(std::optional<std::chrono::nanoseconds> timeout, const char* operation, Place place) const;
    const std::exception_ptr& stored_exception() const { return exception_; }
    void add_done_callback(std::function<void()> callback, Place place);

    /// Lets `watch` be told when the future is done; returns false, and does not, when it is done already.
    bool watch(const std::shared_ptr<DoneWatch>& watch, Place place);
    void unwatch(const DoneWatch& watch, Place place);

private:
    static bool is_done(State state) { return state >= State::cancelled; }
    static bool is_settled(State state) { return state >= State::cancelled_and_notified; }
    void tell_done(std::vector<std::function<void()>> callbacks);

    mutable Monitor monitor_{"concurrent future", "future"};
    State state_ = State::pending;
    std::exception_ptr exception_;
    std::vector<std::function<void()>> callbacks_;
    std::vector<std::shared_ptr<DoneWatch>> watches_;
};

template <class T>
class FutureState final : public FutureCore {
public:
    mishap::detail::Value<T> value;
};

/// Calls what was given to a future, and tells of what it throws, which is nobody else's affair.
void call_done_callback(const std::function<void()>& callback);

[[noreturn]] void empty_future();

/// What futures of every type can do.
class AnyFuture {
public:
    /// Returns whether there is a future to speak of: not default-constructed.
    bool is_valid() const { return core_ != nullptr; }
    /// Keeps the function from being called if it has not begun; returns whether the future is cancelled.
    bool cancel(Place place = Place::here()) const { return core().cancel(place); }
    bool cancelled(Place place = Place::here()) const {
        const FutureCore::State state = core().state("cancelled", place);
        return state == FutureCore::State::cancelled || state == FutureCore::State::cancelled_and_notified;
    }
    bool running(Place place = Place::here()) const { return core().state("running", place) == FutureCore::State::running; }
    /// Returns whether it has a result, has failed, or was cancelled.
    bool done(Place place = Place::here()) const { return core().state("done", place) >= FutureCore::State::cancelled; }
    /// Waits until the future is done and returns the exception that it ended with, or null.
    ///
    /// Throws:    TimeoutError, concurrent::CancelledError.
    std::exception_ptr exception(std::optional<std::chrono::nanoseconds> timeout = {}, Place place = Place::here()) const {
        core().wait_done(timeout, "Future.exception", place);
        return core().stored_exception();
    }

    /// Says that the function begins, for executors; returns false when the future was cancelled: then it must not, and
    /// those who wait are told.
    ///
    /// Throws:    UsageError when it has begun or ended already.
    bool set_running_or_notify_cancel(Place place = Place::here()) const { return core().begin(place); }
    /// Ends the future with an exception, for executors and tests.
    ///
    /// Throws:    InvalidStateError when it is done.
    void set_exception(std::exception_ptr exception, Place place = Place::here()) const {
        core().finish(nullptr, std::move(exception), place);
    }

    FutureCore& core() const {
        if (core_ == nullptr) [[unlikely]] {
            empty_future();
        }
        return *core_;
    }
    friend bool operator==(const AnyFuture& a, const AnyFuture& b) { return a.core_ == b.core_; }

protected:
    AnyFuture() = default;
    explicit AnyFuture(std::shared_ptr<FutureCore> core) : core_(std::move(core)) {}
    std::shared_ptr<FutureCore> core_;
};

}  // namespace detail

/// The result of a function that runs in a thread. Copies are handles to one future, and any thread may use them.
///
/// Source:    concurrent.futures.Future, CPython 3.13.
template <class T>
class Future : public detail::AnyFuture {
public:
    Future() = default;
    /// Makes a future that is pending, for executors and tests.
    static Future make() { return Future(std::make_shared<detail::FutureState<T>>()); }

    /// Waits until the future is done and returns its result.
    ///
    /// Yields:    - (it blocks the thread, and in a task the whole loop)
    /// Cancelled: not in a task.
    /// Order:     none among those who wait.
    /// Throws:    what the function threw, TimeoutError, concurrent::CancelledError.
    std::add_lvalue_reference_t<const T> result(std::optional<std::chrono::nanoseconds> timeout = {},
                                                Place place = Place::here()) const& {
        wait_for_result(timeout, place);
        if constexpr (!std::is_void_v<T>) {
            return *state().value.value;
        }
    }
    /// As above; what cannot be copied is moved out of the future, for all its handles.
    T result(std::optional<std::chrono::nanoseconds> timeout = {}, Place place = Place::here()) && {
        wait_for_result(timeout, place);
        return take();
    }
    /// Ends the future with a result, for executors and tests.
    ///
    /// Throws:    InvalidStateError when it is done.
    template <class... A>
    void set_result(A&&... arguments) const {
        core().finish([&] { state().value.set(std::forward<A>(arguments)...); }, nullptr, {});
    }
    /// Calls `callback(Future<T>)` when the future is done, in the thread that completes it; at once if it is done. Callbacks
    /// are called in order of registration; what they throw is told and dropped.
    template <class F>
    void add_done_callback(F&& callback, Place place = Place::here()) const {
        core().add_done_callback(
            [weak = std::weak_ptr<detail::FutureCore>(core_),
             function = std::make_shared<std::decay_t<F>>(std::forward<F>(callback))] {
                if (const std::shared_ptr<detail::FutureCore> core = weak.lock()) {
                    (*function)(Future(core));
                }
            },
            place);
    }

    /// Returns a copy of the result of a future that is done, or the result itself if it cannot be copied.
    T take() const {
        if constexpr (!std::is_void_v<T>) {
            if constexpr (std::is_copy_constructible_v<T>) {
                return *state().value.value;
            } else {
                return std::move(*state().value.value);
            }
        }
    }

private:
    explicit Future(std::shared_ptr<detail::FutureCore> core) : AnyFuture(std::move(core)) {}
    detail::FutureState<T>& state() const { return static_cast<detail::FutureState<T>&>(core()); }
    void wait_for_result(std::optional<std::chrono::nanoseconds> timeout, Place place) const {
        core().wait_done(timeout, "Future.result", place);
        if (core().stored_exception() != nullptr) {
            std::rethrow_exception(core().stored_exception());
        }
    }
};

/// What can be said of a `wait`.
struct WaitOptions {
    std::optional<std::chrono::nanoseconds> timeout = {};
    ReturnWhen return_when = ReturnWhen::all_completed;
};

/// What `wait` found, each in the order in which the futures were given.
template <class T>
struct WaitResult {
    std::vector<Future<T>> done;
    std::vector<Future<T>> not_done;
};

namespace detail {

/// Waits for futures without duplicates; returns which are done.
std::vector<bool> wait_for(const std::vector<FutureCore*>& futures, const WaitOptions& options, Place place);
/// Returns the indices of the first occurrences.
std::vector<std::size_t> distinct(const std::vector<FutureCore*>& futures);

template <class T>
std::vector<Future<T>> without_duplicates(const std::vector<Future<T>>& futures) {
    std::vector<FutureCore*> cores;
    for (const Future<T>& future : futures) {
        cores.push_back(&future.core());
    }
    std::vector<Future<T>> result;
    for (const std::size_t index : distinct(cores)) {
        result.push_back(futures[index]);
    }
    return result;
}

}  // namespace detail

/// Waits until futures are done. A future that was cancelled counts from when its executor has noticed.
///
/// Yields:    - (it blocks the thread, and in a task the whole loop)
/// Cancelled: not in a task.
/// Order:     -
/// Throws:    nothing of its own; when `timeout` is over it returns what there is.
/// Source:    concurrent.futures.wait, CPython 3.13.
template <class T>
WaitResult<T> wait(const std::vector<Future<T>>& futures, const WaitOptions& options = {}, Place place = Place::here()) {
    const std::vector<Future<T>> given = detail::without_duplicates(futures);
    std::vector<detail::FutureCore*> cores;
    for (const Future<T>& future : given) {
        cores.push_back(&future.core());
    }
    const std::vector<bool> is_done = detail::wait_for(cores, options, place);
    WaitResult<T> result;
    for (std::size_t i = 0; i < given.size(); ++i) {
        (is_done[i] ? result.done : result.not_done).push_back(given[i]);
    }
    return result;
}

/// Gives out futures as they are done; see `as_completed`.
template <class T>
class AsCompleted {
public:
    AsCompleted(std::vector<Future<T>> futures, std::optional<std::chrono::nanoseconds> timeout, Place place);
    ~AsCompleted();
    AsCompleted(const AsCompleted&) = delete;
    AsCompleted& operator=(const AsCompleted&) = delete;

    /// Waits for the next future; nothing when all were given out.
    ///
    /// Throws:    TimeoutError when the time is up, counted from the call of `as_completed`.
    std::optional<Future<T>> next(Place place = Place::here());

    struct End {};
    class Iterator {
    public:
        explicit Iterator(AsCompleted& from) : from_(&from), at_(from.next()) {}
        const Future<T>& operator*() const { return *at_; }
        Iterator& operator++() {
            at_.reset();  // a reference less while it waits
            at_ = from_->next();
            return *this;
        }
        friend bool operator==(const Iterator& iterator, End) { return !iterator.at_.has_value(); }

    private:
        AsCompleted* from_;
        std::optional<Future<T>> at_;
    };
    Iterator begin() { return Iterator(*this); }
    End end() const { return {}; }

private:
    std::vector<Future<T>> pending_;
    std::vector<Future<T>> ready_;  // in reverse
    std::shared_ptr<detail::DoneWatch> watch_;
    std::optional<std::int64_t> deadline_ns_;
    std::size_t count_;
};

/// Gives out futures as they are done, each once, first those that are done already.
///
/// Yields:    - (it blocks the thread, and in a task the whole loop)
/// Cancelled: not in a task.
/// Order:     that in which they are done.
/// Throws:    TimeoutError.
/// Source:    concurrent.futures.as_completed, CPython 3.13.
template <class T>
AsCompleted<T> as_completed(const std::vector<Future<T>>& futures, std::optional<std::chrono::nanoseconds> timeout = {},
                            Place place = Place::here()) {
    return AsCompleted<T>(futures, timeout, place);
}

namespace detail {
[[noreturn]] void throw_unfinished(std::size_t unfinished, std::size_t all);
}

template <class T>
AsCompleted<T>::AsCompleted(std::vector<Future<T>> futures, std::optional<std::chrono::nanoseconds> timeout, Place place)
    : watch_(std::make_shared<detail::DoneWatch>(false)),
      deadline_ns_(mishap::detail::deadline_of(timeout)) {
    const std::vector<Future<T>> given = detail::without_duplicates(futures);
    count_ = given.size();
    for (const Future<T>& future : given) {
        (future.core().watch(watch_, place) ? pending_ : ready_).push_back(future);
    }
    std::reverse(ready_.begin(), ready_.end());
}

template <class T>
AsCompleted<T>::~AsCompleted() {
    for (const Future<T>& future : pending_) {
        future.core().unwatch(*watch_, {});
    }
}

template <class T>
std::optional<Future<T>> AsCompleted<T>::next(Place place) {
    if (ready_.empty()) {
        if (pending_.empty()) {
            return std::nullopt;
        }
        std::vector<const detail::FutureCore*> told;
        // What comes in the moment in which the time is up counts.
        if (!watch_->wait(1, mishap::detail::time_left(deadline_ns_), "as_completed", place, told) && told.empty()) {
            detail::throw_unfinished(pending_.size(), count_);
        }
        for (auto core = told.rbegin(); core != told.rend(); ++core) {
            const auto found = std::find_if(pending_.begin(), pending_.end(),
                                            [&](const Future<T>& future) { return &future.core() == *core; });
            ready_.push_back(*found);
            pending_.erase(found);
        }
    }
    Future<T> next = std::move(ready_.back());
    ready_.pop_back();
    return next;
}

}  // namespace mishap::concurrent
