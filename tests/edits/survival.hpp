#pragma once

// How many recorded failures still replay after an edit.

#include <cstdint>
#include <string>
#include <vector>

#include "edits.hpp"

namespace mishap::edits {

enum class Fate { replays, lost, no_bug };

/// What became of one fixture's recorded failure after one edit.
struct Outcome {
    std::string fixture;
    Edit edit;
    Fate fate = Fate::lost;
    std::uint64_t repair_runs = 0;
    bool as_recorded = false;  // every mishap fitted where it was recorded
    bool by_search = false;    // none of the moved and renamed mishaps did it, the search did
    bool by_chance = false;    // as many random runs would have found the failure too
};

/// What is on record of a fixture.
struct Recorded {
    std::string line;
    std::string signature;
};

/// Explores a fixture without edits, and takes down its failure.
Recorded record(const Fixture& fixture);

/// Replays the recorded failure in the edited program. Where that does not give the failure, searches for it: an edit that
/// has repaired the bug is nobody's loss.
Outcome replay_edited(const Fixture& fixture, const Recorded& recorded, const Edit& edit);

/// Returns the fate of every fixture under every edit that it has a hook for.
std::vector<Outcome> measure();

/// Returns the tables of docs/replay.md.
std::string to_tables(const std::vector<Outcome>& outcomes);

}  // namespace mishap::edits
