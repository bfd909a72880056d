#include <mishap/sim/choices.hpp>

#include "support/catch.hpp"
#include "toy_program.hpp"

namespace mishap {
namespace {

using Answers = std::vector<std::uint32_t>;
using test::ask;
using test::Scripted;
using test::ToyLoop;

constexpr EntityStep someone{7, 3};

struct Asked {
    explicit Asked(Answers answers) : strategy(std::move(answers)) { world.begin_run(&strategy); }
    Choices& choices() { return world.choices(); }
    Scripted strategy;
    World world{WorldOptions{}};
};

}  // namespace

TEST_CASE("a question with one answer is neither asked nor recorded") {
    Asked run({1});
    ToyLoop loop(run.world, {1});
    CHECK(ask(run.world, 1) == 0);
    CHECK(loop.step() == 0);
    CHECK(run.strategy.asked.empty());
    CHECK(run.choices().tape().empty());
}

TEST_CASE("what the strategy answers is what the program gets and the tape keeps") {
    Asked run({2, 0, 1});
    CHECK(ask(run.world, 4) == 2);
    CHECK(ask(run.world, 2) == 0);
    ToyLoop loop(run.world, {1, 1});
    CHECK(loop.step() == 1);
    const std::span<const Choice> tape = run.choices().tape();
    REQUIRE(tape.size() == 3);
    CHECK(tape[0].taken == 2);
    CHECK(tape[0].classes == 4);
    CHECK(tape[0].kind == ChoiceKind::value);
    CHECK(tape[1].is_mishap() == false);
    CHECK(tape[2].kind == ChoiceKind::schedule);
    CHECK(mishap_count(tape) == 2);
}

TEST_CASE("without a strategy every answer is the calm one and nothing is recorded") {
    World world{WorldOptions{}};
    world.begin_run(nullptr);
    CHECK(ask(world, 4) == 0);
    CHECK_FALSE(world.choices().is_asking());
    CHECK(world.choices().tape().empty());
}

TEST_CASE("after be_calm the strategy is asked no more and the tape stays as it is") {
    Asked run({1, 1});
    ask(run.world, 2);
    run.choices().be_calm();
    CHECK(ask(run.world, 2) == 0);
    CHECK(run.strategy.asked.size() == 1);
    CHECK(run.choices().tape().size() == 1);
}

TEST_CASE("a run that its strategy gives up goes on calmly, unrecorded, and says so") {
    Asked run({1, Strategy::abandon, 1});
    ask(run.world, 2);
    CHECK_FALSE(run.choices().is_abandoned());
    CHECK(ask(run.world, 2) == 0);
    CHECK(run.choices().is_abandoned());
    CHECK(ask(run.world, 2) == 0);
    CHECK(run.choices().tape().size() == 1);
    run.world.begin_run(&run.strategy);
    CHECK_FALSE(run.choices().is_abandoned());
}

TEST_CASE("a question tells its depth, the digest so far, who asks, and who made the last step") {
    Asked run({0, 1});
    ask(run.world, 2);
    run.choices().step_made({5, 9}, StepEnd::yielded);
    const std::uint64_t digest = run.world.digest().value();
    run.choices().decide(ChoiceKind::fault, 3, {}, someone, 42);
    const Question& question = run.strategy.asked.at(1);
    CHECK(question.depth == 1);
    CHECK(question.digest == digest);
    CHECK(question.kind == ChoiceKind::fault);
    CHECK(question.classes == 3);
    CHECK(question.asker == 7);
    CHECK(question.asker_step == 3);
    CHECK(question.key == 42);
    CHECK((question.previous == EntityStep{5, 9}));
    CHECK(question.previous_end == StepEnd::yielded);
    CHECK(run.choices().tape()[1].digest == static_cast<std::uint32_t>(digest));
}

TEST_CASE("the data questions of a step are numbered, and the next step begins anew") {
    Asked run({});
    for (const EntityStep asker : {EntityStep{1, 1}, EntityStep{1, 1}, EntityStep{1, 2}, EntityStep{2, 2}}) {
        ask(run.world, 2, asker);
    }
    Answers ordinals;
    for (const Question& question : run.strategy.asked) {
        ordinals.push_back(question.ordinal);
    }
    CHECK(ordinals == Answers{0, 1, 0, 0});
}

TEST_CASE("the first question of a run has number 0 even if the last run ended in the same step") {
    Asked run({});
    ask(run.world, 2, someone);
    run.world.begin_run(&run.strategy);
    run.strategy.begin_run({});
    ask(run.world, 2, someone);
    CHECK(run.strategy.asked.at(0).ordinal == 0);
}

TEST_CASE("a mishap is kept with what names it in other runs") {
    Asked run({0, 2, 1});
    run.choices().keep_mishaps(true);
    ask(run.world, 3, someone, 42);
    ask(run.world, 3, someone, 43);
    ToyLoop loop(run.world, {1, 1});
    loop.step();
    const MishapList& mishaps = run.choices().mishaps();
    REQUIRE(mishaps.size() == 2);
    CHECK((mishaps[0] == Mishap{ChoiceKind::value, someone, {}, 1, 2, 3, 43}));
    CHECK((mishaps[1] == Mishap{ChoiceKind::schedule, {2, 1}, {1, 1}, 0, 1, 2, 0}));
}

TEST_CASE("answers to data questions are collected for the step when somebody wants them") {
    Asked run({1, 0, 2});
    ask(run.world, 3);
    CHECK(run.choices().data_classes().empty());
    run.choices().keep_data_classes(true);
    ask(run.world, 3);
    ask(run.world, 3);
    CHECK(run.choices().data_classes() == Answers{0, 2});
    run.choices().clear_data_classes();
    CHECK(run.choices().data_classes().empty());
}

TEST_CASE("weights are seen by the question that has them, and by no later one") {
    struct Weighing final : Strategy {
        const char* name() const override { return "weighing"; }
        bool begin_run(const RunInfo&) override { return true; }
        std::uint32_t pick(const Question& question) override {
            sizes.push_back(question.weights.size());
            return 0;
        }
        std::vector<std::size_t> sizes;
    } strategy;
    World world{WorldOptions{}};
    world.begin_run(&strategy);
    const std::array<std::uint32_t, 2> weights = {49, 1};
    world.choices().decide(ChoiceKind::chance, 2, weights, someone, 0);
    ToyLoop(world, {1, 1}).step();
    CHECK(strategy.sizes == std::vector<std::size_t>{2, 0});
}

}  // namespace mishap
