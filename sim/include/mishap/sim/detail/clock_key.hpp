#pragma once

#include <cstdint>

#include <mishap/sim/path.hpp>

namespace mishap::detail {

/// The key of the clock, an entity whose steps are moves of the time.
inline constexpr std::uint64_t clock_key = child_key(outside_key, hash_text("time"), 0);

}  // namespace mishap::detail
