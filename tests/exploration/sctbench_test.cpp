// Strategies against what is known about small programs of simulated threads: how often a run fails, and how many
// preemptions that needs.
//
// Seeds are fixed, so nothing here is flaky. The intervals say how good the agreement is: a right strategy
// misses one of 99.9 % in one program of a thousand.

#include "exploration/sctbench.hpp"

#include <algorithm>
#include <cmath>

#include <mishap/sim/delay_bounded.hpp>
#include <mishap/sim/pct.hpp>
#include <mishap/sim/pos.hpp>
#include <mishap/sim/preemption_bounded.hpp>
#include <mishap/sim/random_walk.hpp>
#include <mishap/sim/surw.hpp>
#include <mishap/sim/urw.hpp>

#include "exploration/played.hpp"
#include "support/catch.hpp"

namespace mishap {
namespace {

using test::KnownProgram;
using test::Played;

constexpr std::uint64_t profile_runs = 300;  // as in the model that the values come from
constexpr double deviations = 3.29;          // of a normal distribution, on both sides: 99.9 %

std::function<void()> threads_of(const KnownProgram& known) { return known.program.on(test::Actors::Kind::threads); }

/// Returns the share of runs that failed, of those after the first `skipped`.
double failure_rate(const KnownProgram& known, Strategy& strategy, std::uint64_t runs, std::uint64_t skipped = 0) {
    Played played(threads_of(known));
    std::uint64_t failures = 0;
    bool has_played = true;
    for (std::uint64_t run = 0; run < skipped + runs; ++run) {
        has_played = has_played && played.play(strategy, run);
        failures += run >= skipped && played.has_failed() ? 1U : 0U;
    }
    REQUIRE(has_played);
    return static_cast<double>(failures) / static_cast<double>(runs);
}

/// Returns how many threads the program has, the first task not counted: it waits until they have ended.
double threads_in(const KnownProgram& known) {
    Played played(threads_of(known));
    RandomWalk walk(1);
    played.play(walk, 0);
    return static_cast<double>(played.world().activity().threads);
}

double standard_deviation(double probability, std::uint64_t runs) {
    return std::sqrt(probability * (1 - probability) / static_cast<double>(runs));
}

/// Checks that `rate` is `expected`, give or take `relative` of it and chance.
void check_rate(const KnownProgram& known, double rate, double expected, double relative, std::uint64_t runs) {
    INFO(known.program.name << ": " << rate << " of " << runs << " runs failed, known are " << expected);
    const double chance = deviations * standard_deviation(expected, runs) + 0.5 / static_cast<double>(runs);
    CHECK(std::abs(rate - expected) <= relative * expected + chance);
}

/// Makes runs until one fails and returns how many.
std::uint64_t runs_to_failure(const KnownProgram& known, Strategy& strategy, std::uint64_t runs_max) {
    Played played(threads_of(known));
    return test::runs_to_failure(played, strategy, runs_max);
}

}  // namespace

TEST_CASE("a random walk fails with the exact probability", "[statistics]") {
    constexpr std::uint64_t runs = 4'000;
    int exact = 0;
    for (const KnownProgram& known : test::sctbench()) {
        if (known.random_walk.has_value()) {
            RandomWalk walk(1);
            check_rate(known, failure_rate(known, walk, runs), *known.random_walk, 0, runs);
            ++exact;
        }
    }
    CHECK(exact >= 20);
}

TEST_CASE("POS fails as often as the model of its paper", "[statistics]") {
    constexpr std::uint64_t runs = 3'000;
    for (const KnownProgram& known : test::sctbench()) {
        Pos pos(1);
        check_rate(known, failure_rate(known, pos, runs), known.pos, 0.15, runs);
    }
}

TEST_CASE("POS fails with the probability that follows from its definition", "[statistics]") {
    // Where every two steps race, each is drawn anew: a random walk. Else the step that has lost keeps its priority, the
    // smaller of two, and wins against a new one in a third of the runs.
    struct Row {
        test::ActorProgram program;
        double probability;
    };
    const Row rows[] = {{test::uneven(3), 1.0 / 8}, {test::uneven(5), 1.0 / 32}, {test::uneven(10), 1.0 / 1024},
                        {test::lost_update(2, 1), 1.0 / 3}, {test::philosophers(2), 1.0 / 3},
                        {test::sctbench("deadlock01_bad").program, 1.0 / 3}, {test::sctbench("CVE-2015-7550").program, 1.0 / 3},
                        {test::sctbench("CVE-2009-3547").program, 1.0 / 2}};
    constexpr std::uint64_t runs = 10'000;
    for (const Row& row : rows) {
        const KnownProgram known{row.program, std::nullopt};
        Pos pos(1);
        check_rate(known, failure_rate(known, pos, runs), row.probability, 0, runs);
    }
}

TEST_CASE("URW fails as often as the model of its paper", "[statistics]") {
    constexpr std::uint64_t runs = 3'000;
    for (const KnownProgram& known : test::sctbench()) {
        Urw urw(1, profile_runs);
        check_rate(known, failure_rate(known, urw, runs, profile_runs), known.urw, 0.15, runs);
    }
}

TEST_CASE("SURW fails as often as the model of its paper", "[statistics]") {
    constexpr std::uint64_t runs = 3'000;
    for (const KnownProgram& known : test::sctbench()) {
        // The checkers of these read a variable twice only if they find it half written, which the model takes for once,
        // as one run shows it. Of many runs we know better: then the two accesses weigh more, and more runs fail.
        const bool is_reorder = known.program.name.rfind("reorder", 0) == 0;
        const std::uint32_t profiled = is_reorder ? 1 : profile_runs;
        Surw surw(1, profiled);
        check_rate(known, failure_rate(known, surw, runs, profiled), known.surw, is_reorder ? 0.1 : 0.3, runs);
        if (is_reorder) {
            Surw wise(1, profile_runs);
            CHECK(failure_rate(known, wise, runs, profile_runs) > known.surw);
        }
    }
}

TEST_CASE("URW lets a lone write come last with probability 1 / (k + 1), however long the other thread") {
    for (const int writes : {5, 10, 25}) {
        const KnownProgram known{test::uneven(writes), std::nullopt};
        Urw urw(1, 10);
        constexpr std::uint64_t runs = 10'000;
        check_rate(known, failure_rate(known, urw, runs, 10), 1.0 / (writes + 1), 0, runs);
    }
}

TEST_CASE("PCT fails at least as often as it guarantees", "[statistics]") {
    constexpr std::uint64_t runs = 3'000;
    for (const KnownProgram& known : test::sctbench()) {
        for (const std::uint32_t depth : {2U, 3U}) {
            Pct pct(depth, 1, profile_runs);
            const double rate = failure_rate(known, pct, runs, profile_runs);
            if (known.preemptions < depth) {
                const double guaranteed = 1 / (threads_in(known) * std::pow(static_cast<double>(pct.steps_longest()), depth - 1));
                INFO(known.program.name << ", depth " << depth << ": " << rate << ", guaranteed are " << guaranteed);
                CHECK(rate >= guaranteed - deviations * standard_deviation(guaranteed, runs));
            }
        }
    }
}

TEST_CASE("preemption bounding finds each failure with as few preemptions as it needs") {
    for (const KnownProgram& known : test::sctbench()) {
        PreemptionBounded bounded;
        const std::uint64_t runs = runs_to_failure(known, bounded, 10'000);
        INFO(known.program.name << ": found in run " << runs << ", known are " << known.preemption_bounded);
        CHECK(bounded.bound() == known.preemptions);
        CHECK(runs >= 1);
        CHECK(runs <= 10 * known.preemption_bounded);
    }
}

TEST_CASE("delay bounding finds each failure with as few delays as it needs") {
    for (const KnownProgram& known : test::sctbench()) {
        DelayBounded bounded;
        const std::uint64_t runs = runs_to_failure(known, bounded, 10'000);
        INFO(known.program.name << ": found in run " << runs << ", known are " << known.delay_bounded);
        CHECK(bounded.bound() == known.delays);
        CHECK(runs >= 1);
        CHECK(runs <= 10 * known.delay_bounded);
    }
}

}  // namespace mishap
