#include <mishap/sim/random_walk.hpp>

#include <array>
#include <cmath>
#include <cstdlib>

#include "support/catch.hpp"
#include "toy_program.hpp"

namespace mishap {
namespace {

using Answers = std::vector<std::uint32_t>;

Question question_of(std::uint32_t classes) {
    Question question;
    question.kind = ChoiceKind::value;
    question.classes = classes;
    return question;
}

Answers draw(RandomWalk& walk, std::uint64_t run, std::uint32_t classes, std::size_t count) {
    Answers result;
    walk.begin_run({run});
    for (std::size_t i = 0; i < count; ++i) {
        result.push_back(walk.pick(question_of(classes)));
    }
    return result;
}

}  // namespace

TEST_CASE("a seed and a run number stand for the same answers for ever") {
    RandomWalk walk(1);
    CHECK(draw(walk, 0, 10, 12) == Answers{0, 9, 2, 6, 2, 8, 8, 2, 8, 2, 2, 5});
    CHECK(draw(walk, 1, 10, 12) == Answers{4, 2, 9, 5, 5, 1, 7, 3, 5, 2, 7, 8});
    CHECK(draw(walk, 1'000'000, 2, 12) == Answers{1, 1, 0, 0, 1, 1, 0, 1, 0, 1, 0, 1});
    RandomWalk other(2);
    CHECK(draw(other, 0, 10, 12) == Answers{8, 1, 4, 7, 4, 0, 7, 8, 8, 3, 6, 4});
}

TEST_CASE("run n is the same run whatever ran before it") {
    RandomWalk walk(99);
    RandomWalk fresh(99);
    draw(walk, 3, 5, 100);
    draw(walk, 4, 5, 7);
    CHECK(draw(walk, 17, 5, 50) == draw(fresh, 17, 5, 50));
}

TEST_CASE("a walk makes as many runs as it was told") {
    RandomWalk walk(1, 2);
    CHECK(walk.begin_run({0}));
    CHECK(walk.begin_run({1}));
    CHECK_FALSE(walk.begin_run({2}));
    CHECK_FALSE(walk.is_exhausted());
}

TEST_CASE("classes are drawn by their weights, and one of weight 0 never") {
    RandomWalk walk(5);
    walk.begin_run({0});
    const std::array<std::uint32_t, 3> weights = {49, 0, 1};
    Question question = question_of(3);
    question.weights = weights;
    std::array<int, 3> counts{};
    for (int i = 0; i < 10'000; ++i) {
        ++counts.at(walk.pick(question));
    }
    CHECK(counts[1] == 0);
    CHECK(std::abs(counts[2] - 200) < 60);  // four standard deviations
}

// A run loses no update when whoever began is chosen again for the second step: with probability 1/2.
TEST_CASE("candidates are equally likely: two readers and writers collide in half of the runs") {
    std::uint64_t lost = 0;
    test::ToyProgram program([&](World& world) {
        test::ToyLoop loop(world, {2, 2});
        int value = 0;
        std::array<int, 2> read{-1, -1};
        while (!loop.is_over()) {
            const std::size_t who = loop.step();
            if (read.at(who) < 0) {
                read.at(who) = value;
            } else {
                value = read.at(who) + 1;
            }
        }
        lost += value != 2 ? 1 : 0;
    });
    World world{WorldOptions{}};
    RandomWalk walk(7);
    SearchLimits limits;
    limits.runs_max = 10'000;
    Explorer(program, world).search(walk, limits);
    CHECK(std::abs(static_cast<double>(lost) - 5'000.0) < 200.0);  // four standard deviations
}

}  // namespace mishap
