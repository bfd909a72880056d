#include <mishap/properties/explore.hpp>

#include <mutex>

#include <mishap/loop/run.hpp>
#include <mishap/primitives/mutex.hpp>
#include <mishap/primitives/thread.hpp>
#include <mishap/properties/claims.hpp>
#include <mishap/sim/choose.hpp>
#include <mishap/sim/errors.hpp>

#include "outcomes.hpp"

namespace mishap {
namespace {

using namespace std::chrono_literals;
using test::contains;
using test::every_order;

/// Loses an update when another task writes between its read and its write: one mishap.
void unsafe_counter() {
    int value = 0;
    const auto a = create_task(
        [&] {
            const int read = value;
            sleep(0s);
            value = read + 1;
        },
        {.name = "a"});
    const auto b = create_task(
        [&] {
            sleep(0s);
            const int read = value;
            sleep(0s);
            value = read + 1;
        },
        {.name = "b"});
    await(a);
    await(b);
    always(value == 2, "no update is lost");
}

}  // namespace

TEST_CASE("a bug that the calm run does not show is found and shrunk to the fewest mishaps") {
    for (const auto strategy : {Strategy::automatic, Strategy::random, Strategy::exhaustive}) {
        ExploreOptions options;
        options.strategy = strategy;
        const Report report = explore(unsafe_counter, options);
        INFO(report.to_text());
        REQUIRE_FALSE(report.passed());
        CHECK(report.finding->kind == FindingKind::check);
        CHECK(contains(report.finding->place.file, "explore_test.cpp"));
        REQUIRE(report.shrunk.has_value());
        CHECK(report.shrunk->is_minimal);
        CHECK(report.mishaps.size() == 1);
        CHECK_FALSE(report.story.empty());
    }
}

TEST_CASE("what is found does not depend on the strategy, once shrunk") {
    std::set<std::string> lines;
    for (const auto strategy : {Strategy::automatic, Strategy::random, Strategy::exhaustive}) {
        ExploreOptions options;
        options.strategy = strategy;
        lines.insert(explore(unsafe_counter, options).replay_line);
    }
    CHECK(lines.size() == 1);
}

TEST_CASE("the same search gives the same report") {
    ExploreOptions options;
    options.strategy = Strategy::random;
    CHECK(explore(unsafe_counter, options).to_text() == explore(unsafe_counter, options).to_text());
}

TEST_CASE("a correct program passes in all orders, each counted once") {
    const auto program = [] {
        const auto a = create_task([] { sleep(0s); });
        const auto b = create_task([] { sleep(0s); });
        await(a);
        await(b);
    };
    const Report alone = explore(program, every_order());
    const Report in_turns = explore(program);
    CHECK(alone.passed());
    CHECK(alone.search.is_exhausted);
    CHECK(in_turns.search.is_exhausted);
    CHECK(alone.search.digests == alone.search.runs);
    CHECK(alone.headline() == in_turns.headline());
}

TEST_CASE("the seed comes from the name unless it is given") {
    ExploreOptions options;
    options.name = "one";
    const std::uint64_t seed = explore([] {}, options).seed;
    CHECK(seed == explore([] {}, options).seed);
    options.name = "two";
    CHECK(seed != explore([] {}, options).seed);
    options.seed = seed;
    CHECK(seed == explore([] {}, options).seed);
}

TEST_CASE("check throws the report, with the replay line unbroken") {
    const Report report = explore(unsafe_counter);
    try {
        check(unsafe_counter);
        FAIL("check must throw");
    } catch (const CheckFailed& error) {
        CHECK(contains(error.what(), report.finding->what));
        CHECK(contains(error.what(), "\n" + report.replay_line + "\n"));
    }
    CHECK_NOTHROW(check([] {}));
}

TEST_CASE("a program that fails calmly is reported with no mishaps") {
    const Report report = explore([] { throw std::runtime_error("broken"); });
    REQUIRE_FALSE(report.passed());
    CHECK(report.mishaps.empty());
    CHECK(report.search.runs == 1);
    CHECK(contains(report.finding->what, "broken"));
}

TEST_CASE("an exploration inside a running loop is refused") {
    const auto refused = [](auto body) {
        const Report report = explore(body);
        REQUIRE(report.finding.has_value());
        return contains(report.finding->what, "UsageError");
    };
    CHECK(refused([] { explore([] {}); }));
    CHECK(refused([] { check([] {}); }));
    CHECK(refused([] { replay("mishap1:x:any::-:0", [] {}); }));
    CHECK(refused([] { run([] {}); }));
    CHECK_THROWS_AS(run([] { explore([] {}); }), UsageError);
}

TEST_CASE("a loop can be used after a refused nested one") {
    bool done = false;
    const Report report = explore([&] {
        try {
            run([] {});
        } catch (const UsageError&) {
        }
        sleep(1s);
        done = true;
    });
    CHECK(report.passed());
    CHECK(done);
}

TEST_CASE("what makes no sense is refused") {
    CHECK_THROWS_AS(explore({}), UsageError);
    CHECK_THROWS_AS(replay("mishap1:x:any::-:0", {}), UsageError);
    CHECK_THROWS_AS(explore([] {}, {.timer_slack = -1s}), UsageError);
    CHECK_THROWS_AS(explore([] {}, {.time_max = -1s}), UsageError);
    CHECK_THROWS_AS(explore([] {}, {.step_time_max = -1s}), UsageError);
    CHECK_THROWS_AS(explore([] {}, {.time_limit = -1s}), UsageError);
    CHECK_THROWS_AS(explore([] {}, {.stride = 0}), UsageError);
    CHECK_THROWS_AS(explore([] {}, {.order = static_cast<Order>(9)}), UsageError);
    CHECK_THROWS_AS(explore([] {}, {.sweep = static_cast<Sweep>(9)}), UsageError);
    CHECK_THROWS_AS(explore([] {}, {.sharing = static_cast<Sharing>(9)}), UsageError);
    CHECK_THROWS_AS(explore([] {}, {.strategy = static_cast<Strategy::Kind>(99)}), UsageError);
    CHECK_THROWS_AS(explore([] {}, {.races = static_cast<Detect>(9)}), UsageError);
    CHECK_THROWS_AS(replay("not a line", [] {}), UsageError);
}

TEST_CASE("questions of the program's own are explored as every other") {
    CHECK(test::outcomes_of([] {
              const auto number = std::to_string(choose(3, "number"));
              return number + (chance({1, 50}, "rare") ? "r" : "") + (fault("disk") ? "f" : "");
          }).size() == 12);
}

TEST_CASE("a failure that needs the program's own answers shrinks to the smallest of them") {
    const Report report = explore([] { always(choose(10, "size") < 4, "small"); });
    REQUIRE(report.mishaps.size() == 1);
    CHECK(report.mishaps[0].mishap.taken == 4);
    CHECK(report.mishaps[0].label == "size");
}

TEST_CASE("a search that asked nothing, or in which no task waited, says so") {
    const auto has_note = [](const Report& report, const std::string& part) {
        return std::any_of(report.notes.begin(), report.notes.end(),
                           [&](const Note& note) { return contains(note.what, part); });
    };
    const Report no_choice = explore([] { sleep(1s); });
    CHECK(has_note(no_choice, "no choice"));
    const Report no_wait = explore([] {
        create_task([] {});
        create_task([] {});
        for (int i = 0; i < 4; ++i) {
            sleep(0s);
        }
    });
    CHECK(has_note(no_wait, "no task ever waited"));
    const Report contended = explore([] {
        const auto a = create_task([] { sleep(0s); });
        await(a);
        await(create_task([] {}));
    });
    CHECK_FALSE(has_note(contended, "no task ever waited"));
    const Report threads = explore([] {
        Mutex mutex;
        const auto body = [&] { const std::lock_guard guard(mutex); };
        Thread one(body);
        Thread two(body);
        one.join();
        two.join();
    });
    CHECK_FALSE(has_note(threads, "no task ever waited"));  // they wait for each other
}

}  // namespace mishap
