#pragma once

#include <cstdint>

#include <mishap/sim/path.hpp>

namespace mishap::detail {

/// The key of all memory that nobody tracks: every step of a loop may write it, unless the program promises otherwise
/// (`Sharing`).
inline constexpr std::uint64_t unknown_memory_key = child_key(outside_key, hash_text("unknown memory"), 0);

}  // namespace mishap::detail
