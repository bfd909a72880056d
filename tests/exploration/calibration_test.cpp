#include "exploration/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <mishap/sim/pct.hpp>
#include <mishap/sim/pos.hpp>
#include <mishap/sim/random_walk.hpp>
#include <mishap/sim/surw.hpp>
#include <mishap/sim/urw.hpp>

#include "exploration/trace_programs.hpp"
#include "support/catch.hpp"

namespace mishap {
namespace {

struct Member {
    std::string name;
    std::uint64_t warm_up = 0;
    std::function<std::unique_ptr<Strategy>(std::uint64_t seed)> make;
};

template <class S>
Member member(const std::string& name) {
    return {name, S::profile_runs_default, [](std::uint64_t seed) { return std::make_unique<S>(seed); }};
}

std::vector<Member> members() {
    return {{"random", 0, [](std::uint64_t seed) { return std::make_unique<RandomWalk>(seed); }},
            {"pos", 0, [](std::uint64_t seed) { return std::make_unique<Pos>(seed); }},
            member<Urw>("urw"),
            member<Surw>("surw"),
            {"pct", Pct::profile_runs_default, [](std::uint64_t seed) { return std::make_unique<Pct>(3, seed); }}};
}

}  // namespace

TEST_CASE("the interval of every random strategy contains the truth in 95 of 100 searches of threads", "[statistics]") {
    const std::vector<test::TraceProgram> all = test::trace_programs(200);
    for (const auto& [name, parameters] : {std::pair{"fib_join", "N=3"}, {"lastzero", "N=5"}}) {
        const auto program = std::find_if(all.begin(), all.end(), [&](const test::TraceProgram& row) {
            return row.name == name && row.parameters == parameters;
        });
        REQUIRE(program != all.end());
        for (const Member& member : members()) {
            constexpr std::uint64_t searches = 150;
            const test::Calibration result = test::calibrate(
                program->body,
                {.make = member.make, .warm_up = member.warm_up, .runs = 100, .searches = searches, .truth_runs = 20'000});
            INFO(member.name << " on " << name << ": " << result.contained << " of " << searches << ", up to "
                             << result.high_mean << " on average");
            // 99.9 % of right intervals contain the truth so often.
            CHECK(result.coverage() >= 0.95 - 3.09 * std::sqrt(0.95 * 0.05 / static_cast<double>(searches)));
            CHECK(result.high_mean < 0.9);  // an interval that contains everything would pass as well
            CHECK(result.interleavings <= program->traces);
        }
    }
}

}  // namespace mishap
