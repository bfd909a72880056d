#pragma once

#include <cstdint>

namespace mishap::detail {

/// Returns the monotonic time of the operating system in nanoseconds. The library's one home of real time.
std::int64_t monotonic_now_ns();

}  // namespace mishap::detail
