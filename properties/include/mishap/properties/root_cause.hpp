#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mishap/properties/story_row.hpp>
#include <mishap/sim/explorer.hpp>
#include <mishap/sim/mishap_text.hpp>

namespace mishap {

/// How much an explanation may cost. Both are counts, so that what it says does not depend on the machine.
struct RootCauseLimits {
    std::uint64_t seed = 0;
    std::uint64_t runs_max = 2'000;
    std::uint64_t steps_max = 2'000'000;  // in all runs together; the last run may go beyond
};

/// Where a failing run was lost, and how near it came to ending well.
struct RootCause {
    /// How often a run fails in the same way when it begins with the first `kept` answers and goes on at random.
    struct Estimate {
        std::size_t kept = 0;
        std::uint64_t runs = 0;
        std::uint64_t failures = 0;

        /// Returns the share of failures in hundredths, rounded down: 100 means that every run failed.
        std::uint64_t percent() const { return failures * 100 / runs; }
    };

    /// One answer, and what it did to the chances.
    struct Jump {
        Estimate before;
        Estimate after;       // with one answer more, unless the runs did not suffice to tell which of several it was
        std::size_t row = 0;  // of the story, from 0
        std::string what;     // that row in words
    };

    /// A run that ends well and differs as little as possible.
    struct Passing {
        Tape tape;
        std::vector<MishapText> removed;  // mishaps of the failing run that it does not have
        std::vector<MishapText> added;    // and the other way round
        std::size_t rows_common = 0;      // steps until the two runs part
        std::vector<StoryRow> failing;    // what the failing run did from there on
        std::vector<StoryRow> passing;    // and this one
    };

    std::vector<Estimate> curve;  // by `kept`, rising; the last is the whole tape
    std::size_t rows = 0;         // of the failing run's story
    std::optional<Jump> inevitable;  // from here on at least 90 % of the runs fail; none: they do from the start
    std::optional<Jump> largest;     // the answer that changed the chances most; none when there is no answer
    std::optional<Passing> closest;  // none: no run that passes was seen
    std::uint64_t runs = 0;          // made in all

    bool is_inevitable_from_the_start() const { return !inevitable.has_value(); }

    /// Returns a few lines for a report.
    std::string to_text() const;
};

/// Re-rolls a failing run: keeps its first answers and answers the rest at random, for many places, to see where the failure
/// became inevitable. Looks for the closest passing run among these and among those that differ in one answer.
///
/// Chances are estimates, from 8 to some 200 runs each: 1.00 means that every run failed that was made. On a long tape only
/// some places are tried and the largest change between two of them is followed up, so that a change that is undone in
/// between can be missed. Deterministic for a seed.
RootCause explain_root_cause(Program& program, World& world, const Replayed& failing, const RootCauseLimits& limits);

}  // namespace mishap
