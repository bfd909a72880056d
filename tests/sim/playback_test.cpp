#include <mishap/sim/playback.hpp>

#include "support/catch.hpp"
#include "toy_program.hpp"

namespace mishap {
namespace {

using Answers = std::vector<std::uint32_t>;
using Match = MishapPlayback::Match;
using test::ask;
using test::ToyLoop;

/// Two entities of three steps; the second asks a question in its second step.
Answers trace_of(World& world) {
    Answers trace;
    ToyLoop loop(world, {3, 3});
    std::uint32_t own = 0;
    while (!loop.is_over()) {
        const std::size_t who = loop.step();
        trace.push_back(static_cast<std::uint32_t>(who));
        if (who == 1 && ++own == 2) {
            trace.push_back(10 + ask(world, 3, {2, 2}, 77));
        }
    }
    return trace;
}

struct Played {
    Answers trace;
    Replayed run;
};

template <class Play>
Played play(Play&& how) {
    Played played;
    test::ToyProgram program([&](World& world) { played.trace = trace_of(world); });
    World world{WorldOptions{}};
    played.run = how(program, world);
    return played;
}
Played play_strictly(const Tape& tape) {
    return play([&](Program& program, World& world) { return replay(program, world, tape); });
}
Played play_leniently(const MishapList& mishaps, Match match) {
    return play([&](Program& program, World& world) { return replay(program, world, mishaps, match); });
}

/// A run with three mishaps: the second goes first, then again, and its question gets 2.
Played some_run() {
    return play([](Program& program, World& world) {
        test::Scripted strategy({1, 1, 2});
        world.choices().keep_mishaps(true);
        world.begin_run(&strategy);
        program.run(world);
        Replayed run;
        run.tape.assign(world.choices().tape().begin(), world.choices().tape().end());
        run.mishaps = world.choices().mishaps();
        run.digest = world.verdict().digest;
        return run;
    });
}

Mishap instead_of(EntityStep who, EntityStep calm) { return {ChoiceKind::schedule, who, calm, 0, 1, 2, 0}; }

}  // namespace

TEST_CASE("a dense tape repeats the run to the last bit") {
    const Played original = some_run();
    REQUIRE(original.trace == Answers{1, 1, 12, 0, 0, 0, 1});
    const Played again = play_strictly(original.run.tape);
    CHECK(again.trace == original.trace);
    CHECK(again.run.digest == original.run.digest);
    CHECK(again.run.tape == original.run.tape);
    CHECK_FALSE(again.run.mismatch.has_value());
}

TEST_CASE("strict playback stops at the first question that has other classes, and says which") {
    Tape tape = some_run().run.tape;
    tape[2].classes = 5;
    const Replayed run = play_strictly(tape).run;
    REQUIRE(run.mismatch.has_value());
    CHECK(run.mismatch->depth == 2);
    CHECK(run.mismatch->expected.classes == 5);
    CHECK(run.mismatch->actual.classes == 3);
    CHECK(run.tape.size() == 2);
}

TEST_CASE("strict playback stops at a question of another kind") {
    Tape tape = some_run().run.tape;
    tape[1].kind = ChoiceKind::fault;
    const Replayed run = play_strictly(tape).run;
    REQUIRE(run.mismatch.has_value());
    CHECK(run.mismatch->depth == 1);
    CHECK(run.mismatch->expected.kind == ChoiceKind::fault);
    CHECK(run.mismatch->actual.kind == ChoiceKind::schedule);
}

TEST_CASE("strict playback stops at the same question after another past") {
    Tape tape = some_run().run.tape;
    tape[3].digest ^= 1;
    const Replayed run = play_strictly(tape).run;
    REQUIRE(run.mismatch.has_value());
    CHECK(run.mismatch->depth == 3);
}

TEST_CASE("a tape that ends before the run does is a mismatch without an expectation") {
    Tape tape = some_run().run.tape;
    tape.pop_back();
    const Replayed run = play_strictly(tape).run;
    REQUIRE(run.mismatch.has_value());
    CHECK(run.mismatch->depth == tape.size());
    CHECK(run.mismatch->expected.kind == ChoiceKind::none);
}

TEST_CASE("a tape that goes on after the run's end is a mismatch without a question") {
    Tape tape = some_run().run.tape;
    tape.push_back({1, 2, 1, ChoiceKind::schedule});
    const Replayed run = play_strictly(tape).run;
    REQUIRE(run.mismatch.has_value());
    CHECK(run.mismatch->depth + 1 == tape.size());
    CHECK(run.mismatch->actual.kind == ChoiceKind::none);
}

TEST_CASE("the mishaps of a run alone repeat it") {
    const Played original = some_run();
    CHECK(original.run.mishaps.size() == 3);
    const Played again = play_leniently(original.run.mishaps, Match::exact);
    CHECK(again.trace == original.trace);
    CHECK(again.run.matched == 3);
    CHECK(again.run.digest == original.run.digest);
}

TEST_CASE("without mishaps everything is calm") {
    CHECK(play_leniently({}, Match::exact).trace == Answers{0, 0, 0, 1, 1, 10, 1});
}

TEST_CASE("an exact match wants the same entities at the same steps") {
    CHECK(play_leniently({instead_of({2, 1}, {1, 3})}, Match::exact).trace == Answers{0, 0, 1, 0, 1, 10, 1});
    const Played wrong_step = play_leniently({instead_of({2, 2}, {1, 3})}, Match::exact);
    CHECK(wrong_step.run.matched == 0);
    CHECK(wrong_step.trace == play_leniently({}, Match::exact).trace);
}

TEST_CASE("an entity match forgets step numbers and keeps the order of mishaps") {
    const Played played = play_leniently({instead_of({2, 8}, {1, 9})}, Match::entity);
    CHECK(played.run.matched == 1);
    CHECK(played.trace == Answers{1, 0, 0, 0, 1, 10, 1});
    // The first mishap never fits, so the second, which comes after it, does not either.
    CHECK(play_leniently({instead_of({5, 1}, {1, 1}), instead_of({2, 1}, {1, 1})}, Match::entity).run.matched == 0);
}

TEST_CASE("a match anywhere forgets who would have gone calmly") {
    const Played played = play_leniently({instead_of({2, 1}, {9, 9})}, Match::anywhere);
    CHECK(played.run.matched == 1);
    CHECK(played.trace == Answers{1, 0, 0, 0, 1, 10, 1});
}

TEST_CASE("a data mishap fits the question of its kind, label and number in its asker's step") {
    Mishap mishap{ChoiceKind::value, {2, 2}, {}, 0, 1, 3, 77};
    CHECK(play_leniently({mishap}, Match::exact).trace == Answers{0, 0, 0, 1, 1, 11, 1});
    for (Mishap other : {Mishap{ChoiceKind::fault, {2, 2}, {}, 0, 1, 3, 77}, Mishap{ChoiceKind::value, {2, 1}, {}, 0, 1, 3, 77},
                         Mishap{ChoiceKind::value, {2, 2}, {}, 1, 1, 3, 77}, Mishap{ChoiceKind::value, {2, 2}, {}, 0, 1, 3, 7}}) {
        CHECK(play_leniently({other}, Match::exact).run.matched == 0);
    }
    mishap.who.step = 99;
    CHECK(play_leniently({mishap}, Match::entity).run.matched == 1);
}

TEST_CASE("a class that is not offered any more becomes the largest that is") {
    CHECK(play_leniently({Mishap{ChoiceKind::value, {2, 2}, {}, 0, 9, 10, 77}}, Match::exact).trace ==
          Answers{0, 0, 0, 1, 1, 12, 1});
}

TEST_CASE("each mishap is played once") {
    const Mishap mishap{ChoiceKind::value, {1, 1}, {}, 0, 1, 2, 0};
    Answers got;
    test::ToyProgram program([&](World& world) {
        world.choices().decide(ChoiceKind::fault, 2, {}, {2, 1}, 0);
        for (int i = 0; i < 2; ++i) {
            got.push_back(ask(world, 2, {1, 1}));
            world.choices().decide(ChoiceKind::fault, 2, {}, {2, 1}, 0);  // another asker: the numbers begin anew
        }
    });
    World world{WorldOptions{}};
    replay(program, world, MishapList{mishap});
    CHECK(got == Answers{1, 0});
}

TEST_CASE("a prefix answers by position, and what is larger than the classes offered becomes the largest") {
    const Tape prefix = {{0, 2, 1, ChoiceKind::schedule}, {0, 2, 7, ChoiceKind::schedule}};
    const Played played = play([&](Program& program, World& world) {
        return replay(program, world, {}, Match::exact, prefix);
    });
    CHECK(played.trace == Answers{1, 1, 10, 0, 0, 0, 1});
}

TEST_CASE("a playback makes one run") {
    StrictPlayback strict{std::span<const Choice>()};
    MishapPlayback lenient{MishapList{}};
    CHECK(strict.begin_run({0}));
    CHECK_FALSE(strict.begin_run({1}));
    CHECK(lenient.begin_run({0}));
    CHECK_FALSE(lenient.begin_run({1}));
}

}  // namespace mishap
