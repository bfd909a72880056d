#pragma once

#include <string>
#include <vector>

#include <mishap/sim/trace.hpp>
#include <mishap/sim/explorer.hpp>

namespace mishap::detail {

/// A traced run: what was recorded, every event, and the names to tell them with.
struct TracedRun {
    Replayed run;
    std::vector<TraceEvent> events;
    Names names;
};

/// Plays `mishaps`, or a whole tape strictly, and keeps the trace. With `moved` not 0, heap and stacks lie
/// elsewhere than before, with each number somewhere else.
TracedRun trace_mishaps(Program& program, World& world, const MishapList& mishaps, unsigned moved,
                        MishapPlayback::Match match = MishapPlayback::Match::exact);
TracedRun trace_tape(Program& program, World& world, std::span<const Choice> tape, unsigned moved);

/// Plays `prefix` as far as it fits and goes on calmly, and keeps the trace.
TracedRun trace_prefix(Program& program, World& world, std::span<const Choice> prefix, unsigned moved = 0);

/// Returns the finding that two runs of one tape differ: at which event, how, and what the likely cause is.
Finding explain_divergence(const TracedRun& one, const TracedRun& other, const std::string& when);
/// As above, where the other run was made in another process, which sent its events in words.
Finding explain_divergence(const TracedRun& one, const std::vector<std::string>& other, const std::string& when);

}  // namespace mishap::detail
