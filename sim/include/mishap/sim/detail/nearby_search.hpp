#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <span>
#include <vector>

#include <mishap/sim/explorer.hpp>
#include <mishap/sim/script.hpp>

namespace mishap::detail {

/// Makes runs that differ in a few answers from a run on a script, best first. An answer costs a little, and the more the
/// further it is from the recorded mishaps; least costs an entity that goes on where a recorded mishap had it go.
///
/// A run is a beginning that is given, answer by answer, and behind it the script as far as it fits. Every question behind
/// the beginning that could have been answered otherwise makes another run.
class NearbySearch {
public:
    /// Costs are measured by the distance to `mishaps`.
    NearbySearch(Program& program, World& world, MishapList mishaps);

    /// Adds a run to begin from. `cost` ranks it among the others.
    void add(Script script, std::uint32_t cost);

    /// Makes the next run; returns nothing when there is no other within reach.
    std::optional<Replayed> next();

private:
    struct Deviation {
        std::uint32_t depth = 0;
        std::uint32_t taken = 0;
        std::uint32_t cost = 0;
    };
    struct Node {
        std::uint32_t cost = 0;
        std::uint64_t number = 0;  // of two that cost the same, the older goes first
        std::shared_ptr<const Script> script;
        std::shared_ptr<const Tape> tape;  // the first `depth` answers are its, then comes `taken`; null: no beginning
        std::uint32_t depth = 0;
        std::uint32_t taken = 0;

        friend bool operator>(const Node& a, const Node& b) {
            return a.cost != b.cost ? a.cost > b.cost : a.number > b.number;
        }
    };
    class Playback;

    std::uint32_t cost_of(const Question& question, std::uint32_t taken) const;
    std::uint32_t cost_of_candidate(const Candidate& candidate, const Candidate& calm) const;

    Program& program_;
    World& world_;
    MishapList mishaps_;
    std::priority_queue<Node, std::vector<Node>, std::greater<>> nodes_;
    std::uint64_t nodes_made_ = 0;
    std::set<std::uint64_t> digests_;  // of runs that were made: a second way to the same run leads to the same others
};

}  // namespace mishap::detail
