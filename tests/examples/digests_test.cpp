#include "scenario_runs.hpp"

#include <cstdio>
#include <string>
#include <string_view>

#include <mishap/sim/digest.hpp>

#include "known_digests.hpp"
#include "support/catch.hpp"

namespace {

using namespace mishap;
using mishap::test::ScenarioRuns;

constexpr std::uint64_t seeded_runs = 100;

/// Returns a row as known_digests.hpp has it.
std::string row(std::string_view scenario, std::uint64_t calm, std::uint64_t seeded) {
    char text[200];
    std::snprintf(text, sizeof text, "    {\"%s\", 0x%016llx, 0x%016llx},\n", std::string(scenario).c_str(),
                  static_cast<unsigned long long>(calm), static_cast<unsigned long long>(seeded));
    return text;
}

std::string row_of(const Scenario& scenario) {
    ScenarioRuns runs(scenario);
    const std::uint64_t calm = runs.run_calmly().digest;
    Digest seeded;
    for (std::uint64_t number = 0; number < seeded_runs; ++number) {
        runs.run_at_random(1, number);
        seeded.fold(runs.digest());
    }
    return row(scenario.name, calm, seeded.value());
}

}  // namespace

TEST_CASE("the runs of the examples have the digests that they always had") {
    std::string rows;
    std::string known;
    for (const Scenario& scenario : all_scenarios()) {
        rows += row_of(scenario);
    }
    for (const KnownDigest& digest : known_digests) {
        known += row(digest.scenario, digest.calm, digest.seeded);
    }
    if (rows != known) {
        std::fputs(rows.c_str(), stdout);  // the framework would wrap the lines
    }
    CHECK((rows == known));
}
