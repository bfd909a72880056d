#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <mishap/sim/real_threads.hpp>

namespace mishap::detail {

/// Returns the lock for a variable that has no atomic operations: one of a few, by address.
RealMutex& real_lock_of(const void* variable);

/// Uses a variable as threads of the operating system may: atomically, and sequentially consistent.
template <class T>
class RealAccess {
    static constexpr bool is_atomic = std::is_integral_v<T> || std::is_enum_v<T> || std::is_pointer_v<T>;

public:
    explicit RealAccess(T& variable) : variable_(variable) {}

    T load() const {
        if constexpr (is_atomic) {
            return std::atomic_ref<T>(variable_).load();
        } else {
            const std::lock_guard<RealMutex> guard(real_lock_of(&variable_));
            return variable_;
        }
    }
    T exchange(T value) const {
        if constexpr (is_atomic) {
            return std::atomic_ref<T>(variable_).exchange(value);
        } else {
            const std::lock_guard<RealMutex> guard(real_lock_of(&variable_));
            return std::exchange(variable_, std::move(value));
        }
    }
    bool compare_exchange(T& expected, T desired) const {
        if constexpr (is_atomic) {
            return std::atomic_ref<T>(variable_).compare_exchange_strong(expected, desired);
        } else {
            const std::lock_guard<RealMutex> guard(real_lock_of(&variable_));
            if (!(variable_ == expected)) {
                expected = variable_;
                return false;
            }
            variable_ = std::move(desired);
            return true;
        }
    }
    T fetch_add(T summand) const {
        if constexpr (is_atomic) {
            T old = load();
            while (!compare_exchange(old, static_cast<T>(old + summand))) {
            }
            return old;
        } else {
            const std::lock_guard<RealMutex> guard(real_lock_of(&variable_));  // what is not equal to itself would be tried for ever
            return std::exchange(variable_, static_cast<T>(variable_ + summand));
        }
    }

private:
    T& variable_;
};

}  // namespace mishap::detail
