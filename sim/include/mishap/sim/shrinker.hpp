#pragma once

#include <chrono>
#include <cstdint>

#include <mishap/sim/explorer.hpp>
#include <mishap/sim/run_size.hpp>

namespace mishap {

/// How much a shrink may cost.
struct ShrinkLimits {
    std::uint64_t runs_max = 20'000;
    std::chrono::nanoseconds time_max{0};  // real; 0: no limit
    bool search_from_scratch = true;       // also make every run with fewer mishaps, and every one with as many
};

/// What a shrink arrived at, and how.
struct ShrinkResult {
    Replayed run;            // the simplest failing run found, as it was recorded
    std::uint64_t runs = 0;  // made in all
    RunSize before;
    RunSize after;
    /// No single edit leads to a simpler run that fails in this way: dropping one mishap, taking one class less, moving
    /// one mishap by one question, letting an entity go one step later. False when a limit ended the shrink first.
    bool is_local_minimum = false;
    bool is_minimal = false;  // every run with fewer mishaps was made, and none failed in this way
};

/// Looks for the simplest run that fails as `failure` does.
///
/// Simpler is: fewer mishaps, then a smaller sum of classes, then fewer steps, then smaller from the left. A candidate is
/// judged by what it *recorded*, and kept when its finding has the same signature.
///
/// Three stages. Mishaps are dropped while that helps. Then, unless it would cost too much, every run with fewer mishaps is
/// made, fewest first, and every run with as many: what a failure is shrunk to then depends on the program, not on
/// `failure`. Where that is too much, small passes (`detail/shrink_passes.hpp`) edit the tape until none of them helps,
/// which makes the result a local minimum.
///
/// Source:    MacIver and Donaldson, "Test-Case Reduction via Test-Case Generation", ECOOP 2020, for the idea that only
///            the sequence of choices is edited and the program is run anew on it; Zeller and Hildebrandt, "Simplifying
///            and Isolating Failure-Inducing Input", TSE 2002, for 1-minimality.
ShrinkResult shrink(Program& program, World& world, const Failure& failure, const ShrinkLimits& limits = {});

/// Returns whether the tape of `a` is simpler than that of `b`.
bool is_simpler(const Replayed& a, const Replayed& b);

}  // namespace mishap
