#include "scenario_runs.hpp"

#include <algorithm>
#include <iterator>

#include "expected.hpp"
#include "support/catch.hpp"

namespace {

using namespace mishap;
using mishap::test::ScenarioRuns;

template <class F>
void for_each_bug(F f) {
    for (const Scenario& scenario : all_scenarios()) {
        const Expected* const expected = find_expected(scenario.name);
        if (expected != nullptr && expected->finding.has_value()) {
            INFO(scenario.name);
            f(scenario, *expected);
        }
    }
}

std::string mishaps_of(const Report& report) {
    std::string text;
    for (const MishapText& mishap : report.mishaps) {
        text += (text.empty() ? "" : ", ") + to_text(mishap);
    }
    return text;
}

int count_of(std::string_view mishaps) { return 1 + static_cast<int>(std::count(mishaps.begin(), mishaps.end(), ',')); }

}  // namespace

TEST_CASE("every example is expected to do something, and nothing is expected of others") {
    const std::vector<Scenario> scenarios = all_scenarios();
    CHECK(scenarios.size() == std::size(expectations));
    for (const Scenario& scenario : scenarios) {
        INFO(scenario.name);
        CHECK(find_expected(scenario.name) != nullptr);
    }
}

TEST_CASE("the calm run of every example passes") {
    for (const Scenario& scenario : all_scenarios()) {
        INFO(scenario.name);
        CHECK_FALSE(ScenarioRuns(scenario).run_calmly().finding.has_value());
    }
}

TEST_CASE("no run with fewer mishaps than the shrunk one fails") {
    for_each_bug([](const Scenario& scenario, const Expected& expected) {
        CHECK(ScenarioRuns(scenario).fewest_mishaps(*expected.finding, 3) == count_of(expected.mishaps));
    });
}

TEST_CASE("every bug is shrunk to the same tape, whichever run was found first") {
    for_each_bug([](const Scenario& scenario, const Expected& expected) {
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            INFO("seed " << seed);
            ExploreOptions options = scenario.options;
            options.strategy = Strategy::random;
            options.seed = seed;
            options.confirm_in_child = false;
            const Report report = explore(scenario.body, options);
            REQUIRE(report.finding.has_value());
            CHECK(report.finding->kind == *expected.finding);
            CHECK(mishaps_of(report) == expected.mishaps);
            CHECK(report.shrunk->is_minimal);
        }
    });
}

TEST_CASE("a dropped wake-up is shrunk to one injected cancellation") {
    const Expected* const expected = find_expected("lock_baton/dropped");
    REQUIRE(expected != nullptr);
    CHECK(expected->mishaps == "cancel@main/waiter#2");
}

TEST_CASE("the replay line of every bug leads to the same run") {
    for_each_bug([](const Scenario& scenario, const Expected&) {
        const Report report = explore(scenario.body, scenario.options);
        REQUIRE(report.finding.has_value());
        const Report again = replay(report.replay_line, scenario.body, scenario.options);
        REQUIRE(again.finding.has_value());
        CHECK(again.finding->signature() == report.finding->signature());
        CHECK(again.run->digest == report.run->digest);
        CHECK(again.matched == again.wanted);
    });
}

TEST_CASE("every order of every repaired twin passes") {
    for (const Scenario& scenario : all_scenarios()) {
        const Expected* const expected = find_expected(scenario.name);
        if (expected != nullptr && !expected->finding.has_value()) {
            INFO(scenario.name);
            const Report report = explore(scenario.body, scenario.options);
            CHECK(report.passed());
            CHECK(report.search.is_exhausted);
        }
    }
}

TEST_CASE("the deadlock of the philosophers is told with its cycle") {
    for (const Scenario& scenario : all_scenarios()) {
        if (scenario.name == "philosophers/greedy") {
            const std::string text = explore(scenario.body, scenario.options).to_text();
            CHECK(text.find("cycle: main/philosopher0 -> main/philosopher1 -> main/philosopher2 -> main/philosopher0\n") !=
                  std::string::npos);
        }
    }
}
