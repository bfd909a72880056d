#include <mishap/sim/shrinker.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

#include <mishap/sim/exhaustive.hpp>
#include <mishap/sim/prng.hpp>
#include <mishap/sim/random_walk.hpp>

#include "support/catch.hpp"
#include "support/single_edits.hpp"
#include "toy_program.hpp"

namespace mishap {
namespace {

using Answers = std::vector<std::uint32_t>;

/// How simple a tape is: its mishaps, and the sum of their classes.
using Simplicity = std::pair<std::size_t, std::uint64_t>;

Simplicity simplicity_of(std::span<const Choice> tape) {
    return {mishap_count(tape), std::accumulate(tape.begin(), tape.end(), std::uint64_t{0},
                                                [](std::uint64_t sum, const Choice& choice) { return sum + choice.taken; })};
}

/// A program that wanders through a graph drawn from a seed: every answer leads to another state, every state asks another
/// question, and in some states the program ends, well or in one of two failures. Its calm run ends well.
class RandomProgram final : public Program {
public:
    explicit RandomProgram(std::uint64_t seed) : prng_(seed) {
        for (State& state : states_) {
            state.classes = 2 + prng_.below(3);
            state.is_schedule = prng_.below(2) == 0;
            state.asker = 1 + prng_.below(3);
            for (std::uint8_t& next : state.next) {
                next = static_cast<std::uint8_t>(prng_.below(states));
            }
            state.failure = prng_.below(5) == 0 ? 1 + prng_.below(2) : 0;
        }
        // Lead the calm run through states that do not fail.
        for (State& state : states_) {
            while (states_[state.next[0]].failure != 0) {
                state.next[0] = static_cast<std::uint8_t>((state.next[0] + 1) % states);
            }
        }
        states_[0].failure = 0;
    }

    void run(World& world) override {
        std::uint32_t at = 0;
        for (std::uint32_t depth = 1; depth <= questions && states_[at].failure == 0; ++depth) {
            world.begin_step({states_[at].asker, depth}, nullptr);
            const std::uint32_t taken = ask(world, states_[at], depth);
            at = states_[at].next.at(taken);
            world.digest().fold(taken);
        }
        if (states_[at].failure != 0) {
            test::fail(world, states_[at].failure == 1 ? "one" : "other");
        }
        world.end_verdict();
    }

private:
    static constexpr std::uint32_t states = 24;
    static constexpr std::uint32_t questions = 6;

    struct State {
        std::uint32_t classes = 2;
        bool is_schedule = false;
        std::uint64_t asker = 1;
        std::array<std::uint8_t, 4> next{};
        std::uint32_t failure = 0;
    };
    struct Entities final : CandidateSource {
        std::array<Candidate, 4> all;
        std::uint32_t count = 0;
        std::span<const Candidate> candidates() override { return std::span<const Candidate>(all).first(count); }
    };

    std::uint32_t ask(World& world, const State& state, std::uint32_t depth) {
        if (!state.is_schedule) {
            return world.choices().decide(ChoiceKind::value, state.classes, {}, {state.asker, depth}, 0);
        }
        Entities entities;
        entities.count = state.classes;
        for (std::uint32_t i = 0; i < state.classes; ++i) {
            entities.all.at(i).key = (state.asker + i) % 4 + 1;
            entities.all.at(i).step = depth;
        }
        return world.choices().schedule(state.classes, entities);
    }

