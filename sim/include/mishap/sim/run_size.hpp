#pragma once

#include <cstdint>
#include <span>

#include <mishap/sim/explorer.hpp>

namespace mishap {

/// How much there is to understand in one run.
struct RunSize {
    std::uint64_t mishaps = 0;
    std::uint64_t switches = 0;  // steps of another entity while the one before could have gone on
    std::uint64_t tasks = 0;     // tasks and threads that made a step
    std::uint64_t faults = 0;    // mishaps that are no matter of order: cancellations, forced yields, faults, chance
    std::uint64_t steps = 0;

    friend bool operator==(const RunSize&, const RunSize&) = default;
};

/// Plays `tape` strictly and measures the run.
RunSize measure_run(Program& program, World& world, std::span<const Choice> tape);

}  // namespace mishap
