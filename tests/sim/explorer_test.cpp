#include <mishap/sim/explorer.hpp>

#include <mishap/sim/exhaustive.hpp>
#include <mishap/sim/random_walk.hpp>

#include "support/catch.hpp"
#include "toy_program.hpp"

namespace mishap {
namespace {

using test::ask;

/// Asks two questions of three answers, and fails when both are mishaps and their sum is 4.
void two_questions(World& world) {
    const std::uint32_t first = ask(world, 3, {1, 1});
    const std::uint32_t second = ask(world, 3, {1, 2});
    if (first + second == 4) {
        test::fail(world, "both");
    }
}

template <class F>
SearchResult search(F body, Strategy& strategy, const SearchLimits& limits = {}) {
    test::ToyProgram program(body);
    World world{WorldOptions{}};
    return Explorer(program, world).search(strategy, limits);
}

/// Tells which runs it is asked to begin.
class Numbers final : public Strategy {
public:
    const char* name() const override { return "numbers"; }
    bool begin_run(const RunInfo& run) override {
        begun.push_back(run.number);
        return run.number < 20;
    }
    std::uint32_t pick(const Question&) override { return 0; }
    void end_run(const Summary& summary) override { summaries.push_back(summary); }
    std::vector<std::uint64_t> begun;
    std::vector<Summary> summaries;
};

}  // namespace

TEST_CASE("a search ends with the strategy's last run, and counts what it made") {
    Exhaustive strategy;
    const SearchResult result = search([](World& world) { ask(world, 3), ask(world, 2); }, strategy);
    CHECK(result.is_exhausted);
    CHECK(result.runs == 6);
    CHECK(result.choices == 12);
    CHECK(result.digests == 6);
    CHECK_FALSE(result.failure.has_value());
}

TEST_CASE("equal runs are counted once among the distinct ones") {
    Numbers strategy;
    const SearchResult result = search([](World& world) { ask(world, 2); }, strategy);
    CHECK(result.runs == 20);
    CHECK(result.digests == 1);
    CHECK_FALSE(result.is_exhausted);
}

TEST_CASE("the first run that fails ends the search and is kept") {
    Exhaustive strategy;
    const SearchResult result = search(two_questions, strategy);
    REQUIRE(result.failure.has_value());
    CHECK(result.failure->run == 8);
    CHECK(result.runs == 9);
    CHECK(result.failure->finding.label == "both");
    CHECK(test::answers(result.failure->tape) == std::vector<std::uint32_t>{2, 2});
    CHECK_FALSE(result.is_exhausted);
}

TEST_CASE("a search makes no more runs than it may") {
    RandomWalk strategy(1);
    SearchLimits limits;
    limits.runs_max = 5;
    CHECK(search([](World& world) { ask(world, 2); }, strategy, limits).runs == 5);
    limits.runs_max = 0;
    CHECK(search([](World& world) { ask(world, 2); }, strategy, limits).runs == 0);
}

TEST_CASE("first run and stride say which runs are made") {
    Numbers strategy;
    SearchLimits limits;
    limits.first_run = 2;
    limits.stride = 5;
    CHECK(search([](World&) {}, strategy, limits).runs == 4);
    CHECK(strategy.begun == std::vector<std::uint64_t>{2, 7, 12, 17, 22});
}

TEST_CASE("a failing run has its own number, not the count of runs") {
    RandomWalk strategy(1);
    SearchLimits limits;
    limits.first_run = 3;
    limits.stride = 4;
    const SearchResult result = search(two_questions, strategy, limits);
    REQUIRE(result.failure.has_value());
    CHECK(result.failure->run == 3 + 4 * (result.runs - 1));
}

TEST_CASE("the strategy is told how each run ended") {
    Numbers strategy;
    search([](World& world) { test::fail(world, "at once"); }, strategy);
    REQUIRE(strategy.summaries.size() == 1);
    CHECK(strategy.summaries[0].failed);
    CHECK_FALSE(strategy.summaries[0].abandoned);
    CHECK_FALSE(strategy.summaries[0].over_budget);
}

TEST_CASE("notes of all runs are kept, equal ones once") {
    Exhaustive strategy;
    const SearchResult result = search(
        [](World& world) {
            world.note({FindingKind::leaked_task, ask(world, 3) == 2 ? "two" : "other"});
        },
        strategy);
    CHECK(result.notes == std::vector<Note>{{FindingKind::leaked_task, "other"}, {FindingKind::leaked_task, "two"}});
}

TEST_CASE("the first finding of a run stands") {
    Exhaustive strategy;
    const SearchResult result = search(
        [](World& world) {
            test::fail(world, "first");
            test::fail(world, "second");
        },
        strategy);
    CHECK(result.failure->finding.label == "first");
}

TEST_CASE("a run leaves nothing in its world for the next") {
    Exhaustive strategy;
    std::vector<std::int64_t> times;
    std::vector<std::uint64_t> digests;
    search(
        [&](World& world) {
            times.push_back(world.now_ns());
            digests.push_back(world.digest().value());
            CHECK(world.steps() == 0);
            CHECK(world.notes().empty());
            world.move_clock(5);
            world.begin_step({1, 1}, nullptr);
            world.note({});
            ++world.spent().cancellations;
            CHECK(world.spent().cancellations == 1);
            ask(world, 3);
            world.begin_teardown();
        },
        strategy);
    CHECK(times == std::vector<std::int64_t>{0, 0, 0});
    CHECK(digests == std::vector<std::uint64_t>(3, digests.front()));
}

}  // namespace mishap
