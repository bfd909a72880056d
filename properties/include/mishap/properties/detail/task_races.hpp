#pragma once

#include <vector>

#include <mishap/sim/finding.hpp>
#include <mishap/sim/path.hpp>
#include <mishap/sim/trace.hpp>

namespace mishap::detail {

/// Returns a note for each `Shared` that two tasks of the traced run use, one of them writing, where nothing orders the two.
///
/// Tasks take turns, so this is no data race, and a run cannot fail by it; but who comes first is left to the schedule. A
/// step comes after the step that made its entity ready, and after whoever wrote a future or primitive that it uses.
/// For runs without threads.
std::vector<Note> find_task_races(const std::vector<TraceEvent>& events, const Names& names);

}  // namespace mishap::detail
