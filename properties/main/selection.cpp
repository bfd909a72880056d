#include "selection.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fnmatch.h>
#include <mishap/sim/detail/tape_words.hpp>
#include <mishap/sim/errors.hpp>

#include "values.hpp"

namespace mishap::detail {

namespace {

std::string suggest(const std::string& name, const std::vector<Scenario>& scenarios) {
    std::vector<std::string> names;
    for (const Scenario& scenario : scenarios) {
        names.push_back(scenario.name);
    }
    const std::vector<std::string> close = close_matches(name, names);
    return close.empty() ? " The command list names those there are." : did_you_mean(close);
}

bool is_match(const std::string& pattern, const std::string& name) {
    return pattern.find_first_of("*?[") != std::string::npos ? ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0
                                                             : name.find(pattern) != std::string::npos;
}

}  // namespace

std::vector<Scenario> select_scenarios(const std::vector<std::string>& patterns) {
    const std::vector<Scenario> scenarios = all_scenarios();
    if (scenarios.empty()) {
        throw UsageError("This program has no scenario; define one with MISHAP_SCENARIO(\"name\") { ... }.");
    }
    if (patterns.empty()) {
        return scenarios;
    }
    std::vector<bool> is_selected(scenarios.size(), false);
    for (const std::string& pattern : patterns) {
        // A whole name means that scenario alone, not also those that have the name in theirs.
        const bool is_name = std::any_of(scenarios.begin(), scenarios.end(),
                                         [&](const Scenario& scenario) { return scenario.name == pattern; });
        bool found = false;
        for (std::size_t i = 0; i < scenarios.size(); ++i) {
            const std::string& name = scenarios[i].name;
            if (is_name ? name == pattern : is_match(pattern, name)) {
                is_selected[i] = found = true;
            }
        }
        if (!found) {
            throw UsageError(fmt::format("No scenario matches {}.{}", in_quotes(pattern), suggest(pattern, scenarios)));
        }
    }
    std::vector<Scenario> selected;
    for (std::size_t i = 0; i < scenarios.size(); ++i) {
        if (is_selected[i]) {
            selected.push_back(scenarios[i]);
        }
    }
    return selected;
}

Scenario find_scenario(const std::string& name, std::string_view source) {
    const std::vector<Scenario> scenarios = all_scenarios();
    for (const Scenario& scenario : scenarios) {
        if (scenario.name == name || (name.empty() && scenarios.size() == 1)) {
            return scenario;
        }
    }
    if (name.empty()) {
        throw UsageError(fmt::format("{} names no scenario, and this program has {}; it was made by explore() or check() in "
                                     "another program, where replay() takes it.",
                                     source, scenarios.size()));
    }
    throw UsageError(fmt::format("{} belongs to the scenario {}, which this program does not have.{}", source, in_quotes(name),
                                 suggest(name, scenarios)));
}

}  // namespace mishap::detail
