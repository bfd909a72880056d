#pragma once

#include <string_view>

#include "outcome.hpp"
#include "settings.hpp"
#include "terminal.hpp"

namespace mishap::detail {

/// Explores `scenario` in as many processes as the settings say.
Outcome search_scenario(const Scenario& scenario, const Settings& settings, std::string_view replay_command,
                        ProgressLine& progress);

}  // namespace mishap::detail
