#pragma once

#include <cstdint>

namespace mishap {

/// Names a place in source text. Places appear in reports only, never in digests or keys.
struct Place {
    const char* file = "";
    std::uint32_t line = 0;

    /// Returns the place of the caller when it stands as a default argument.
    static constexpr Place here(const char* file = __builtin_FILE(), std::uint32_t line = __builtin_LINE()) {
        return Place{file, line};
    }
};

}  // namespace mishap
