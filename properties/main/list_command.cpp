#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "commands.hpp"
#include "selection.hpp"

namespace mishap::detail {

ExitCode list_scenarios(const std::vector<std::string>& patterns) {
    const std::vector<Scenario> scenarios = select_scenarios(patterns);
    std::size_t width = 0;
    for (const Scenario& scenario : scenarios) {
        width = std::max(width, scenario.name.size());
    }
    for (const Scenario& scenario : scenarios) {
        std::fputs(
            fmt::format("{:<{}}  {}:{}\n", scenario.name, width, scenario.place.file, scenario.place.line).c_str(), stdout);
    }
    return exit_clean;
}

}  // namespace mishap::detail
