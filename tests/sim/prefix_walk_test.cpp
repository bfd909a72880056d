#include <mishap/sim/prefix_walk.hpp>

#include <set>

#include "support/catch.hpp"
#include "toy_program.hpp"

namespace mishap {
namespace {

using Answers = std::vector<std::uint32_t>;

/// Asks twelve questions of four classes.
Answers run_with(PrefixWalk& walk, std::uint64_t number) {
    World world{WorldOptions{}};
    walk.begin_run({number});
    world.begin_run(&walk);
    for (std::uint32_t i = 0; i < 12; ++i) {
        test::ask(world, 4, {1, i + 1});
    }
    return test::answers(world.choices().tape());
}

Tape tape_of(const Answers& answers, std::uint32_t classes) {
    Tape tape;
    for (const std::uint32_t taken : answers) {
        tape.push_back({0, classes, taken, ChoiceKind::value});
    }
    return tape;
}

}  // namespace

TEST_CASE("a prefix walk keeps the answers it is told to keep and rolls the others") {
    const Tape tape = tape_of({3, 2, 1, 0, 3, 2}, 4);
    PrefixWalk walk(tape, 4, 1);
    std::set<Answers> tails;
    for (std::uint64_t number = 0; number < 50; ++number) {
        const Answers answers = run_with(walk, number);
        CHECK(Answers(answers.begin(), answers.begin() + 4) == Answers{3, 2, 1, 0});
        tails.insert(Answers(answers.begin() + 4, answers.end()));
    }
    CHECK(tails.size() == 50);
}

TEST_CASE("run n of a prefix walk is the same run whatever ran before") {
    const Tape tape = tape_of({3, 2}, 4);
    PrefixWalk once(tape, 2, 9);
    PrefixWalk again(tape, 2, 9);
    run_with(again, 3);
    CHECK(run_with(once, 5) == run_with(again, 5));
    PrefixWalk other(tape, 1, 9);  // rolls its own dice, or the places of a curve would hang together
    const Answers with_two = run_with(once, 5);
    const Answers with_one = run_with(other, 5);
    CHECK(Answers(with_two.begin() + 2, with_two.end()) != Answers(with_one.begin() + 2, with_one.end()));
}

TEST_CASE("a prefix that does not fit the program is given up") {
    const Tape tape = tape_of({1, 1}, 2);
    PrefixWalk walk(tape, 2, 1);
    World world{WorldOptions{}};
    walk.begin_run({0});
    world.begin_run(&walk);
    test::ask(world, 4);
    CHECK(world.choices().is_abandoned());
}

}  // namespace mishap
