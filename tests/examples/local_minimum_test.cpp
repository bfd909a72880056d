// What a shrink arrives at cannot be made simpler by one edit more, whichever run it began with.

#include "failing_programs.hpp"
#include "scenario_runs.hpp"

#include <mishap/sim/shrinker.hpp>

#include "expected.hpp"
#include "support/catch.hpp"
#include "support/single_edits.hpp"

namespace {

using namespace mishap;
using mishap::test::ScenarioRuns;

/// Returns the first failing run of a random search.
std::optional<Failure> find_failure(ScenarioRuns& runs, std::uint64_t seed) {
    RandomWalk walk(seed);
    return Explorer(runs.program(), runs.world()).search(walk, {.runs_max = 3'000}).failure;
}

std::vector<Scenario> all_failing() {
    std::vector<Scenario> scenarios = mishap::test::failing_programs();
    for (const Scenario& scenario : all_scenarios()) {
        const Expected* const expected = find_expected(scenario.name);
        if (expected != nullptr && expected->finding.has_value()) {
            scenarios.push_back(scenario);
        }
    }
    return scenarios;
}

void check_local_minima(const ShrinkLimits& limits) {
    const std::vector<Scenario> scenarios = all_failing();
    CHECK(scenarios.size() >= 25);
    for (const Scenario& scenario : scenarios) {
        ScenarioRuns runs(scenario);
        for (std::uint64_t seed = 1; seed <= 4; ++seed) {
            INFO(scenario.name << ", seed " << seed);
            const std::optional<Failure> failure = find_failure(runs, seed);
            REQUIRE(failure.has_value());
            const ShrinkResult result = shrink(runs.program(), runs.world(), *failure, limits);
            CHECK(result.is_local_minimum);
            REQUIRE(result.run.finding.has_value());
            CHECK(result.run.finding->signature() == failure->finding.signature());
            CHECK(test::simpler_by_one_edit(runs.program(), runs.world(), result.run) == std::vector<std::string>{});
            CHECK(result.after.mishaps <= result.before.mishaps);
            CHECK(result.after.tasks > 0);
        }
    }
}

}  // namespace

TEST_CASE("no single deletion, decrement or move makes a shrunk run simpler") { check_local_minima({}); }

TEST_CASE("passes alone leave no single deletion, decrement or move that makes a run simpler") {
    check_local_minima({.search_from_scratch = false});
}

TEST_CASE("an unshrunk run is no local minimum, so that the test above can fail") {
    int not_minimal = 0;
    for (const Scenario& scenario : all_failing()) {
        ScenarioRuns runs(scenario);
        const std::optional<Failure> failure = find_failure(runs, 1);
        REQUIRE(failure.has_value());
        const Replayed run = replay(runs.program(), runs.world(), failure->tape);
        if (!test::simpler_by_one_edit(runs.program(), runs.world(), run).empty()) {
            ++not_minimal;
        }
    }
    CHECK(not_minimal > 20);
}
