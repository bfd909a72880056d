// Scripts: one run that goes as a test says, and what is said when it cannot.

#include <mishap/sim/script.hpp>

#include <mishap/primitives/primitives.hpp>
#include <mishap/properties/claims.hpp>
#include <mishap/sim/choose.hpp>

#include "outcomes.hpp"

namespace mishap {
namespace {

using namespace std::chrono_literals;
using test::contains;
using test::tells;

Report follow(const std::function<void()>& body, Script script, ScriptFit fit = ScriptFit::whole) {
    return explore(body, {.script = std::move(script), .script_fit = fit});
}

/// Makes the run that the script tells, which passes, of a body that writes down in which order things come.
std::string order_under(Script script, int steps = 3, ScriptFit fit = ScriptFit::whole) {
    std::string order;
    const Report report = follow(
        [&] {
            order.clear();
            const auto say = [&](char who) {
                return [&order, who, steps] {
                    for (int i = 0; i < steps; ++i) {
                        order += who;
                        checkpoint(std::string("said ") + std::to_string(i + 1));
                        sleep(0s);
                    }
                };
            };
            const auto a = create_task(say('a'), {.name = "a"});
            const auto b = create_task(say('b'), {.name = "b"});
            const auto c = create_task(say('c'), {.name = "c"});
            gather(a, b, c);
        },
        std::move(script), fit);
    INFO(report.to_text());
    CHECK(report.passed());
    return order;
}

/// A worker that reads, waits and writes, and one that adds in a single step.
void lossy_counter() {
    int value = 0;
    const auto worker = create_task(
        [&] {
            const int read = value;
            checkpoint("read done");
            sleep(0s);
            value = read + 1;
        },
        {.name = "worker"});
    const auto other = create_task(
        [&] {
            sleep(0s);
            sleep(0s);
            ++value;
            checkpoint("added");
        },
        {.name = "other"});
    await(worker);
    await(other);
    always(value == 2, "nothing is lost");
}

}  // namespace

TEST_CASE("what no constraint speaks of is calm") {
    CHECK(order_under({at("main/a", 1).before("main/b", 1)}) == "abcabcabc");
}

TEST_CASE("a step waits for another's step") {
    CHECK(order_under({at("main/c", 1).before("main/a", 1)}) == "bcabcabca");
    CHECK(order_under({at("main/c", 3).before("main/a", 2).before("main/b", 2)}) == "abcccabab");
    CHECK(order_under({at("main/b", 2).before("main/a", 2), at("main/c", 2).before("main/b", 2)}) == "abccbacba");
}

TEST_CASE("a step waits for another's checkpoint, which may be one of several of that name") {
    CHECK(order_under({at("main/c", "said 2").before("main/a", 2)}) == "abcbcabca");
    const std::string twice = [] {
        std::string order;
        const Report report = follow(
            [&] {
                order.clear();
                const auto say = [&](char who) {
                    return [&order, who] {
                        for (int i = 0; i < 3; ++i) {
                            order += who;
                            checkpoint("said");
                            sleep(0s);
                        }
                    };
                };
                const auto a = create_task(say('a'), {.name = "a"});
                const auto b = create_task(say('b'), {.name = "b"});
                gather(a, b);
            },
            {at("main/b", "said", 2).before("main/a", 1)});
        CHECK(report.passed());
        return order;
    }();
    CHECK(twice == "bbabaa");
}

TEST_CASE("whoever is held at a checkpoint goes no further than that") {
    CHECK(order_under({at("main/c", "said 3").before("main/a", "said 1")}) == "abcbcbcaa");
}

TEST_CASE("the schedule of the design's example finds what it is there to find") {
    CHECK(explore(lossy_counter, {.strategy = Strategy::exhaustive, .runs_max = 1}).passed());
    const Report report = follow(lossy_counter, {at("main/other", "added").before("main/worker", "read done")});
    INFO(report.to_text());
    REQUIRE_FALSE(report.passed());
    CHECK(report.finding->label == "nothing is lost");
    CHECK(report.search.runs == 1);
    CHECK(contains(report.to_text(), "\"read done\""));
    CHECK_FALSE(replay(report.replay_line, lossy_counter).passed());
}

TEST_CASE("check() throws for what a script finds, and for a script that is not followed") {
    CHECK_THROWS_AS(check(lossy_counter, {.script = {at("main/other", "added").before("main/worker", "read done")}}),
                    CheckFailed);
    CHECK_THROWS_AS(check(lossy_counter, {.script = {at("main/other", "removed").before("main/worker", 1)}}), CheckFailed);
    CHECK_NOTHROW(check(lossy_counter, {.script = {at("main/worker", 2).before("main/other", 3)}}));
}

TEST_CASE("a task is cancelled where the script says, whatever the options allow") {
    bool was_cancelled = false;
    const auto body = [&] {
        was_cancelled = false;
        const auto victim = create_task(
            [&] {
                try {
                    sleep(1s);
                    checkpoint("slept");
                    sleep(1s);
                    sleep(1s);
                } catch (const CancelledError&) {
                    was_cancelled = get_running_loop().time() == VirtualTime(2s);
                }
            },
            {.name = "victim"});
        await(victim);
    };
    CHECK(follow(body, {at("main/victim", 3).cancelled()}).passed());
    CHECK(was_cancelled);
    CHECK(follow(body, {at("main/victim", "slept").cancelled()}).passed());
    CHECK(was_cancelled);
}

TEST_CASE("questions of the program get the answers that the script gives them") {
    std::string answers;
    const auto body = [&] {
        answers = std::to_string(choose(5, "size"));
        answers += std::to_string(choose(5, "size"));
        answers += fault("disk") ? 'f' : '-';
        answers += chance({1, 50}, "rare") ? 'r' : '-';
    };
    CHECK(follow(body, {at("main", 1).gets("size", 3)}).passed());
    CHECK(answers == "30--");
    CHECK(follow(body, {at("main", 1).gets("size", 2, 1), at("main", 1).gets("disk", 1), at("main", 1).gets("rare", 1)})
              .passed());
    CHECK(answers == "02fr");
}

TEST_CASE("a wait yields, and time passes, where the script says") {
    std::string order;
    const auto body = [&] {
        order.clear();
        Lock lock;
        const auto one = create_task(
            [&] {
                const auto guard = lock.guard();
                order += '1';
            },
            {.name = "one"});
        const auto two = create_task([&] { order += '2'; }, {.name = "two"});
        TimerHandle timer = get_running_loop().call_later(1s, [&] { order += 't'; });
        gather(one, two);
        sleep(2s);
    };
    CHECK(follow(body, {at("main/one", 1).yields()}).passed());
    CHECK(order == "21t");
    CHECK(follow(body, {at_tick(1).before("main/two", 1)}).passed());
    CHECK(order == "12t");  // the clock moves, and the timer is ready behind what was ready before
    CHECK(follow(body, {at_tick(1).before("main/one", 1).before("main/two", 1),
                        at("main/timer#1/callbacks#0", 1).before("main/two", 1)},
                 ScriptFit::as_far_as_possible)
              .passed());
}

TEST_CASE("deadlines within the slack come due together where the script says") {
    std::string order;
    const auto body = [&] {
        order.clear();
        const auto late = create_task([&] { sleep(2ms); order += 'l'; }, {.name = "late"});
        const auto early = create_task([&] { sleep(1ms); order += 'e'; }, {.name = "early"});
        gather(late, early);
    };
    ExploreOptions options;
    options.timer_slack = 5ms;
    options.script = {at_tick(1).makes_further_due(1), at("main/late", 2).before("main/early", 2)};
    const Report report = explore(body, options);
    INFO(report.to_text());
    CHECK(report.passed());
    CHECK(order == "le");
}

TEST_CASE("threads are held back as tasks are, from before their first operation") {
    std::string order;
    const auto body = [&] {
        order.clear();
        Shared<int> value{0, "value"};
        const auto say = [&](char who) {
            return [&, who] {
                checkpoint("begun");
                value.fetch_add(1);
                order += who;
                value.fetch_add(1);
                order += who;
            };
        };
        Thread a(say('a'), {"a"});
        Thread b(say('b'), {"b"});
        a.join();
        b.join();
    };
    ExploreOptions options;
    options.script = {at("main/b", 1).before("main/a", 2)};
    CHECK(explore(body, options).passed());
    CHECK(order == "abba");  // calm, the thread that went last goes on
    options.script = {at("main/b", 2).before("main/a", "begun")};
    CHECK(explore(body, options).passed());
    CHECK(order == "bbaa");
}

TEST_CASE("a script is told apart from the program when it is not followed") {
    struct Case {
        Constraint constraint;
        const char* why;
    };
    const Case cases[] = {
        {at("main/worker", "read it").before("main/other", 1),
         "main/other came first, in its step 1: nothing else could go; main/worker had made 2 steps and had ended"},
        {at("main/worker", 9).before("main/other", 99), "the run never came to main/worker's step 9"},
        {at("main/worker", 1).before("main/other", 99), "the run never came to main/other's step 99; main/other had made 3 steps"},
        {at("main/nobody", 1).before("main/other", 99), "there was no main/nobody; there are main, main/worker"},
        {at("main/worker", 2).cancelled(), "only a task that was woken by a future"},
        {at("main/worker", 2).gets("size", 1), "nothing of the kind was asked at main/worker's step 2"},
    };
    for (const Case& expected : cases) {
        const Report report = follow(lossy_counter, {at("main/worker", 1).before("main/other", 1), expected.constraint});
        INFO(report.to_text());
        REQUIRE_FALSE(report.passed());
        CHECK(report.finding->kind == FindingKind::script);
        CHECK(report.finding->details.size() == 1);
        CHECK(tells(report, to_text(expected.constraint) + ": "));
        CHECK(tells(report, expected.why));
        CHECK(contains(report.to_text(), "1 of 2 constraints came about"));
    }
}

TEST_CASE("constraints that contradict each other are refused while the run is made") {
    const Report report = follow(lossy_counter, {at("main/worker", 1).before("main/other", 1),
                                                 at("main/other", 1).before("main/worker", 1)});
    INFO(report.to_text());
    REQUIRE_FALSE(report.passed());
    CHECK(report.finding->kind == FindingKind::script);
    CHECK(tells(report, "main/worker came first, in its step 1: everything that could go was held back; main/other had not begun"));
}

TEST_CASE("what is alone cannot be held back, and the report says that") {
    const auto body = [] {
        const auto first = create_task([] { sleep(0s); }, {.name = "first"});
        await(first);
        await(create_task([] {}, {.name = "second"}));
    };
    const Report report = follow(body, {at("main/second", 1).before("main/first", 2)});
    INFO(report.to_text());
    REQUIRE_FALSE(report.passed());
    CHECK(tells(report, "main/first came first, in its step 2: nothing else could go; there was no main/second"));
}

TEST_CASE("a question with fewer answers than the script gives is reported") {
    const Report report = follow([] { static_cast<void>(choose(3, "size")); }, {at("main", 1).gets("size", 7)});
    REQUIRE_FALSE(report.passed());
    CHECK(tells(report, "the question has only 3 answers, 0 to 2"));
}

TEST_CASE("as far as possible, what is not followed is a note") {
    const Report report = follow(lossy_counter, {at("main/nobody", 1).before("main/other", 1)}, ScriptFit::as_far_as_possible);
    INFO(report.to_text());
    CHECK(report.passed());
    REQUIRE(report.notes.size() == 1);
    CHECK(contains(report.notes.front().what, "not as the script says: at(\"main/nobody\", 1)"));
    CHECK(contains(report.to_text(), "the run that the script tells passes"));
    CHECK(order_under({at("main/nobody", 1).before("main/a", 2), at("main/c", 1).before("main/b", 1)}, 3,
                      ScriptFit::as_far_as_possible) == "acbcbcb" "aa");
}

TEST_CASE("scripts that make no sense are refused before any run") {
    CHECK_THROWS_AS(follow(lossy_counter, {at("main/a", 0).cancelled()}), UsageError);
    CHECK_THROWS_AS(follow(lossy_counter, {at("main/a", 1).before("main/a", 2)}), UsageError);
}

TEST_CASE("checkpoints leave a run what it is") {
    const auto run = [](bool says) {
        const Report report = explore([says] {
            const auto task = create_task(
                [says] {
                    if (says) {
                        checkpoint("here");
                    }
                    sleep(0s);
                    always(false, "found");
                },
                {.name = "a"});
            await(task);
        });
        return report.run->digest;
    };
    CHECK(run(true) == run(false));
}

}  // namespace mishap
