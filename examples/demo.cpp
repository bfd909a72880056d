// Explores every example: the bugs must be found, shrunk and replayed, and the repaired twins must pass in every order.
//
// Exit codes: 0 when all is as expected, 1 when it is not.

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <mishap/mishap.hpp>

#include "expected.hpp"

namespace {

using namespace mishap;

constexpr std::string_view shown_in_full[] = {"lock_baton/dropped", "philosophers/greedy"};

std::string mishaps_of(const Report& report) {
    std::string text;
    for (const MishapText& mishap : report.mishaps) {
        text += (text.empty() ? "" : ", ") + to_text(mishap);
    }
    return text;
}

/// Returns whether the program passes as asyncio would run it: then it takes a mishap to fail.
bool passes_calmly(const Scenario& scenario) {
    ExploreOptions options = scenario.options;
    options.strategy = Strategy::exhaustive;  // whose first run is the calm one
    options.runs_max = 1;
    options.shrink = false;
    return explore(scenario.body, options).passed();
}

/// Returns whether the line of the report leads to the same failure again.
bool is_replayed(const Scenario& scenario, const Report& report) {
    const Report again = replay(report.replay_line, scenario.body, scenario.options);
    return again.finding.has_value() && again.finding->signature() == report.finding->signature() &&
           again.matched == again.wanted && again.run->digest == report.run->digest;
}

class Demo {
public:
    bool run() {
        const auto begin = std::chrono::steady_clock::now();
        const std::vector<Scenario> scenarios = all_scenarios();
        fmt::print("The bugs\n  {:<36}{:<14}{:>6}  {:<10}{:<9}{}\n", "scenario", "finding", "runs", "mishaps", "replayed",
                   "what it takes");
        for (const Scenario& scenario : scenarios) {
            const Expected* const expected = find_expected(scenario.name);
            if (expected == nullptr) {
                complain(scenario.name, "is not in expected.hpp");
            } else if (expected->finding.has_value()) {
                show_bug(scenario, *expected);
            }
        }
        fmt::print("\nThe repaired twins\n");
        for (const Scenario& scenario : scenarios) {
            const Expected* const expected = find_expected(scenario.name);
            if (expected != nullptr && !expected->finding.has_value()) {
                show_twin(scenario);
            }
        }
        fmt::print("\nTwo reports in full\n{}", full_reports_);
        check_all_registered(scenarios);
        const auto elapsed = std::chrono::steady_clock::now() - begin;
        const auto elapsed_ms = std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count();
        fmt::print("\n{} bugs found, shrunk and replayed, {} twins passed in every order: {}.{} s\n", bugs_, twins_,
                   elapsed_ms / 1000, elapsed_ms % 1000 / 100);
        for (const std::string& complaint : complaints_) {
            fmt::print("NOT AS EXPECTED: {}\n", complaint);
        }
        return complaints_.empty();
    }

private:
    void complain(std::string_view scenario, std::string_view what) {
        complaints_.push_back(fmt::format("{} {}", scenario, what));
    }

    void show_bug(const Scenario& scenario, const Expected& expected) {
        const Report report = explore(scenario.body, scenario.options);
        if (!report.finding.has_value() || report.finding->kind != *expected.finding || !report.shrunk.has_value()) {
            complain(scenario.name, "did not fail as it should: " + report.headline());
            return;
        }
        const bool replayed = is_replayed(scenario, report);
        const std::string mishaps = mishaps_of(report);
        fmt::print("  {:<36}{:<14}{:>6}  {:<10}{:<9}{}\n", scenario.name, to_text(report.finding->kind), report.search.runs,
                   fmt::format("{} -> {}", report.shrunk->before.mishaps, report.mishaps.size()), replayed ? "yes" : "NO",
                   mishaps);
        if (!passes_calmly(scenario)) {
            complain(scenario.name, "fails without any mishap");
        } else if (!replayed) {
            complain(scenario.name, "was not replayed by " + report.replay_line);
        } else if (mishaps != expected.mishaps) {
            complain(scenario.name, fmt::format("was shrunk to {} instead of {}", mishaps, expected.mishaps));
        } else {
            ++bugs_;
        }
        if (std::count(std::begin(shown_in_full), std::end(shown_in_full), scenario.name) != 0) {
            full_reports_ += "\n" + report.to_text();
        }
    }

    void show_twin(const Scenario& scenario) {
        const Report report = explore(scenario.body, scenario.options);
        fmt::print("  {:<36}{}\n", scenario.name, report.headline());
        if (report.passed() && report.search.is_exhausted) {
            ++twins_;
        } else {
            complain(scenario.name, "did not pass in every order: " + report.headline());
        }
    }

    void check_all_registered(const std::vector<Scenario>& scenarios) {
        for (const Expected& expected : expectations) {
            if (std::none_of(scenarios.begin(), scenarios.end(),
                             [&](const Scenario& scenario) { return scenario.name == expected.scenario; })) {
                complain(expected.scenario, "is expected but not there");
            }
        }
    }

    int bugs_ = 0;
    int twins_ = 0;
    std::string full_reports_;
    std::vector<std::string> complaints_;
};

}  // namespace

int main() { return Demo().run() ? 0 : 1; }
