#pragma once

#include <chrono>
#include <cstdint>

namespace mishap {

/// The clock of the running loop: whole nanoseconds since the run began.
///
/// In a simulated world it moves only when nothing is ready; in the real world it follows the monotonic clock.
/// Its time points are a type of their own, so that they cannot be compared with those of a real clock.
struct VirtualClock {
    using rep = std::int64_t;
    using period = std::nano;
    using duration = std::chrono::duration<rep, period>;
    using time_point = std::chrono::time_point<VirtualClock>;
    static constexpr bool is_steady = true;

    /// Returns the time of the world that runs on this thread.
    ///
    /// Throws:    UsageError when no world runs on this thread.
    static time_point now();
};

using VirtualTime = VirtualClock::time_point;

}  // namespace mishap
