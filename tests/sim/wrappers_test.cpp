// Strategies around strategies: metrics, bounds, deduplication, swarms.

#include <algorithm>
#include <set>

#include <mishap/sim/automatic.hpp>
#include <mishap/sim/bounded.hpp>
#include <mishap/sim/deduplicated.hpp>
#include <mishap/sim/dpor.hpp>
#include <mishap/sim/errors.hpp>
#include <mishap/sim/exhaustive.hpp>
#include <mishap/sim/measured.hpp>
#include <mishap/sim/random_walk.hpp>
#include <mishap/sim/swarm.hpp>

#include "sim/machine.hpp"
#include "sim/machine_programs.hpp"
#include "support/catch.hpp"
#include "toy_program.hpp"

namespace mishap {
namespace {

using test::Machine;
using Answers = std::vector<std::uint32_t>;

/// Asks for three coins and then a die.
void coins_and_die(World& world) {
    for (std::uint32_t step = 1; step <= 3; ++step) {
        test::ask(world, 2, {1, step});
    }
    test::ask(world, 6, {1, 4});
}

/// Makes runs of `body` until `strategy` has no more, `runs_max` at most; returns the tapes of those not abandoned.
template <class F>
std::vector<Answers> tapes_of(F body, Strategy& strategy, std::uint64_t runs_max) {
    std::vector<Answers> tapes;
    test::ToyProgram program([&](World& world) {
        body(world);
        if (!world.choices().is_abandoned()) {
            tapes.push_back(test::answers(world.choices().tape()));
        }
    });
    World world{WorldOptions{}};
    Explorer(program, world).search(strategy, {.runs_max = runs_max});
    return tapes;
}

std::size_t mishaps_in(const Answers& answers) {
    return static_cast<std::size_t>(std::count_if(answers.begin(), answers.end(), [](std::uint32_t taken) { return taken != 0; }));
}

}  // namespace

TEST_CASE("a measured strategy makes the runs that it makes unmeasured, and they are counted") {
    Machine machine(test::fib_join(2));
    RandomWalk walk(3);
    Measured measured(std::make_unique<RandomWalk>(3));
    std::uint64_t steps = 0;
    std::uint64_t questions = 0;
    std::uint64_t longest = 0;
    std::set<std::uint64_t> fingerprints;
    for (std::uint64_t run = 0; run < 100; ++run) {
        machine.play(walk, run);
        const std::uint64_t digest = machine.digest();
        machine.play(measured, run);
        REQUIRE(machine.digest() == digest);
        steps += machine.events().size();
        questions += machine.questions();
        longest = std::max<std::uint64_t>(longest, machine.questions());
        fingerprints.insert(machine.fingerprint());
    }
    const Measures& measures = measured.measures();
    CHECK(measures.runs == 100);
    CHECK(measures.failed == 0);
    CHECK(measures.abandoned == 0);
    CHECK(measures.steps == steps);
    CHECK(measures.questions == questions);
    CHECK(measures.classes == 2 * questions);  // of two threads
    CHECK(measures.mishaps > questions / 3);
    CHECK(measures.mishaps < questions);
    CHECK(measures.depth_max == longest);
    CHECK(measures.interleavings == fingerprints.size());
}

TEST_CASE("bounds on mishaps leave the rest of each run calm, and an enumeration makes each such run once") {
    const auto all = 2 * 2 * 2 * 6;
    Exhaustive unbounded;
    CHECK(tapes_of(coins_and_die, unbounded, 1'000).size() == all);
    Bounded bounded(std::make_unique<Exhaustive>(), {.mishaps_max = 2});
    const std::vector<Answers> tapes = tapes_of(coins_and_die, bounded, 1'000);
    CHECK(tapes.size() == 1 + (3 + 5) + (3 + 3 * 5));
    CHECK(std::set<Answers>(tapes.begin(), tapes.end()).size() == tapes.size());
    for (const Answers& answers : tapes) {
        CHECK(mishaps_in(answers) <= 2);
    }
    CHECK_FALSE(bounded.is_exhausted());
}

TEST_CASE("bounds on questions calm what comes later, for random strategies too") {
    Bounded bounded(std::make_unique<RandomWalk>(5), {.questions_max = 2});
    const std::vector<Answers> tapes = tapes_of(coins_and_die, bounded, 100);
    REQUIRE(tapes.size() == 100);
    std::set<Answers> seen;
    for (const Answers& answers : tapes) {
        CHECK(answers[2] == 0);
        CHECK(answers[3] == 0);
        seen.insert(answers);
    }
    CHECK(seen.size() == 4);
}

TEST_CASE("partial order reduction cannot be bounded") {
    CHECK_THROWS_AS(Bounded(std::make_unique<Dpor>(), {.mishaps_max = 1}), UsageError);
    CHECK_THROWS_AS(Bounded(std::make_unique<Measured>(std::make_unique<Automatic>(1)), {.mishaps_max = 1}), UsageError);
}

TEST_CASE("a random walk without repeats makes every run once and knows when all are made") {
    Deduplicated walk(std::make_unique<RandomWalk>(1));
    const std::vector<Answers> tapes = tapes_of(coins_and_die, walk, 100'000);
    CHECK(tapes.size() == 2 * 2 * 2 * 6);
    CHECK(std::set<Answers>(tapes.begin(), tapes.end()).size() == tapes.size());
    CHECK(walk.is_exhausted());
    CHECK(walk.repeats() > 0);
}

TEST_CASE("a random walk without repeats finds every interleaving that an enumeration finds") {
    const auto fingerprints = [](Strategy& strategy) {
        std::set<std::uint64_t> seen;
        Machine machine(test::casrot(4));
        for (std::uint64_t run = 0; machine.play(strategy, run); ++run) {
            if (machine.outcome() != Machine::Outcome::abandoned) {
                seen.insert(machine.fingerprint());
            }
        }
        return seen;
    };
    Deduplicated walk(std::make_unique<RandomWalk>(1));
    Measured exhaustive(std::make_unique<Exhaustive>());
    CHECK(fingerprints(walk).size() == 14);
    CHECK(fingerprints(walk).empty());  // it has no more runs
    CHECK(walk.is_exhausted());
    CHECK(fingerprints(exhaustive).size() == 14);
}

TEST_CASE("a search ends when nothing was new for so many runs, and claims nothing") {
    Deduplicated walk(std::make_unique<RandomWalk>(1), 20);
    Machine machine(test::fib_join(3));  // 141 interleavings, 48620 orders
    std::set<std::uint64_t> seen;
    std::uint64_t last_new = 0;
    std::uint64_t runs = 0;
    while (machine.play(walk, runs)) {
        ++runs;
        if (machine.outcome() != Machine::Outcome::abandoned && seen.insert(machine.fingerprint()).second) {
            last_new = runs;
        }
    }
    CHECK(runs == last_new + 20);
    CHECK(walk.is_stale());
    CHECK_FALSE(walk.is_exhausted());
}

TEST_CASE("in a swarm a kind of question is off in some runs, rare in some and as before in half of them") {
    Swarm swarm(std::make_unique<RandomWalk>(1), 1);
    constexpr int questions = 64;
    const auto body = [](World& world) {
        for (std::uint32_t step = 1; step <= questions; ++step) {
            test::ask(world, 2, {1, step});
        }
    };
    int off = 0;
    int rare = 0;
    int as_before = 0;
    for (const Answers& answers : tapes_of(body, swarm, 4'000)) {
        const std::size_t mishaps = mishaps_in(answers);
        off += mishaps == 0 ? 1 : 0;
        rare += mishaps > 0 && mishaps < 18 ? 1 : 0;
        as_before += mishaps >= 18 ? 1 : 0;
    }
    CHECK(off > 450);  // an eighth, and those of the rare ones that have none
    CHECK(off < 700);
    CHECK(rare > 1'250);
    CHECK(as_before > 1'850);
    CHECK(as_before < 2'150);
}

TEST_CASE("a swarm leaves the order of steps to its strategy, and repeats its runs") {
    const auto digests = [](Strategy& strategy) {
        Machine machine(test::fib_join(3));
        std::vector<std::uint64_t> result;
        for (std::uint64_t run = 0; run < 50; ++run) {
            machine.play(strategy, run);
            result.push_back(machine.digest());
        }
        return result;
    };
    RandomWalk walk(7);
    Swarm swarm(std::make_unique<RandomWalk>(7), 1);
    CHECK(digests(swarm) == digests(walk));

    Swarm one(std::make_unique<RandomWalk>(7), 1);
    Swarm again(std::make_unique<RandomWalk>(7), 1);
    Swarm other(std::make_unique<RandomWalk>(7), 2);
    const std::vector<Answers> tapes = tapes_of(coins_and_die, one, 200);
    CHECK(tapes == tapes_of(coins_and_die, again, 200));
    CHECK(tapes != tapes_of(coins_and_die, other, 200));
}

}  // namespace mishap
