#pragma once

#include <string>
#include <vector>

#include <mishap/properties/report.hpp>
#include <mishap/sim/trace.hpp>
#include <mishap/sim/path.hpp>

namespace mishap::detail {

/// Tells a trace as a story: a row a step, with what the step did.
std::vector<StoryRow> tell_story(const std::vector<TraceEvent>& events, const Names& names);

/// Returns one event in words, for the report of a divergence.
std::string describe_event(const TraceEvent& event, const Names& names);

/// Adds to a finding about an exception out of the program where the program had waited last: nobody knows where an
/// exception was thrown once it has arrived, and it cannot have been before that wait.
void tell_last_wait(Finding& finding, const std::vector<TraceEvent>& events);

/// Returns a virtual time in seconds, as short as it is exact: "0.000s", "1.500s", "0.000000001s".
std::string format_time(std::int64_t time_ns);

}  // namespace mishap::detail
