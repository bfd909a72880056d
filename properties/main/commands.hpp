#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "outcome.hpp"
#include "settings.hpp"

namespace mishap::detail {

// What the program can be asked to do. `replay_command` is what a replay line has to stand behind in a shell.
//
// Throws:    UsageError.

ExitCode list_scenarios(const std::vector<std::string>& patterns);
ExitCode run_scenarios(const std::vector<std::string>& patterns, const Settings& settings, std::string_view replay_command);
/// With `exports`, prints the failure as C++ in place of the report.
ExitCode replay_scenario(const std::string& replayed, const Settings& settings, std::string_view replay_command,
                         bool exports);

}  // namespace mishap::detail
