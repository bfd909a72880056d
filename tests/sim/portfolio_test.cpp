#include <mishap/sim/portfolio.hpp>

#include <mishap/sim/exhaustive.hpp>
#include <mishap/sim/random_walk.hpp>

#include "support/catch.hpp"
#include "toy_program.hpp"

namespace mishap {
namespace {

using Answers = std::vector<std::uint32_t>;

/// Makes the runs that the limits allow, and returns their tapes.
std::vector<Answers> tapes_of(Strategy& strategy, const SearchLimits& limits, std::uint32_t steps) {
    std::vector<Answers> tapes;
    test::ToyProgram program([&](World& world) {
        test::ToyLoop loop(world, {steps, steps});
        while (!loop.is_over()) {
            loop.step();
        }
        tapes.push_back(test::answers(world.choices().tape()));
    });
    World world{WorldOptions{}};
    Explorer(program, world).search(strategy, limits);
    return tapes;
}

SearchLimits runs(std::uint64_t runs_max, std::uint64_t first = 0, std::uint64_t stride = 1) {
    return {.runs_max = runs_max, .time_max = {}, .first_run = first, .stride = stride};
}

std::vector<std::unique_ptr<Strategy>> members(std::unique_ptr<Strategy> one, std::unique_ptr<Strategy> other) {
    std::vector<std::unique_ptr<Strategy>> result;
    result.push_back(std::move(one));
    result.push_back(std::move(other));
    return result;
}

}  // namespace

TEST_CASE("members take turns") {
    Portfolio portfolio(members(std::make_unique<Exhaustive>(), std::make_unique<RandomWalk>(3)));
    Exhaustive exhaustive;
    RandomWalk walk(3);
    const std::vector<Answers> both = tapes_of(portfolio, runs(10), 4);
    const std::vector<Answers> even = tapes_of(exhaustive, runs(5), 4);
    const std::vector<Answers> odd = tapes_of(walk, runs(5, 1, 2), 4);
    REQUIRE(both.size() == 10);
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK(both[2 * i] == even[i]);
        CHECK(both[2 * i + 1] == odd[i]);
    }
}

TEST_CASE("the search is over as soon as one member has made every run") {
    Portfolio portfolio(members(std::make_unique<RandomWalk>(3), std::make_unique<Exhaustive>()));
    CHECK(tapes_of(portfolio, runs(1'000), 2).size() == 13);  // 6 orders, and the random runs between and before them
    CHECK(portfolio.is_exhausted());
}

TEST_CASE("when one member has no more runs the other makes them all") {
    Portfolio portfolio(members(std::make_unique<RandomWalk>(3, 4), std::make_unique<RandomWalk>(4, 9)));
    CHECK(tapes_of(portfolio, runs(1'000), 2).size() == 9);
    CHECK_FALSE(portfolio.is_exhausted());
}

TEST_CASE("a portfolio needs what any member needs") {
    CHECK(Portfolio(members(std::make_unique<RandomWalk>(1), std::make_unique<Exhaustive>())).needs().footprints);
    CHECK_FALSE(Portfolio(members(std::make_unique<RandomWalk>(1), std::make_unique<RandomWalk>(2))).needs().footprints);
}

TEST_CASE("strategies are made by name, and only the process of run 0 searches exhaustively") {
    CHECK(make_strategy(Strategy::random, 1)->name() == std::string("random"));
    CHECK(make_strategy(Strategy::exhaustive, 1)->name() == std::string("exhaustive"));
    CHECK(make_strategy(Strategy::automatic, 1)->name() == std::string("automatic"));
    CHECK(make_strategy(Strategy::automatic, 1, 3)->name() == std::string("random"));
}

TEST_CASE("a random run of one process is the same run in another that makes every third") {
    const std::unique_ptr<Strategy> alone = make_strategy(Strategy::automatic, 8);
    const std::unique_ptr<Strategy> third = make_strategy(Strategy::automatic, 8, 1);
    const std::vector<Answers> all = tapes_of(*alone, runs(10), 4);
    const std::vector<Answers> some = tapes_of(*third, runs(4, 1, 3), 4);
    CHECK(some.at(0) == all.at(1));
    CHECK(some.at(2) == all.at(7));
}

}  // namespace mishap
