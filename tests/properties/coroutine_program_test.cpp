#include <chrono>
#include <memory>
#include <stdexcept>

#include <mishap/loop/coro.hpp>
#include <mishap/loop/run.hpp>
#include <mishap/properties/claims.hpp>
#include <mishap/properties/explore.hpp>

#include "support/catch.hpp"

namespace {

using namespace mishap;
using namespace std::chrono_literals;

Coro<void> fails_after_a_while() {
    co_await sleep(1ms);
    always(false, "never reached in peace");
}

}  // namespace

TEST_CASE("a program that is a coroutine is run, not only made") {
    CHECK_FALSE(explore(fails_after_a_while).passed());
    CHECK_FALSE(explore([] { return fails_after_a_while(); }).passed());
    CHECK_THROWS_AS(check(fails_after_a_while), CheckFailed);
    const Report report = explore(fails_after_a_while);
    CHECK(replay(report.replay_line, fails_after_a_while).finding->signature() == report.finding->signature());
}

TEST_CASE("a task made of a function that returns a coroutine has the coroutine's result") {
    const auto answer = []() -> Coro<int> {
        co_await sleep(1ms);
        co_return 42;
    };
    CHECK(run([&] { return await(create_task(answer)); }) == 42);
    CHECK(run(answer) == 42);
}

TEST_CASE("run throws what its function threw when the result could not be copied") {
    CHECK_THROWS_AS(run([]() -> std::unique_ptr<int> { throw std::runtime_error("no"); }), std::runtime_error);
}

TEST_CASE("a running task cannot be given an exception through its own handle") {
    run([] {
        CHECK_THROWS_AS(current_task().set_exception(std::make_exception_ptr(std::runtime_error("no"))), UsageError);
    });
}

TEST_CASE("a sleep too long for nanoseconds is not over at once") {
    const Report report = explore([] { sleep(std::chrono::hours::max()); });
    CHECK(report.finding->kind == FindingKind::over_budget);
}

TEST_CASE("a search of no runs is refused") {
    CHECK_THROWS_AS(explore([] {}, {.runs_max = 0}), UsageError);
}

TEST_CASE("a program without choices has one order, however few runs are allowed") {
    const Report report = explore([] { sleep(0s); }, {.runs_max = 1});
    CHECK(report.search.is_exhausted);
}

TEST_CASE("time does not pass beyond what the run may take") {
    const Report report = explore(
        [] {
            const auto sleeper = create_task([] { sleep(std::chrono::hours(24 * 400)); });
            sleep(0s);
            sleeper.cancel();
        },
        {.time_passes = 1});
    CHECK(report.passed());
}
