#pragma once

#include <cstdint>
#include <string>

#include <mishap/sim/explorer.hpp>

namespace mishap {

/// How much a shrink may cost.
struct ShrinkLimits {
    std::uint64_t runs_max = 20'000;
};

/// What a shrink arrived at, and how.
struct ShrinkResult {
    Replayed run;                     // the simplest failing run found, as it was recorded
    std::uint64_t runs = 0;           // made in all
    std::size_t mishaps_before = 0;
    std::uint64_t steps_before = 0;
    bool is_minimal = false;          // every run with fewer mishaps was made, and none failed in this way
};

/// Looks for the simplest run that fails as `failure` does.
///
/// Simpler is: fewer mishaps, then a smaller sum of classes, then fewer steps, then smaller from the left. A candidate is
/// judged by what it *recorded*, and kept when its finding has the same signature. Passes, each small and each repeated
/// while it helps: drop mishaps (halves first, then single ones), search for fewer mishaps from scratch, lower classes,
/// move mishaps later. In the end, if the budget allows, the simplest of all that are as short is chosen, so that the result
/// depends on the program and not on `failure`.
///
/// Source:    MacIver and Donaldson, "Test-Case Reduction via Test-Case Generation", ECOOP 2020, for the idea that only
///            the sequence of choices is edited and the program is run anew on it.
ShrinkResult shrink(Program& program, World& world, const Failure& failure, const ShrinkLimits& limits = {});

/// Returns whether the tape of `a` is simpler than that of `b`.
bool is_simpler(const Replayed& a, const Replayed& b);

}  // namespace mishap