    Prng prng_;
    std::array<State, states> states_;
};

/// The simplest run of each failure, by looking at every run there is.
std::map<std::string, Simplicity> simplest_failures(Program& program) {
    std::map<std::string, Simplicity> simplest;
    World world{WorldOptions{}};
    Exhaustive strategy(Exhaustive::unbounded, false);
    while (strategy.begin_run({})) {
        world.begin_run(&strategy);
        program.run(world);
        if (world.has_failed()) {
            const Simplicity found = simplicity_of(world.choices().tape());
            const auto [known, is_new] = simplest.emplace(world.finding()->label, found);
            if (!is_new) {
                known->second = std::min(known->second, found);
            }
        }
    }
    return simplest;
}

/// Returns the first failing run of a random search.
std::optional<Failure> find_failure(Program& program, World& world, std::uint64_t seed) {
    RandomWalk strategy(seed);
    SearchLimits limits;
    limits.runs_max = 200;
    return Explorer(program, world).search(strategy, limits).failure;
}

template <class F>
ShrinkResult shrink_tape(F body, const Answers& answers, const ShrinkLimits& limits = {}) {
    test::ToyProgram program(body);
    World world{WorldOptions{}};
    test::Scripted strategy(answers);
    world.begin_run(&strategy);
    program.run(world);
    REQUIRE(world.has_failed());
    const std::span<const Choice> tape = world.choices().tape();
    return shrink(program, world,
                  {0, *world.finding(), Tape(tape.begin(), tape.end()), world.verdict().digest, world.verdict().steps}, limits);
}

Replayed replayed(const Answers& answers, std::uint64_t steps) {
    Replayed run;
    for (const std::uint32_t taken : answers) {
        run.tape.push_back({0, 9, taken, ChoiceKind::value});
        if (taken != 0) {
            run.mishaps.emplace_back();
        }
    }
    run.steps = steps;
    return run;
}

}  // namespace

TEST_CASE("simpler means fewer mishaps, then smaller classes, then fewer steps, then smaller from the left") {
    const std::vector<Replayed> from_simple_to_less = {
        replayed({0, 5, 0}, 9), replayed({0, 0, 1, 1}, 3), replayed({1, 1}, 4),
        replayed({0, 1, 1}, 5), replayed({1, 0, 1}, 5),    replayed({2, 1}, 1),
    };
    for (std::size_t i = 0; i < from_simple_to_less.size(); ++i) {
        for (std::size_t j = 0; j < from_simple_to_less.size(); ++j) {
            CHECK(is_simpler(from_simple_to_less[i], from_simple_to_less[j]) == (i < j));
        }
    }
}

TEST_CASE("the shrunk tape is as simple as the simplest of all failing runs") {
    std::size_t shrunk_count = 0;
    for (std::uint64_t seed = 0; seed < 120; ++seed) {
        RandomProgram program(seed);
        const std::map<std::string, Simplicity> simplest = simplest_failures(program);
        World world{WorldOptions{}};
        for (std::uint64_t search = 0; search < 3; ++search) {
            const std::optional<Failure> failure = find_failure(program, world, search);
            if (!failure.has_value()) {
                continue;
            }
            const ShrinkResult result = shrink(program, world, *failure);
            INFO("program " << seed << ", search " << search);
            REQUIRE(result.run.finding.has_value());
            CHECK(result.run.finding->label == failure->finding.label);
            CHECK(simplicity_of(result.run.tape).first == simplest.at(failure->finding.label).first);
            CHECK(simplicity_of(result.run.tape).second == simplest.at(failure->finding.label).second);
            CHECK(result.is_minimal);
            CHECK(result.before.mishaps == mishap_count(failure->tape));
            ++shrunk_count;
        }
    }
    CHECK(shrunk_count > 200);
}

TEST_CASE("a shrink by passes alone ends in a local minimum") {
    std::size_t shrunk_count = 0;
    for (std::uint64_t seed = 0; seed < 120; ++seed) {
        RandomProgram program(seed);
        World world{WorldOptions{}};
        const std::optional<Failure> failure = find_failure(program, world, 7);
        if (!failure.has_value()) {
            continue;
        }
        const ShrinkResult result = shrink(program, world, *failure, {.search_from_scratch = false});
        INFO("program " << seed);
        CHECK(result.is_local_minimum);
        CHECK_FALSE(result.is_minimal);
        CHECK(result.run.finding->label == failure->finding.label);
        CHECK(test::simpler_by_one_edit(program, world, result.run) == std::vector<std::string>{});
        ++shrunk_count;
    }
    CHECK(shrunk_count > 80);
}

TEST_CASE("a mishap that does not matter is dropped, and a class no larger than needed is kept") {
    const auto body = [](World& world) {
        test::ask(world, 4, {1, 1});
        const std::uint32_t needed = test::ask(world, 9, {1, 2});
        test::ask(world, 4, {1, 3});
        if (needed >= 3) {
            test::fail(world, "three or more");
        }
    };
    const ShrinkResult result = shrink_tape(body, {3, 8, 1});
    CHECK(test::answers(result.run.tape) == Answers{0, 3, 0});
    CHECK(result.is_minimal);
}

TEST_CASE("two mishaps that hang together are dropped together") {
    const auto body = [](World& world) {
        const std::uint32_t first = test::ask(world, 2, {1, 1});
        const std::uint32_t second = test::ask(world, 2, {1, 2});
        const std::uint32_t third = test::ask(world, 2, {1, 3});
        if (first == second && third == 1) {
            test::fail(world, "pair");
        }
    };
    CHECK(test::answers(shrink_tape(body, {1, 1, 1}).run.tape) == Answers{0, 0, 1});
}

TEST_CASE("one mishap elsewhere is found when two cannot be thinned out") {
    const auto body = [](World& world) {
        const std::uint32_t first = test::ask(world, 3, {1, 1});
        const std::uint32_t second = test::ask(world, 3, {1, 2});
        if ((first == 1 && second == 1) || (first == 2 && second == 0)) {
            test::fail(world, "same");
        }
    };
    CHECK(test::answers(shrink_tape(body, {1, 1}).run.tape) == Answers{2, 0});
}

TEST_CASE("a mishap moves as late as the failure allows") {
    const auto body = [](World& world) {
        std::uint32_t mishaps = 0;
        for (std::uint32_t i = 1; i <= 20; ++i) {
            mishaps += test::ask(world, 2, {1, i});
        }
        if (mishaps != 0) {
            test::fail(world, "any");
        }
    };
    Answers last(20, 0);
    last.back() = 1;
    CHECK(test::answers(shrink_tape(body, {0, 1, 0, 1, 1}).run.tape) == last);
}

TEST_CASE("another failure on the way is not mistaken for this one") {
    const auto body = [](World& world) {
        const std::uint32_t first = test::ask(world, 2, {1, 1});
        const std::uint32_t second = test::ask(world, 2, {1, 2});
        if (first + second == 2) {
            test::fail(world, "both");
        } else if (first + second == 1) {
            test::fail(world, "one");
        }
    };
    const ShrinkResult result = shrink_tape(body, {1, 1});
    CHECK(test::answers(result.run.tape) == Answers{1, 1});
    CHECK(result.is_minimal);
}

TEST_CASE("a failure that needs no mishap shrinks to none") {
    const ShrinkResult result = shrink_tape(
        [](World& world) {
            test::ask(world, 3);
            test::fail(world, "always");
        },
        {2});
    CHECK(test::answers(result.run.tape) == Answers{0});
    CHECK(result.is_minimal);
}

TEST_CASE("a shrink makes no more runs than it may, and does not claim what it has not looked at") {
    std::uint64_t runs = 0;
    const auto body = [&](World& world) {
        ++runs;
        std::uint32_t mishaps = 0;
        for (std::uint32_t i = 1; i <= 30; ++i) {
            mishaps += test::ask(world, 3, {1, i}) / 2;
        }
        if (mishaps >= 5) {
            test::fail(world, "five");
        }
    };
    const ShrinkResult result = shrink_tape(body, Answers(30, 2), {.runs_max = 100});
    CHECK(result.runs <= 100);
    CHECK(runs == result.runs + 1);  // the first was made before the shrink
    CHECK_FALSE(result.is_minimal);
    CHECK_FALSE(result.is_local_minimum);
    CHECK(result.run.finding.has_value());
}

}  // namespace mishap
