#include <mishap/sim/real_clock.hpp>

#include <chrono>

namespace mishap::detail {

std::int64_t monotonic_now_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

}  // namespace mishap::detail
