#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <mishap/mishap.hpp>
#include <mishap/sim/explorer.hpp>

#include "bug.hpp"
#include "support/catch.hpp"

namespace {

using namespace mishap;
using bugs::Bug;

/// Returns the scenario `<id>/<half>`.
Scenario scenario_of(const Bug& bug, std::string_view half) {
    const std::string name = std::string(bug.id) + "/" + std::string(half);
    const std::vector<Scenario> scenarios = all_scenarios();
    const auto found = std::find_if(scenarios.begin(), scenarios.end(),
                                    [&](const Scenario& scenario) { return scenario.name == name; });
    REQUIRE(found != scenarios.end());
    return *found;
}

bool passes_calmly(const Scenario& scenario) {
    ExploreOptions options = scenario.options;
    options.runs_max = 1;
    options.strategy = Strategy::exhaustive;  // whose first run is the calm one
    options.shrink = false;
    return explore(scenario.body, options).passed();
}

void check_buggy(const Bug& bug) {
    const Scenario scenario = scenario_of(bug, "buggy");
    INFO(scenario.name);
    CHECK(passes_calmly(scenario) != bug.is_calm);
    CHECK(scenario.options.strategy == Strategy::automatic);
    CHECK(scenario.options.runs_max == 10'000);
    const Report report = explore(scenario.body, scenario.options);
    REQUIRE(report.finding.has_value());
    INFO(report.to_text());
    CHECK(report.finding->kind == bug.finding);
    if (bug.finding == FindingKind::check) {
        CHECK(report.finding->label == bugs::text(bug.invariant));
    }
    REQUIRE(report.shrunk.has_value());
    CHECK(report.shrunk->is_minimal);
    const Report again = replay(report.replay_line, scenario.body, scenario.options);
    REQUIRE(again.finding.has_value());
    CHECK(again.finding->signature() == report.finding->signature());
    CHECK(again.matched == again.wanted);
}

void check_fixed(const Bug& bug) {
    const Scenario scenario = scenario_of(bug, "fixed");
    INFO(scenario.name);
    const Report report = explore(scenario.body, scenario.options);
    INFO(report.to_text());
    CHECK(report.passed());
    CHECK((report.search.is_exhausted || report.search.runs >= 10'000));
}

}  // namespace

TEST_CASE("every bug is found, shrunk and replayed, and its repair passes", "[each]") {
    for (const Bug& bug : bugs::all_bugs()) {
        DYNAMIC_SECTION(bug.id) {
            check_buggy(bug);
            check_fixed(bug);
        }
    }
}

TEST_CASE("a bug and its repair are explored in the same way") {
    for (const Bug& bug : bugs::all_bugs()) {
        INFO(bug.id);
        const ExploreOptions buggy = scenario_of(bug, "buggy").options;
        const ExploreOptions fixed = scenario_of(bug, "fixed").options;
        CHECK(buggy.order == fixed.order);
        CHECK(buggy.cancellations == fixed.cancellations);
        CHECK(buggy.forced_yields == fixed.forced_yields);
        CHECK(buggy.time_passes == fixed.time_passes);
        CHECK(buggy.timer_slack == fixed.timer_slack);
        CHECK(buggy.steps_max == fixed.steps_max);
        CHECK(buggy.runs_max == fixed.runs_max);
        CHECK(buggy.strategy == fixed.strategy);
    }
}

TEST_CASE("files, bugs and scenarios are one to one") {
    std::set<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(MISHAP_SOURCE_DIR "/tests/bugs")) {
        const std::string stem = entry.path().stem().string();
        if (entry.path().extension() == ".cpp" && stem.find('-') != std::string::npos) {
            files.insert(stem);
        }
    }
    std::set<std::string> ids;
    for (const Bug& bug : bugs::all_bugs()) {
        ids.insert(std::string(bug.id));
    }
    CHECK(files == ids);
    CHECK(all_scenarios().size() == 2 * ids.size());
}

TEST_CASE("docs/bugs.md lists the bugs that there are") {
    std::ifstream file(MISHAP_SOURCE_DIR "/docs/bugs.md");
    std::ostringstream page;
    page << file.rdbuf();
    INFO("bring it up to date: mishap_bugs_table > docs/bugs.md");
    CHECK(page.str() == bugs::bugs_page());
}
