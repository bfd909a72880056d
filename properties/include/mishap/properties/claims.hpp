#pragma once

#include <string_view>

#include <mishap/sim/place.hpp>

namespace mishap {

/// Claims that `holds` is true whenever this is reached. A false claim is a finding, and the task stops here.
///
/// Outside a simulated run a false claim throws std::logic_error.
void always(bool holds, std::string_view text, Place place = Place::here());

/// Claims that this is never reached.
void unreachable(std::string_view text, Place place = Place::here());

/// Names a place in the program, for the story and for scripted schedules (mishap/sim/script.hpp). It is no place where a task
/// could be interrupted, takes no part in digests, and costs a look when nobody observes.
void checkpoint(std::string_view text, Place place = Place::here());

}  // namespace mishap
