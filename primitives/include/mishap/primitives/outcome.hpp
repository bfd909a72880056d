#pragma once

#include <exception>
#include <optional>
#include <utility>

#include <mishap/loop/future.hpp>

namespace mishap {

/// How something ended: with a value or with an exception, CancelledError among them.
template <class T>
class Outcome {
public:
    /// Makes the outcome of what succeeded.
    template <class... A>
    static Outcome success(A&&... arguments) {
        Outcome outcome;
        outcome.value_.set(std::forward<A>(arguments)...);
        return outcome;
    }
    /// Makes the outcome of what failed.
    static Outcome failure(std::exception_ptr exception) {
        Outcome outcome;
        outcome.exception_ = std::move(exception);
        return outcome;
    }

    bool has_value() const { return exception_ == nullptr; }
    explicit operator bool() const { return has_value(); }
    /// Returns the value, or throws the exception.
    std::add_lvalue_reference_t<const T> value() const {
        if (exception_ != nullptr) {
            std::rethrow_exception(exception_);
        }
        if constexpr (!std::is_void_v<T>) {
            return *value_.value;
        }
    }
    /// Returns the exception, or null.
    const std::exception_ptr& exception() const { return exception_; }

private:
    detail::Value<T> value_;
    std::exception_ptr exception_;
};

}  // namespace mishap
