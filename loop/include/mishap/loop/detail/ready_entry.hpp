#pragma once

#include <cstdint>

namespace mishap::detail {

/// Knows its place in a ReadySet; to be embedded in whatever can become ready.
struct ReadyEntry {
    static constexpr std::uint32_t nowhere = ~std::uint32_t{0};
    std::uint32_t ready_slot = nowhere;
};

}  // namespace mishap::detail
