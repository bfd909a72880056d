#pragma once

#include <stdexcept>
#include <string>

namespace mishap {

/// Says that the caller broke a documented rule, and what to do instead.
class UsageError : public std::logic_error {
public:
    explicit UsageError(const std::string& what) : std::logic_error(what) {}
};

namespace detail {

[[noreturn]] void invariant_failed(const char* why);

/// Ends the process with "mishap bug" when the library contradicts itself; `why` says why `holds` must hold.
inline void invariant(bool holds, const char* why) {
    if (!holds) [[unlikely]] {
        invariant_failed(why);
    }
}

}  // namespace detail
}  // namespace mishap
