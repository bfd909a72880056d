#include <mishap/sim/delay_bounded.hpp>

#include <algorithm>
#include <numeric>
#include <set>

#include <mishap/sim/exhaustive.hpp>

#include "support/catch.hpp"
#include "toy_program.hpp"

namespace mishap {
namespace {

using Answers = std::vector<std::uint32_t>;

struct Made {
    Answers answers;
    std::uint32_t cost = 0;   // by the tape
    std::uint32_t bound = 0;  // as the strategy said
};

std::uint32_t cost_of(std::span<const Choice> tape) {
    return std::accumulate(tape.begin(), tape.end(), 0U, [](std::uint32_t sum, const Choice& choice) {
        return sum + (choice.kind == ChoiceKind::schedule ? choice.taken : std::min(choice.taken, 1U));
    });
}

/// Makes the runs of `body` that `strategy` wants to make.
template <class F>
std::vector<Made> runs_of(F body, DelayBounded& strategy, bool expect_exhausted = true) {
    std::vector<Made> runs;
    test::ToyProgram program([&](World& world) {
        body(world);
        const std::span<const Choice> tape = world.choices().tape();
        runs.push_back({test::answers(tape), cost_of(tape), strategy.bound()});
    });
    World world{WorldOptions{}};
    CHECK(Explorer(program, world).search(strategy, {}).is_exhausted == expect_exhausted);
    return runs;
}

template <class F>
std::set<Answers> every_tape(F body) {
    std::set<Answers> tapes;
    test::ToyProgram program([&](World& world) {
        body(world);
        tapes.insert(test::answers(world.choices().tape()));
    });
    World world{WorldOptions{}};
    Exhaustive strategy;
    REQUIRE(Explorer(program, world).search(strategy, {}).is_exhausted);
    return tapes;
}

/// Steps of three entities, between which values are asked for: the tree is lopsided.
void mix_orders_and_values(World& world) {
    test::ToyLoop loop(world, {2, 1, 2});
    for (std::uint32_t made = 1; !loop.is_over(); ++made) {
        const std::size_t who = loop.step();
        if ((who + made) % 3 == 0) {
            test::ask(world, 3, {who + 1, made});
        }
    }
}

void three_steps(World& world) {
    test::ToyLoop loop(world, {1, 1, 1});
    while (!loop.is_over()) {
        loop.step();
    }
}

}  // namespace

TEST_CASE("orders of three entities of one step have 0, 1, 1, 2, 2 and 3 delays, and come in that order") {
    DelayBounded strategy;
    const std::vector<Made> runs = runs_of(three_steps, strategy);
    Answers bounds;
    for (const Made& run : runs) {
        bounds.push_back(run.bound);
    }
    CHECK(bounds == Answers{0, 1, 1, 2, 2, 3});
    CHECK(runs.front().answers == Answers{0, 0});
    CHECK(runs.back().answers == Answers{2, 1});
}

TEST_CASE("delay bounding makes every run exactly once, each in the round of its cost") {
    DelayBounded strategy;
    const std::vector<Made> runs = runs_of(mix_orders_and_values, strategy);
    std::set<Answers> tapes;
    std::uint32_t last = 0;
    for (const Made& run : runs) {
        tapes.insert(run.answers);
        CHECK(run.cost == run.bound);
        CHECK(run.bound >= last);
        last = run.bound;
    }
    CHECK(tapes.size() == runs.size());
    CHECK(tapes == every_tape(mix_orders_and_values));
}

TEST_CASE("a delay-bounded search claims all only if no answer was cut by the bound") {
    DelayBounded cut(2);
    CHECK(runs_of(three_steps, cut, false).size() == 5);
    CHECK(cut.is_bound_exhausted());
    DelayBounded whole(3);
    CHECK(runs_of(three_steps, whole, true).size() == 6);
    DelayBounded calm(0);
    CHECK(runs_of(three_steps, calm, false).size() == 1);
}

TEST_CASE("a bounded search of a program that asks nothing has one run") {
    DelayBounded strategy;
    CHECK(runs_of([](World&) {}, strategy).size() == 1);
    CHECK(strategy.bound() == 0);
}

TEST_CASE("nothing is claimed before the last run is over") {
    test::ToyProgram program(three_steps);
    World world{WorldOptions{}};
    SearchLimits limits;
    limits.runs_max = 6;
    DelayBounded strategy;
    CHECK_FALSE(Explorer(program, world).search(strategy, limits).is_exhausted);
    CHECK(Explorer(program, world).search(strategy, limits).is_exhausted);
}

TEST_CASE("a bounded search finds out that a program comes to the same place in another state") {
    std::uint32_t runs = 0;
    const bool asks_more = GENERATE(false, true);
    test::ToyProgram program([&](World& world) {
        ++runs;
        if (!asks_more) {
            world.digest().fold(runs > 2 ? 1 : 0);
        }
        test::ask(world, 3, {1, 1});
        test::ask(world, asks_more && runs > 1 ? 3 : 2, {1, 2});
    });
    World world{WorldOptions{}};
    DelayBounded strategy;
    const SearchResult result = Explorer(program, world).search(strategy, {});
    CHECK(result.has_diverged);
    CHECK_FALSE(result.is_exhausted);
}

TEST_CASE("a bounded search finds out that a program ends before it has asked what it asked") {
    std::uint32_t runs = 0;
    test::ToyProgram program([&](World& world) {
        test::ask(world, 2, {1, 1});
        if (++runs == 1) {
            test::ask(world, 2, {1, 2});
        }
    });
    World world{WorldOptions{}};
    DelayBounded strategy;
    CHECK(Explorer(program, world).search(strategy, {}).has_diverged);
    CHECK_FALSE(strategy.is_exhausted());
}

}  // namespace mishap
