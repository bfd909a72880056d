#include <mishap/sim/sweep_strategy.hpp>

#include <array>
#include <vector>

#include <mishap/sim/exhaustive.hpp>

#include "support/catch.hpp"

namespace mishap {
namespace {

/// Asks for three awaits, with a question of another kind before each; returns the answers.
std::vector<std::uint32_t> answers_of(Strategy& strategy) {
    std::vector<std::uint32_t> answers;
    for (std::uint32_t i = 0; i < 3; ++i) {
        for (const ChoiceKind kind : {ChoiceKind::value, ChoiceKind::sweep}) {
            Question question;
            question.kind = kind;
            question.classes = 2;
            question.depth = static_cast<std::uint32_t>(answers.size());
            question.digest = 2 * i;
            answers.push_back(strategy.pick(question));
        }
    }
    return answers;
}

}  // namespace

TEST_CASE("alone, a sweep lets the n-th await go wrong in one run that is calm otherwise") {
    SweepStrategy strategy(2);
    REQUIRE(strategy.begin_run({0}));
    CHECK(answers_of(strategy) == std::vector<std::uint32_t>{0, 0, 0, 1, 0, 0});
    CHECK(strategy.has_reached());
    CHECK_FALSE(strategy.begin_run({1}));
    CHECK_FALSE(strategy.is_exhausted());
}

TEST_CASE("a sweep beyond the last await says that it did not come there") {
    SweepStrategy strategy(4);
    REQUIRE(strategy.begin_run({0}));
    CHECK(answers_of(strategy) == std::vector<std::uint32_t>(6, 0));
    CHECK_FALSE(strategy.has_reached());
}

TEST_CASE("with another strategy a sweep takes the n-th await in each of its runs and leaves it all other questions") {
    Exhaustive others;
    SweepStrategy strategy(1, &others);
    std::size_t runs = 0;
    for (; strategy.begin_run({runs}); ++runs) {
        const std::vector<std::uint32_t> answers = answers_of(strategy);
        CHECK(answers[1] == 1);
        CHECK(answers[3] + answers[5] == 0);
        CHECK(answers[0] * 4 + answers[2] * 2 + answers[4] == runs);
    }
    CHECK(runs == 8);
    CHECK(strategy.is_exhausted());
}

}  // namespace mishap
