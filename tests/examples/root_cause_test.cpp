// What a report says of the place where a bug of the examples became inevitable.

#include "failing_programs.hpp"
#include "scenario_runs.hpp"

#include <mishap/properties/root_cause.hpp>

#include "expected.hpp"
#include "support/catch.hpp"

namespace {

using namespace mishap;

Report explore_example(std::string_view name) {
    for (const Scenario& scenario : all_scenarios()) {
        if (scenario.name == name) {
            return explore(scenario.body, scenario.options);
        }
    }
    return {};
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

void check_explained(const Scenario& scenario) {
    INFO(scenario.name);
    ExploreOptions options = scenario.options;
    options.confirm_in_child = false;
    const Report report = explore(scenario.body, options);
    REQUIRE(report.root_cause.has_value());
    const RootCause& cause = *report.root_cause;
    REQUIRE(cause.inevitable.has_value());
    CHECK(cause.inevitable->before.percent() < 90);
    CHECK(cause.inevitable->after.percent() >= 90);
    CHECK(cause.inevitable->after.kept == cause.inevitable->before.kept + 1);
    CHECK(cause.rows == report.story.size());
    CHECK(contains(cause.inevitable->what, report.story.at(cause.inevitable->row).who));
    REQUIRE(cause.closest.has_value());
    mishap::test::ScenarioRuns runs(scenario);
    const Replayed closest = runs.play(cause.closest->tape);
    CHECK_FALSE(closest.finding.has_value());
    CHECK_FALSE(closest.mismatch.has_value());
    CHECK(cause.closest->removed.size() + cause.closest->added.size() > 0);
    CHECK(cause.closest->rows_common + cause.closest->failing.size() == report.story.size());
}

}  // namespace

TEST_CASE("a lost update becomes inevitable when the second task reads before the first has written") {
    const Report report = explore_example("counter/unsafe");
    REQUIRE(report.root_cause.has_value());
    REQUIRE(report.root_cause->inevitable.has_value());
    CHECK(report.root_cause->inevitable->row == 3);
    CHECK(contains(report.root_cause->inevitable->what, "main/adder~2#2 goes on; Shared.load main/counter#1; gives way"));
    REQUIRE(report.root_cause->closest.has_value());
    CHECK(contains(report.root_cause->closest->passing.front().did, "Shared.store main/counter#1 = 1"));
}

TEST_CASE("the philosophers starve from the step in which the last fork is taken") {
    const Report report = explore_example("philosophers/greedy");
    REQUIRE(report.root_cause.has_value());
    REQUIRE(report.root_cause->inevitable.has_value());
    CHECK(contains(report.root_cause->inevitable->what, "main/philosopher2#3 goes on; Lock.acquire main/fork2#3; gives way"));
    CHECK(report.root_cause->inevitable->after.percent() == 100);
}

TEST_CASE("every bug has a step that makes it inevitable and a passing run beside it") {
    for (const Scenario& scenario : all_scenarios()) {
        const Expected* const expected = find_expected(scenario.name);
        if (expected != nullptr && expected->finding.has_value()) {
            check_explained(scenario);
        }
    }
    for (const Scenario& scenario : mishap::test::failing_programs()) {
        check_explained(scenario);
    }
}
