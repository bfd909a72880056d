// Whether asyncio's own order fails as well: each answer has a program that must get it.

#include <memory>

#include <mishap/primitives/primitives.hpp>
#include <mishap/primitives/shared.hpp>
#include <mishap/primitives/thread.hpp>
#include <mishap/properties/claims.hpp>
#include <mishap/properties/explore.hpp>
#include <mishap/sim/choose.hpp>

#include "outcomes.hpp"

namespace mishap {
namespace {

using namespace std::chrono_literals;
using test::contains;
using Verdict = FifoLegality::Verdict;

/// Two tasks that go once each; the claim is that `first` does so first.
void claim_first(bool asks_for_fault) {
    const auto winner = std::make_shared<char>('-');
    const auto go = [winner](char who) { *winner = *winner == '-' ? who : *winner; };
    const auto first = create_task([=] { go('a'); }, {.name = "first"});
    const auto second = create_task([=] { go('b'); }, {.name = "second"});
    const bool has_fault = asks_for_fault && fault("disk");
    gather(first, second);
    always(*winner == 'a' || (asks_for_fault && !has_fault), "first is first");
}

FifoLegality legality_of(const Report& report) {
    INFO(report.to_text());
    REQUIRE(report.finding.has_value());
    REQUIRE(report.fifo.has_value());
    CHECK(contains(report.to_text(), report.fifo->to_text() + "\n"));
    return *report.fifo;
}

}  // namespace

TEST_CASE("what fails calmly fails in asyncio as it is") {
    const auto program = [] { always(false, "never right"); };
    const FifoLegality legality = legality_of(explore(program));
    CHECK(legality.verdict == Verdict::as_it_is);
    CHECK(legality.runs == 1);
    CHECK(contains(legality.replay_line, ":fifo:"));
    CHECK_FALSE(replay(legality.replay_line, program).passed());
}

TEST_CASE("a fault that is enough by itself fails in asyncio as it is") {
    const auto program = [] {
        sleep(1s);
        always(!fault("disk"), "the disk works");
    };
    const FifoLegality legality = legality_of(explore(program));
    CHECK(legality.verdict == Verdict::as_it_is);
    CHECK_FALSE(replay(legality.replay_line, program).passed());
}

TEST_CASE("what takes another order of ready tasks is impossible in asyncio's") {
    const FifoLegality legality = legality_of(explore([] { claim_first(false); }));
    CHECK(legality.verdict == Verdict::impossible);
    CHECK(legality.runs == 1);
    CHECK(legality.replay_line.empty());
}

TEST_CASE("with a mishap whose place in asyncio's order is a guess nothing is called impossible") {
    const FifoLegality legality = legality_of(explore([] { claim_first(true); }));
    CHECK(legality.verdict == Verdict::not_seen);
    CHECK(legality.runs == 2);
}

TEST_CASE("a deadline that comes while somebody is at work can come so in asyncio, with other timings") {
    const auto program = [] {
        const auto is_ready = std::make_shared<bool>(false);
        const auto worker = create_task(
            [=] {
                sleep(1ms);
                sleep(0s);
                sleep(0s);
                *is_ready = true;
            },
            {.name = "worker"});
        sleep(2ms);
        always(*is_ready, "the work takes no time");
        await(worker);
    };
    const Report report = explore(program, {.time_passes = 1});
    const FifoLegality legality = legality_of(report);
    CHECK(legality.verdict == Verdict::other_timings);
    CHECK(legality.runs == 2);
    const Report again = replay(legality.replay_line, program);
    REQUIRE_FALSE(again.passed());
    CHECK(again.finding->signature() == report.finding->signature());
}

TEST_CASE("threads take other turns in asyncio's order too") {
    const auto program = [] {
        const auto count = std::make_shared<Shared<int>>(0, "count");
        const auto add = [count] {
            const int seen = count->load();
            count->store(seen + 1);
        };
        Thread one(add);
        Thread two(add);
        one.join();
        two.join();
        always(count->load() == 2, "both count");
    };
    const Report report = explore(program, {.races = Detect::off, .lost_updates = Detect::off});
    const FifoLegality legality = legality_of(report);
    CHECK(legality.verdict == Verdict::other_timings);
    CHECK(legality.runs > 1);
}

TEST_CASE("the question has a limit, can be left out, and is none in asyncio's order itself") {
    const auto program = [] {
        const auto sleep_often = [](std::chrono::milliseconds delay) {
            for (int i = 0; i < 4; ++i) {
                sleep(delay);
            }
        };
        const auto worker = create_task([=] { sleep_often(3ms); });
        sleep_often(10ms);
        await(worker);
        claim_first(false);
    };
    const FifoLegality legality = legality_of(explore(program, {.fifo_runs_max = 3}));
    CHECK(legality.verdict == Verdict::not_seen);
    CHECK(legality.runs == 3);
    CHECK_FALSE(explore(program, {.fifo_runs_max = 0}).fifo.has_value());
    CHECK_FALSE(explore([] { always(false, "never right"); }, {.order = Order::fifo}).fifo.has_value());
}

}  // namespace mishap
