#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mishap/properties/options.hpp>
#include <mishap/properties/root_cause.hpp>
#include <mishap/properties/story_row.hpp>
#include <mishap/sim/explorer.hpp>
#include <mishap/sim/mishap_text.hpp>
#include <mishap/sim/shrinker.hpp>

namespace mishap {

/// What a replay found, compared with what was recorded.
enum class ReplayVerdict : std::uint8_t {
    none,               // this was no replay
    fails,              // whether as recorded nobody knows: a line does not say how its run failed
    same_failure,
    different_failure,
    no_longer_fails
};

const char* to_text(ReplayVerdict verdict);
/// Whether a finding can come about in asyncio's own order too.
struct FifoLegality {
    enum class Verdict : std::uint8_t {
        as_it_is,      // it does, with the same mishaps other than those of scheduling
        other_timings,  // it does when timers come due together, or simulated threads take other turns
        not_seen,      // it did not in the runs that were made
        impossible     // it does not in any run
    };
    Verdict verdict = Verdict::not_seen;
    std::uint64_t runs = 0;
    std::string replay_line;  // of the run in that order that fails, if one does

    /// Returns one line.
    std::string to_text() const;
};

/// An await that is one too many for the program: when it goes wrong, a run fails.
struct SweptFailure {
    std::vector<std::uint64_t> awaits;  // all that make it fail with this signature, by number, from 1
    std::string where;                  // the first of them: operation, place and task
    Finding finding;                    // with that one
    std::string replay_line;            // of that run, not shrunk
};

/// What a sweep has to say beside the report of its first failure.
struct SweepResult {
    Sweep kind = Sweep::off;
    std::uint64_t awaits = 0;      // that were let go wrong, each in turn
    std::uint64_t failed = 0;      // how many of them made a run fail
    bool is_complete = false;      // the program came to its end before the next one, in every schedule tried
    std::vector<SweptFailure> failures;  // one a signature, by first await

    /// Returns one line: "swept 37 awaits (cancel): 35 pass, 2 fail".
    std::string summary() const;
};

/// What a search has to say.
struct Report {
    std::string name;
    SearchResult search;
    std::uint64_t seed = 0;
    std::string strategy;
    std::string promises;  // what the claim "all" rests on
    bool is_pruned = false;  // runs that differ in the order of independent steps only count as one

    std::optional<Finding> finding;  // of the shrunk run; none: every run passed
    std::optional<ShrinkResult> shrunk;
    std::optional<RootCause> root_cause;  // of the shrunk run, when that was asked for
    std::vector<MishapText> mishaps;  // of the shrunk run
    std::vector<StoryRow> story;
    std::string replay_line;  // or a file's name when the line would be too long
    std::string tape_path;    // where the tape was written; empty: nowhere
    std::optional<Replayed> run;  // the shrunk or replayed run as recorded
    ReplayVerdict verdict = ReplayVerdict::none;
    std::size_t matched = 0;      // of a replay: how many mishaps still found a place
    std::size_t moved = 0;        // how many of these another one than they were recorded for
    std::size_t wanted = 0;       // and how many the line has
    std::uint64_t repair_runs = 0;  // made because the mishaps as recorded did not lead to the failure
    Script script;                // the run as constraints; empty: it is calm, or cannot be told so
    std::vector<Note> notes;
    ExploreOptions options;  // with which the failing run was made
    std::optional<SweepResult> swept;  // of a sweep
    std::optional<FifoLegality> fifo;  // of a finding in any order

    /// Returns whether nothing is wrong.
    bool passed() const { return !finding.has_value(); }
    /// Returns whether the harness or the program's determinism is at fault, not the program's logic.
    bool is_divergence() const { return finding.has_value() && finding->kind == FindingKind::divergence; }

    /// Returns the whole report as text; the replay line stands alone on its line, after `replay_command` if there is one:
    /// with "./bank replay" the line can be pasted into a shell.
    std::string to_text(std::string_view replay_command = {}) const;
    /// Returns the failure as C++, to be pasted into a test file: a test case that plays its schedule on `body`, an expression
    /// for the function that was explored. It fails until the failure is repaired.
    std::string to_cpp_test(std::string_view body = "program_under_test") const;
    /// Returns one line: "all 20 orders pass (3 distinct fingerprints)", or what failed.
    std::string headline() const;
};

}  // namespace mishap
