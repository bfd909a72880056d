// Prints a table of docs/exploration.md: how many runs each strategy needs for each bug of the corpus.
//
// mishap_bugs_strategies [SEEDS]    (default: 10)

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <mishap/mishap.hpp>
#include <mishap/sim/make_strategy.hpp>
#include <mishap/sim/random_walk.hpp>
#include <mishap/sim/swarm.hpp>

#include "bug.hpp"
#include "exploration/search_cost.hpp"

namespace {

using namespace mishap;
using test::SearchCost;

constexpr std::uint64_t runs_max = 10'000;
constexpr Strategy::Kind kinds[] = {Strategy::random, Strategy::pct,         Strategy::pos,
                                    Strategy::surw,   Strategy::preemptions, Strategy::automatic};

std::string text(const SearchCost& cost) {
    return cost.has_found_all() ? fmt::format("{:.1f}", cost.mean()) : "-";
}

const Scenario& scenario_of(const std::vector<Scenario>& scenarios, const bugs::Bug& bug) {
    const std::string name = std::string(bug.id) + "/buggy";
    return *std::find_if(scenarios.begin(), scenarios.end(), [&](const Scenario& it) { return it.name == name; });
}

/// Counts the mishaps that the shrunk failure is left with.
std::uint64_t mishaps_of(const Scenario& scenario) {
    ExploreOptions options = scenario.options;
    options.confirm_in_child = false;
    options.root_cause = false;
    const Report report = explore(scenario.body, options);
    return report.shrunk.has_value() ? report.shrunk->after.mishaps : 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::uint64_t seeds = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10;
    const std::vector<Scenario> scenarios = all_scenarios();
    const std::vector<bugs::Bug> all = bugs::all_bugs();
    fmt::print("| bug |");
    for (const Strategy::Kind kind : kinds) {
        fmt::print(" {} |", describe(kind).name);
    }
    fmt::print(" random in a swarm | mishaps |\n|---|");
    for (std::size_t i = 0; i < std::size(kinds) + 2; ++i) {
        fmt::print("---:|");
    }
    fmt::print("\n");
    std::uint64_t found = 0;
    std::uint64_t compared = 0;
    double log_of_swarm = 0;
    for (const bugs::Bug& bug : all) {
        const Scenario& scenario = scenario_of(scenarios, bug);
        test::Played played(scenario.body, scenario.options);
        fmt::print("| {} |", bug.id);
        SearchCost random;
        SearchCost cost;
        for (const Strategy::Kind kind : kinds) {
            cost = test::search_cost(played, kind, seeds, runs_max);
            if (kind == Strategy::random) {
                random = cost;
            }
            fmt::print(" {} |", text(cost));
        }
        found += cost.has_found_all() ? 1U : 0U;
        const SearchCost swarm = test::search_cost(
            played,
            [](std::uint64_t seed) { return std::make_unique<Swarm>(std::make_unique<RandomWalk>(seed), seed); }, seeds,
            runs_max);
        if (swarm.has_found_all() && random.has_found_all()) {
            log_of_swarm += std::log(swarm.mean() / random.mean());
            ++compared;
        }
        fmt::print(" {} | {} |\n", text(swarm), mishaps_of(scenario));
        std::fflush(stdout);
    }
    fmt::print("\nThe automatic search found {} of {} bugs from every one of {} seeds. In a swarm a random walk needs {:.2f} times "
               "the runs (geometric mean of {} bugs).\n",
               found, all.size(), seeds, std::exp(log_of_swarm / static_cast<double>(compared)), compared);
    return found == all.size() ? 0 : 1;
}
