#include <mishap/sim/exhaustive.hpp>

#include <algorithm>
#include <map>
#include <set>

#include "support/catch.hpp"
#include "toy_program.hpp"

namespace mishap {
namespace {

using Answers = std::vector<std::uint32_t>;

/// Makes every run of `body` and returns the tapes in the order in which they came.
template <class F>
std::vector<Answers> all_tapes(F body, std::uint32_t mishaps_max = Exhaustive::unbounded) {
    std::vector<Answers> tapes;
    test::ToyProgram program([&](World& world) {
        body(world);
        tapes.push_back(test::answers(world.choices().tape()));
    });
    World world{WorldOptions{}};
    Exhaustive strategy(mishaps_max);
    const SearchResult result = Explorer(program, world).search(strategy, {});
    CHECK(strategy.is_bound_exhausted());
    CHECK(result.is_exhausted == (mishaps_max == Exhaustive::unbounded));
    return tapes;
}

void interleave(World& world, const std::vector<std::uint32_t>& steps) {
    test::ToyLoop loop(world, steps);
    while (!loop.is_over()) {
        loop.step();
    }
}

std::uint64_t multinomial(const std::vector<std::uint32_t>& steps) {
    std::uint64_t result = 1;
    std::uint64_t placed = 0;
    for (const std::uint32_t count : steps) {
        for (std::uint64_t i = 1; i <= count; ++i) {
            result = result * ++placed / i;
        }
    }
    return result;
}

/// Asks as many questions as were answered by a mishap, and some more: the tree is lopsided.
void ask_lopsided(World& world) {
    std::uint32_t classes = 3;
    for (std::uint32_t asked = 0; asked < 5; ++asked) {
        classes = test::ask(world, classes, {1, asked + 1}) == 0 ? 3 : 2;
    }
}

std::size_t mishaps_on(const Answers& tape) {
    return tape.size() - static_cast<std::size_t>(std::count(tape.begin(), tape.end(), 0U));
}

}  // namespace

TEST_CASE("every order of independent steps is made exactly once") {
    const auto steps = GENERATE(std::vector<std::uint32_t>{1}, std::vector<std::uint32_t>{2, 2},
                                std::vector<std::uint32_t>{3, 3}, std::vector<std::uint32_t>{1, 1, 1, 1, 1},
                                std::vector<std::uint32_t>{2, 2, 2}, std::vector<std::uint32_t>{5, 2, 1});
    const std::vector<Answers> tapes = all_tapes([&](World& world) { interleave(world, steps); });
    CHECK(tapes.size() == multinomial(steps));
    CHECK(std::set<Answers>(tapes.begin(), tapes.end()).size() == tapes.size());
}

TEST_CASE("the calm run comes first") {
    CHECK(mishaps_on(all_tapes(ask_lopsided).front()) == 0);
}

TEST_CASE("answers that change what is asked later are all followed") {
    // Three answers at first; then one question of two, or none.
    const std::vector<Answers> tapes = all_tapes([](World& world) {
        if (test::ask(world, 3) == 1) {
            test::ask(world, 2);
        }
    });
    CHECK(tapes == std::vector<Answers>{{0}, {1, 0}, {1, 1}, {2}});
}

TEST_CASE("a program that asks nothing has one run") {
    CHECK(all_tapes([](World&) {}).size() == 1);
}

TEST_CASE("with a bound on mishaps exactly the runs within it are made, each once") {
    const std::vector<Answers> all = all_tapes(ask_lopsided);
    std::map<std::size_t, std::set<Answers>> by_mishaps;
    for (const Answers& tape : all) {
        by_mishaps[mishaps_on(tape)].insert(tape);
    }
    std::set<Answers> within;
    for (std::uint32_t bound = 0; bound <= 5; ++bound) {
        within.insert(by_mishaps[bound].begin(), by_mishaps[bound].end());
        const std::vector<Answers> tapes = all_tapes(ask_lopsided, bound);
        CHECK(tapes.size() == within.size());
        CHECK(std::set<Answers>(tapes.begin(), tapes.end()) == within);
    }
    CHECK(within.size() == all.size());
}

TEST_CASE("nothing is claimed to be exhausted before the last run is over, nor by a bounded search") {
    test::ToyProgram program([](World& world) { interleave(world, {2, 2}); });
    World world{WorldOptions{}};
    SearchLimits limits;
    limits.runs_max = 6;  // as many as there are: nobody has asked for a seventh
    Exhaustive strategy;
    CHECK_FALSE(Explorer(program, world).search(strategy, limits).is_exhausted);
    CHECK(Explorer(program, world).search(strategy, limits).is_exhausted);
}

TEST_CASE("a program that asks something else in the same place is found out, and nothing is claimed of it") {
    std::uint32_t runs = 0;
    test::ToyProgram program([&](World& world) {
        test::ask(world, 2);
        test::ask(world, ++runs == 3 ? 5 : 3, {1, 2});
        test::ask(world, 2, {1, 3});
    });
    World world{WorldOptions{}};
    Exhaustive strategy;
    const SearchResult result = Explorer(program, world).search(strategy, {});
    CHECK_FALSE(result.is_exhausted);
    CHECK(strategy.has_diverged());
    CHECK(result.has_diverged);
}

TEST_CASE("a program that comes to the same question in another state is found out") {
    std::uint32_t runs = 0;
    test::ToyProgram program([&](World& world) {
        world.digest().fold(++runs > 2 ? 1 : 0);
        test::ask(world, 3);
        test::ask(world, 2);
    });
    World world{WorldOptions{}};
    Exhaustive strategy;
    CHECK(Explorer(program, world).search(strategy, {}).has_diverged);
}

}  // namespace mishap
