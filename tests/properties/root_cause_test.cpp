#include <mishap/properties/root_cause.hpp>

#include <algorithm>
#include <vector>

#include <mishap/primitives/primitives.hpp>
#include <mishap/properties/claims.hpp>
#include <mishap/sim/choose.hpp>

#include "outcomes.hpp"

namespace mishap {
namespace {

using namespace std::chrono_literals;
using test::contains;

/// Fails when the answer number `fatal` of `answers` is the last of four; each is given in a step of its own.
auto one_fatal_answer(int answers, int fatal) {
    return [answers, fatal] {
        bool is_lost = false;
        for (int i = 0; i < answers; ++i) {
            const std::uint32_t answer = choose(4);
            is_lost = is_lost || (i == fatal && answer == 3);
            sleep(0s);
        }
        always(!is_lost, "it is not lost");
    };
}

RootCause explained(const Report& report) {
    INFO(report.to_text());
    REQUIRE(report.finding.has_value());
    REQUIRE(report.root_cause.has_value());
    return *report.root_cause;
}

}  // namespace

TEST_CASE("the answer that makes a failure inevitable is named, with the chances before and after it") {
    const RootCause cause = explained(explore(one_fatal_answer(10, 6)));
    REQUIRE(cause.inevitable.has_value());
    CHECK(cause.inevitable->before.kept == 6);
    CHECK(cause.inevitable->after.kept == 7);
    CHECK(cause.inevitable->row == 6);
    CHECK(cause.rows == 11);
    CHECK(contains(cause.inevitable->what, "main#7 goes on"));
    CHECK(contains(cause.inevitable->what, "gets 3"));
    CHECK(cause.inevitable->before.percent() > 10);
    CHECK(cause.inevitable->before.percent() < 40);
    CHECK(cause.inevitable->after.percent() == 100);
    CHECK(cause.largest->after.kept == 7);
    CHECK(cause.curve.size() == 11);
}

TEST_CASE("on a tape too long to be tried everywhere the answer is found by halving, within the budget") {
    for (const int fatal : {0, 17, 123, 298, 299}) {
        INFO("fatal answer " << fatal);
        const RootCause cause = explained(explore(one_fatal_answer(300, fatal), {.shrink_runs_max = 300}));
        REQUIRE(cause.inevitable.has_value());
        CHECK(cause.inevitable->before.kept == static_cast<std::size_t>(fatal));
        CHECK(cause.inevitable->after.kept == static_cast<std::size_t>(fatal) + 1);
        CHECK(cause.curve.size() < 60);
        CHECK(cause.runs <= 2'000);
    }
}

TEST_CASE("a failure that no answer could prevent is said to be inevitable from the start") {
    const auto program = [] {
        const auto a = create_task([] { sleep(0s); });
        const auto b = create_task([] { sleep(0s); });
        await(a);
        await(b);
        always(false, "never");
    };
    const Report report = explore(program);
    const RootCause cause = explained(report);
    CHECK(cause.is_inevitable_from_the_start());
    CHECK_FALSE(cause.closest.has_value());
    CHECK(cause.curve.front().percent() == 100);
    CHECK(contains(report.to_text(), "the failure is inevitable from the start (failure probability 1.00)\n"));
}

TEST_CASE("a program without a choice fails from the start") {
    const RootCause cause = explained(explore([] { always(false, "never"); }));
    CHECK(cause.is_inevitable_from_the_start());
    CHECK_FALSE(cause.largest.has_value());
}

TEST_CASE("two answers that are needed both share the blame: the larger step is told beside the last one") {
    // After the first the chance is 3 in 4, with the second it is 1.
    const auto program = [] {
        const bool first = choose(10) == 9;
        sleep(0s);
        const bool second = choose(4) != 0;
        always(!(first && second), "not both");
    };
    const Report report = explore(program);
    const RootCause cause = explained(report);
    REQUIRE(cause.inevitable.has_value());
    CHECK(cause.inevitable->before.kept == 1);
    REQUIRE(cause.largest.has_value());
    CHECK(cause.largest->before.kept == 0);
    CHECK(cause.largest->after.percent() > 60);
    CHECK(contains(report.to_text(), "the failure becomes inevitable at step 2 of 2: "));
    CHECK(contains(report.to_text(), "it becomes more likely at step 1 of 2: "));
}

TEST_CASE("the closest passing run differs in one mishap, parts as late as it can, and passes") {
    const auto program = one_fatal_answer(10, 6);
    const Report report = explore(program);
    const RootCause cause = explained(report);
    REQUIRE(cause.closest.has_value());
    CHECK(cause.closest->rows_common == 6);
    REQUIRE(cause.closest->removed.size() == 1);
    CHECK(to_text(cause.closest->removed.front()) == to_text(report.mishaps.front()));
    CHECK(cause.closest->added.empty());
    REQUIRE_FALSE(cause.closest->failing.empty());
    CHECK(contains(cause.closest->failing.front().did, "gets 3"));
    REQUIRE_FALSE(cause.closest->passing.empty());
    CHECK_FALSE(contains(cause.closest->passing.front().did, "gets"));
    CHECK(mishap_count(cause.closest->tape) == 0);
}

TEST_CASE("an injected cancellation is the culprit of what it breaks") {
    const auto program = [] {
        bool is_open = false;
        const auto user = create_task(
            [&] {
                is_open = true;
                sleep(1s);
                is_open = false;
            },
            {.name = "user"});
        try {
            await(user);
        } catch (const CancelledError&) {
        }
        always(!is_open, "it is closed");
    };
    const RootCause cause = explained(explore(program, {.cancellations = 1}));
    REQUIRE(cause.inevitable.has_value());
    CHECK(contains(cause.inevitable->what, "main/user#2"));
    CHECK(contains(cause.inevitable->what, "is cancelled before it resumes"));
    REQUIRE(cause.closest.has_value());
    CHECK(to_text(cause.closest->removed.front()) == "cancel@main/user#2");
}

TEST_CASE("among threads the culprit is the operation that came in between") {
    const auto program = [] {
        Shared<int> n{0, "n"};
        const auto add = [&] { n.store(n.load() + 1); };
        // Of one name: it is the same failure whichever of them loses its update.
        Thread one(add, {.name = "adder"});
        Thread two(add, {.name = "adder"});
        one.join();
        two.join();
    };
    const Report report = explore(program, {.races = Detect::off});
    const RootCause cause = explained(report);
    INFO(report.to_text());
    REQUIRE(cause.inevitable.has_value());
    CHECK(contains(cause.inevitable->what, "Shared.load"));  // both have now read
    CHECK(cause.inevitable->after.percent() == 100);
    CHECK(cause.closest.has_value());
}

TEST_CASE("an explanation is the same each time, and another seed gives other estimates") {
    const auto program = one_fatal_answer(10, 6);
    const auto failures = [&](std::uint64_t seed) {
        std::vector<std::uint64_t> result;
        for (const RootCause::Estimate& estimate : explained(explore(program, {.seed = seed})).curve) {
            result.push_back(estimate.failures);
        }
        return result;
    };
    CHECK(failures(1) == failures(1));
    CHECK(failures(1) != failures(2));
}

TEST_CASE("an explanation makes no more runs than it may, and none when it is not wanted") {
    const auto program = one_fatal_answer(10, 6);
    CHECK(explained(explore(program, {.root_cause_runs_max = 25})).runs == 25);
    CHECK_FALSE(explore(program, {.root_cause = false}).root_cause.has_value());
    CHECK_FALSE(explore(program, {.shrink = false}).root_cause.has_value());
}

}  // namespace mishap
