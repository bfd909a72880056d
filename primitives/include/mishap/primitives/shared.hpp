#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include <mishap/primitives/detail/real_access.hpp>
#include <mishap/primitives/detail/shared_base.hpp>

namespace mishap {

/// A variable that several tasks use, and whose uses are seen: by footprints, by the digest, and by the detector of lost
/// updates.
///
/// A task that loads, waits and stores although another task stored meanwhile has lost that update, and the run has
/// failed. No operation waits or yields among tasks; while there are simulated threads, others may go before each.
/// Outside of simulated worlds it is a variable that threads may use at once, each operation atomic.
template <class T>
class Shared : public detail::SharedBase {
public:
    /// `name` appears in reports.
    explicit Shared(T value = T(), std::string_view name = {}) : SharedBase(name), value_(std::move(value)) {}

    /// Returns the value.
    T load(Place place = Place::here()) const {
        if (is_real()) {
            return real().load();
        }
        announce(Access::read, "Shared.load", place);
        on_read(Use::load, word(value_), "Shared.load", place);
        return value_;
    }
    /// Replaces the value. Is a finding when that undoes the write of another task.
    void store(T value, Place place = Place::here()) {
        if (is_real()) {
            real().exchange(std::move(value));
            return;
        }
        announce(Access::write, "Shared.store", place);
        on_store(word(value), "Shared.store", place);
        tell_unseen_change();
        value_ = std::move(value);
    }
    /// Replaces the value and returns the old one. Says that replacing whatever is there is right: never a lost update.
    T exchange(T value, Place place = Place::here()) {
        if (is_real()) {
            return real().exchange(std::move(value));
        }
        announce(Access::update, "Shared.exchange", place);
        on_update(word(value), "Shared.exchange", place);
        tell_unseen_change();
        return std::exchange(value_, std::move(value));
    }
    /// Replaces the value if it equals `expected`; otherwise puts it into `expected`, and is a read. Returns which.
    bool compare_exchange(T& expected, T desired, Place place = Place::here()) {
        if (is_real()) {
            return real().compare_exchange(expected, std::move(desired));
        }
        announce(Access::update, "Shared.compare_exchange", place);
        if (!(value_ == expected)) {
            on_read(Use::failed_exchange, word(value_), "Shared.compare_exchange", place);
            expected = value_;
            return false;
        }
        on_update(word(desired), "Shared.compare_exchange", place);
        tell_unseen_change();
        value_ = std::move(desired);
        return true;
    }
    /// Adds to the value and returns the old one.
    T fetch_add(T summand, Place place = Place::here())
        requires std::is_arithmetic_v<T>
    {
        if (is_real()) {
            return real().fetch_add(summand);
        }
        announce(Access::update, "Shared.fetch_add", place);
        const T old = value_;
        const T sum = static_cast<T>(old + summand);
        on_update(word(sum), "Shared.fetch_add", place);
        tell_unseen_change();
        value_ = sum;
        return old;
    }

    /// As `load` and `store`, but reports know no place.
    operator T() const { return load({}); }
    T operator=(T value) {
        store(value, {});
        return value;
    }

private:
    static constexpr bool has_word = std::is_integral_v<T> || std::is_enum_v<T>;

    static void tell_unseen_change() {
        if constexpr (!has_word) {
            on_unseen_change();
        }
    }
    detail::RealAccess<T> real() const { return detail::RealAccess<T>(value_); }
    /// Returns what of a value goes into the digest: numbers do; the rest may hold addresses.
    static std::uint64_t word(const T& value) {
        if constexpr (has_word) {
            return static_cast<std::uint64_t>(value);
        } else {
            return 0;
        }
    }

    mutable T value_;  // also to be read atomically, which takes a variable
};

}  // namespace mishap
