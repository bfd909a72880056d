#include <mishap/sim/detail/shrink_passes.hpp>

#include <algorithm>
#include <optional>
#include <string>

#include "support/catch.hpp"
#include "support/single_edits.hpp"
#include "toy_program.hpp"

namespace mishap {
namespace {

using Answers = std::vector<std::uint32_t>;

/// A toy program, a failing run of it, and a session that has begun with that run.
template <class F>
class Shrinking {
public:
    Shrinking(F body, const Answers& answers, const ShrinkLimits& limits = {})
        : program_(body) {
        test::Scripted strategy(answers);
        world_.begin_run(&strategy);
        program_.run(world_);
        REQUIRE(world_.has_failed());
        const Tape tape(world_.choices().tape().begin(), world_.choices().tape().end());
        session_.emplace(program_, world_, world_.finding()->signature(), limits);
        REQUIRE(session_->begin(tape));
    }
    detail::ShrinkSession& session() { return *session_; }
    Answers best() const { return test::answers(session_->best().tape); }
    Program& program() { return program_; }
    World& world() { return world_; }

private:
    test::ToyProgram<F> program_;
    World world_{WorldOptions{}};
    std::optional<detail::ShrinkSession> session_;
};

/// Asks `count` yes-or-no questions, each in a step of its own, and returns the answers.
Answers ask_all(World& world, std::uint32_t count) {
    Answers answers;
    for (std::uint32_t i = 1; i <= count; ++i) {
        answers.push_back(test::ask(world, 2, {1, i}));
    }
    return answers;
}

}  // namespace

TEST_CASE("mishaps that can only go together are dropped as a stretch") {
    const auto body = [](World& world) {
        const Answers given = ask_all(world, 4);
        if (given[0] == given[1] && given[3] == 1) {
            test::fail(world, "pair");
        }
    };
    Shrinking shrinking(body, {1, 1, 0, 1});
    CHECK_FALSE(detail::drop_entities(shrinking.session()));  // there is one entity, and without it nothing fails
    Shrinking four(body, {1, 1, 1, 1});
    CHECK(detail::drop_stretches(four.session()));
    CHECK(four.best() == Answers{0, 0, 0, 1});
}

TEST_CASE("what one entity did wrong is dropped although another's mishaps lie in between") {
    Shrinking shrinking(
        [](World& world) {
            const std::uint32_t first = test::ask(world, 2, {1, 1});
            const std::uint32_t other = test::ask(world, 2, {2, 1});
            const std::uint32_t last = test::ask(world, 2, {1, 2});
            if (first == last && other == 1) {
                test::fail(world, "other");
            }
        },
        {1, 1, 1});
    CHECK_FALSE(detail::drop_stretches(shrinking.session()));
    CHECK(detail::drop_entities(shrinking.session()));
    CHECK(shrinking.best() == Answers{0, 1, 0});
}

TEST_CASE("a mishap is made calm although that gives other numbers to the steps behind it") {
    Shrinking shrinking(
        [](World& world) {
            const std::uint32_t first = test::ask(world, 2, {1, 1});
            if (test::ask(world, 2, {1, 2 + first}) == 1) {
                test::fail(world, "second");
            }
        },
        {1, 1});
    CHECK_FALSE(detail::drop_stretches(shrinking.session()));
    CHECK(detail::calm_stretches(shrinking.session()));
    CHECK(shrinking.best() == Answers{0, 1});
}

TEST_CASE("a class is lowered to the smallest that fails, in few runs however many there are") {
    Shrinking shrinking(
        [](World& world) {
            if (test::ask(world, 100'000) >= 70'000) {
                test::fail(world, "much");
            }
        },
        {99'999});
    while (detail::lower_classes(shrinking.session())) {
    }
    CHECK(shrinking.best() == Answers{70'000});
    CHECK(shrinking.session().runs() < 400);
}

TEST_CASE("a mishap moves to the latest question that still fails") {
    Shrinking shrinking(
        [](World& world) {
            const Answers given = ask_all(world, 50);
            for (std::size_t i = 0; i < 33; ++i) {
                if (given[i] == 1) {
                    test::fail(world, "early enough");
                }
            }
        },
        {0, 0, 1});
    while (detail::move_later(shrinking.session())) {
    }
    CHECK(shrinking.session().best().tape[32].is_mishap());
}

TEST_CASE("a mishap moves to an earlier question when the failure then takes fewer steps") {
    Shrinking shrinking(
        [](World& world) {
            for (std::uint32_t i = 1; i <= 20 && !world.has_failed(); ++i) {
                world.begin_step({1, i}, nullptr);
                if (test::ask(world, 2, {1, i}) == 1) {
                    test::fail(world, "any");
                }
            }
        },
        {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
    CHECK_FALSE(detail::move_later(shrinking.session()));
    while (detail::move_earlier(shrinking.session())) {
    }
    CHECK(shrinking.best() == Answers{1});
}

TEST_CASE("an entity that went too early goes as late as the failure allows") {
    // Entity 3 must go before entity 1 is done. Calmly 1 goes first, then 2; so whom it overtakes changes on the way.
    Shrinking shrinking(
        [](World& world) {
            test::ToyLoop loop(world, {4, 1, 1});
            std::uint32_t first_made = 0;
            while (!loop.is_over()) {
                const std::size_t who = loop.step();
                first_made += who == 0 ? 1 : 0;
                if (who == 2 && first_made < 4) {
                    test::fail(world, "overtaken");
                }
            }
        },
        {2});
    CHECK(detail::delay_entities(shrinking.session()));
    const Answers best = shrinking.best();
    CHECK(Answers(best.begin(), best.begin() + 4) == Answers{0, 0, 0, 2});
}

TEST_CASE("every pass has a name of its own and leaves a local minimum as it is") {
    std::vector<std::string> names;
    for (const detail::ShrinkPass& pass : detail::shrink_passes()) {
        CHECK(std::find(names.begin(), names.end(), pass.name) == names.end());
        names.emplace_back(pass.name);
        Shrinking shrinking(
            [](World& world) {
                const Answers given = ask_all(world, 4);
                if (given[1] + given[2] + given[3] == 2) {
                    test::fail(world, "two of three");
                }
            },
            {0, 0, 1, 1});
        CHECK_FALSE(pass.run(shrinking.session()));
        CHECK(shrinking.best() == Answers{0, 0, 1, 1});
    }
}

TEST_CASE("single edits alone reach a local minimum") {
    Shrinking shrinking(
        [](World& world) {
            std::uint32_t sum = 0;
            for (std::uint32_t i = 1; i <= 12; ++i) {
                sum += test::ask(world, 4, {1, i});
            }
            if (sum >= 5) {
                test::fail(world, "five");
            }
        },
        {3, 3, 0, 1, 2, 0, 3});
    while (detail::try_single_edits(shrinking.session())) {
    }
    CHECK(test::simpler_by_one_edit(shrinking.program(), shrinking.world(), shrinking.session().best()).empty());
    CHECK(mishap_count(shrinking.session().best().tape) == 2);
}

TEST_CASE("an edit that was refused is not played again") {
    std::uint64_t runs = 0;
    Shrinking shrinking(
        [&](World& world) {
            ++runs;
            if (ask_all(world, 3)[2] == 1) {
                test::fail(world, "third");
            }
        },
        {0, 0, 1});
    CHECK(detail::make_local_minimum(shrinking.session()));
    const std::uint64_t needed = runs;
    CHECK(detail::make_local_minimum(shrinking.session()));
    CHECK(runs == needed);
}

TEST_CASE("passes that ran out of budget do not claim a local minimum") {
    const auto body = [](World& world) {
        ask_all(world, 12);
        test::fail(world, "always");
    };
    Shrinking poor(body, Answers(12, 1), {.runs_max = 2});
    CHECK_FALSE(detail::make_local_minimum(poor.session()));
    CHECK(poor.session().runs() == 2);
    Shrinking rich(body, Answers(12, 1));
    CHECK(detail::make_local_minimum(rich.session()));
    CHECK(rich.best() == Answers(12, 0));
}

TEST_CASE("a shrink ends when its time is over") {
    Shrinking shrinking(
        [](World& world) {
            ask_all(world, 12);
            test::fail(world, "always");
        },
        Answers(12, 1), {.time_max = std::chrono::nanoseconds(1)});
    CHECK_FALSE(detail::make_local_minimum(shrinking.session()));
    CHECK(shrinking.best() == Answers(12, 1));
}

TEST_CASE("a run is measured: switches away from who could have gone on, faults, mishaps, steps") {
    const auto body = [](World& world) {
        test::ToyLoop loop(world, {2, 2});
        while (!loop.is_over()) {
            loop.step();
        }
        world.choices().decide(ChoiceKind::fault, 2, {}, {1, 2}, 0);
        world.choices().decide(ChoiceKind::value, 2, {}, {1, 2}, 0);
        test::fail(world, "always");
    };
    test::ToyProgram program(body);
    World world{WorldOptions{}};
    const auto measured = [&](const Answers& answers) {
        test::Scripted strategy(answers);
        world.begin_run(&strategy);
        program.run(world);
        const Tape tape(world.choices().tape().begin(), world.choices().tape().end());
        return measure_run(program, world, tape);
    };
    CHECK(measured({0, 0, 0, 0}) == RunSize{.mishaps = 0, .switches = 0, .tasks = 0, .faults = 0, .steps = 4});
    // Entity 2, then 1 although 2 could have gone on, then 2 although 1 could have.
    CHECK(measured({1, 0, 1, 1, 1}) == RunSize{.mishaps = 4, .switches = 2, .tasks = 0, .faults = 1, .steps = 4});
}

}  // namespace mishap
