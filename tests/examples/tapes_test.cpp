#include "scenario_runs.hpp"

#include "support/catch.hpp"

namespace {

using namespace mishap;
using mishap::test::ScenarioRuns;

constexpr std::uint64_t tapes_in_all = 10'000;

}  // namespace

TEST_CASE("10000 tapes of the examples replay without divergence in one process") {
    const std::vector<Scenario> scenarios = all_scenarios();
    const std::uint64_t tapes_each = tapes_in_all / scenarios.size() + 1;
    std::uint64_t divergences = 0;
    for (const Scenario& scenario : scenarios) {
        ScenarioRuns recording(scenario);
        ScenarioRuns playing(scenario);  // another world, whose objects lie elsewhere
        for (std::uint64_t number = 0; number < tapes_each; ++number) {
            recording.run_at_random(1, number);
            const Replayed replayed = playing.play(recording.tape());
            if (replayed.mismatch.has_value() || replayed.digest != recording.digest()) {
                INFO(scenario.name << ", run " << number);
                ++divergences;
                CHECK(replayed.digest == recording.digest());
            }
        }
    }
    CHECK(divergences == 0);
}
