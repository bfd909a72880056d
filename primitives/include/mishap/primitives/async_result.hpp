#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>

#include <mishap/primitives/detail/primitive.hpp>

namespace mishap {

namespace detail {

/// An AsyncResult without its value.
class AsyncResultBase : public Primitive {
public:
    /// Returns whether there is a value or an exception.
    bool ready() const;
    /// Returns whether there is a value.
    bool successful() const;
    /// Returns the exception, or null.
    std::exception_ptr exception() const;

    /// Sets an exception, which every `get` throws from now on, and wakes everybody who waits.
    void set_exception(std::exception_ptr exception, Place place = Place::here());

    /// Waits until there is a value or an exception, for `timeout` at most; returns whether there is.
    ///
    /// Yields:    only if there is none.
    /// Cancelled: stops waiting; the others go on.
    /// Order:     everybody is woken, in the order of arrival.
    /// Throws:    CancelledError; UsageError outside a task, or when this is destroyed meanwhile.
    /// Source:    AsyncResult.wait of gevent 24.2.
    bool wait(std::optional<std::chrono::nanoseconds> timeout = std::nullopt, Place place = Place::here());

    void explain(const WaitQueue& queue, WaitExplanation& explanation) const override;

protected:
    explicit AsyncResultBase(std::string_view name);
    ~AsyncResultBase() = default;

    void tell(std::exception_ptr exception, const char* operation, Place place);
    /// Throws the exception if there is one, TimeoutError if there is nothing.
    void check() const;

private:
    bool is_ready_ = false;
    std::exception_ptr exception_;
    WaitQueue waiters_{*this, WaitQueue::Wake::is_grant};
};

}  // namespace detail

/// A value, or an exception, that any number of tasks can wait for, and that can be set again.
///
/// Unlike a Future it is no handle, and cancelling one who waits for it changes nothing for the others.
///
/// Source:    gevent.event.AsyncResult 24.2.
template <class T>
class AsyncResult final : public detail::AsyncResultBase {
public:
    AsyncResult() : AsyncResult(std::string_view()) {}
    /// `name` appears in reports.
    explicit AsyncResult(std::string_view name) : AsyncResultBase(name) {}

    /// Sets the value, in place of what was set before, and wakes everybody who waits.
    void set(T value, Place place = Place::here()) {
        value_.emplace(std::move(value));
        tell(nullptr, "AsyncResult.set", place);
    }

    /// Returns the value, waiting for `timeout` at most until there is one.
    ///
    /// Yields:    only if there is none.
    /// Cancelled: stops waiting; the others go on.
    /// Order:     everybody is woken, in the order of arrival.
    /// Throws:    the exception that was set; TimeoutError; CancelledError; UsageError outside a task, or when this is
    ///            destroyed meanwhile.
    /// Source:    AsyncResult.get of gevent 24.2.
    const T& get(std::optional<std::chrono::nanoseconds> timeout = std::nullopt, Place place = Place::here()) {
        wait(timeout, place);
        check();
        return *value_;
    }
    /// As `get`, without waiting. Works in callbacks too.
    ///
    /// Throws:    the exception that was set; TimeoutError when nothing was.
    const T& get_nowait() const {
        check();
        return *value_;
    }

private:
    std::optional<T> value_;
};

}  // namespace mishap
