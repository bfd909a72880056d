#pragma once

#include <cstdint>

namespace mishap::detail {

/// What steps touch: the base of futures, primitives, task control cells and shared variables.
///
/// Besides its key it carries the state of the interleaving's fingerprint: the hash of the last write and the sum of
/// the hashes of the reads since, so that an access costs constant time and reads commute.
struct Tracked {
    std::uint64_t key = 0;
    std::uint64_t write_hash = 0;
    std::uint64_t reads_sum = 0;
};

}  // namespace mishap::detail
