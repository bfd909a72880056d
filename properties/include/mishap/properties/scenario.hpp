#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <mishap/properties/claims.hpp>
#include <mishap/properties/explore.hpp>

namespace mishap {

/// A program under test that has a name, and the options it is explored with.
struct Scenario {
    std::string name;
    ExploreOptions options;
    void (*body)() = nullptr;
    Place place;
};

/// Returns the scenarios of this executable, by name.
///
/// Throws:    UsageError when two have one name.
std::vector<Scenario> all_scenarios();

/// Returns what the scenario called `name` runs, for tests that play one schedule of it.
///
/// Throws:    UsageError when there is none of that name.
std::function<void()> scenario_body(std::string_view name);

namespace detail {

/// Registers a scenario before `main` begins.
class ScenarioRegistration {
public:
    ScenarioRegistration(const char* name, void (*body)(), ExploreOptions options, Place place = Place::here());
};

}  // namespace detail

#define MISHAP_JOIN_(a, b) a##b
#define MISHAP_JOIN(a, b) MISHAP_JOIN_(a, b)

/// Defines a program under test: `MISHAP_SCENARIO("bank/transfer", .cancellations = 1) { ... }`. What follows the name are
/// members of ExploreOptions, in their order. Link `mishap::main` for the command line.
#define MISHAP_SCENARIO(name, ...)                                                                                  \
    static void MISHAP_JOIN(mishap_scenario_, __LINE__)();                                                          \
    static const ::mishap::detail::ScenarioRegistration MISHAP_JOIN(mishap_registration_, __LINE__){                \
        name, &MISHAP_JOIN(mishap_scenario_, __LINE__), ::mishap::ExploreOptions{__VA_ARGS__}};                     \
    static void MISHAP_JOIN(mishap_scenario_, __LINE__)()

}  // namespace mishap
