#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mishap/properties/root_cause.hpp>
#include <mishap/properties/story_row.hpp>
#include <mishap/sim/explorer.hpp>
#include <mishap/sim/mishap_text.hpp>
#include <mishap/sim/shrinker.hpp>

namespace mishap {

/// What a search has to say.
struct Report {
    std::string name;
    SearchResult search;
    std::uint64_t seed = 0;
    std::string strategy;
    std::string promises;  // what the claim "all" rests on

    std::optional<Finding> finding;  // of the shrunk run; none: every run passed
    std::optional<ShrinkResult> shrunk;
    std::optional<RootCause> root_cause;  // of the shrunk run, when that was asked for
    std::vector<MishapText> mishaps;  // of the shrunk run
    std::vector<StoryRow> story;
    std::string replay_line;  // or a file's name when the line would be too long
    std::string tape_path;    // where the tape was written; empty: nowhere
    std::optional<Replayed> run;  // the shrunk or replayed run as recorded
    std::size_t matched = 0;      // of a replay: how many mishaps still found their place
    std::size_t wanted = 0;       // and how many the line has
    std::vector<Note> notes;

    /// Returns whether nothing is wrong.
    bool passed() const { return !finding.has_value(); }
    /// Returns whether the harness or the program's determinism is at fault, not the program's logic.
    bool is_divergence() const { return finding.has_value() && finding->kind == FindingKind::divergence; }

    /// Returns the whole report as text; the replay line stands alone on its line, after `replay_command` if there is one:
    /// with "./bank replay" the line can be pasted into a shell.
    std::string to_text(std::string_view replay_command = {}) const;
    /// Returns one line: "all 20 orders pass (3 distinct fingerprints)", or what failed.
    std::string headline() const;
};

}  // namespace mishap
