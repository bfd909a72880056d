#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <mishap/sim/explorer.hpp>
#include <mishap/sim/mishap_text.hpp>

namespace mishap {

/// Limits of a repair.
struct RepairLimits {
    std::uint64_t runs_max = 500;
};

/// What a replay arrived at.
struct Repaired {
    Replayed run;             // the run that came closest to the recorded failure
    std::size_t matched = 0;  // recorded mishaps that have a place in it
    std::size_t moved = 0;    // and of these: in another place than they were recorded for
    std::uint64_t runs = 0;   // made in all
    bool is_same = false;     // it fails as recorded; with an unknown signature: it fails
    bool by_search = false;   // and was found by the search, after all that moves and renames mishaps had failed
};

/// Plays `mishaps`, recorded from an earlier version of `program`, until the run fails with `signature` again (empty: until
/// it fails).
///
/// Nearest first: as recorded; then each scheduling mishap as what it says about order ("x before y", whoever else there
/// is); then without step numbers; then with the steps of one entity, or of all that share a name, counted on or back from
/// some step, as after a wait that was put in or taken out; then with other names, for siblings that changed places and for
/// tasks that are gone; and in the end a best-first search over runs that differ in a few answers, where answers near
/// recorded mishaps cost less.
Repaired repair(Program& program, World& world, std::span<const MishapText> mishaps, std::string_view signature = {},
                const RepairLimits& limits = {});

}  // namespace mishap
