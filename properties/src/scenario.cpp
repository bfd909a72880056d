#include <mishap/properties/scenario.hpp>

#include <algorithm>

#include <fmt/format.h>
#include <mishap/sim/errors.hpp>

namespace mishap {

namespace {

std::vector<Scenario>& registered() {
    static std::vector<Scenario> scenarios;
    return scenarios;
}

}  // namespace

std::vector<Scenario> all_scenarios() {
    std::vector<Scenario> scenarios = registered();
    // Registration order depends on the linker; names do not.
    std::sort(scenarios.begin(), scenarios.end(), [](const Scenario& a, const Scenario& b) { return a.name < b.name; });
    const auto twice = std::adjacent_find(scenarios.begin(), scenarios.end(),
                                          [](const Scenario& a, const Scenario& b) { return a.name == b.name; });
    if (twice != scenarios.end()) {
        throw UsageError(fmt::format("two scenarios are called \"{}\" ({}:{} and {}:{}); give each its own name", twice->name,
                                     twice->place.file, twice->place.line, (twice + 1)->place.file, (twice + 1)->place.line));
    }
    return scenarios;
}

std::function<void()> scenario_body(std::string_view name) {
    for (const Scenario& scenario : registered()) {
        if (scenario.name == name) {
            return scenario.body;
        }
    }
    throw UsageError(fmt::format("no scenario is called \"{}\"; link the file that defines it", name));
}

namespace detail {

ScenarioRegistration::ScenarioRegistration(const char* name, void (*body)(), ExploreOptions options, Place place) {
    options.name = name;
    registered().push_back({name, std::move(options), body, place});
}

}  // namespace detail
}  // namespace mishap
