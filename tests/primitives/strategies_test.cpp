// The strategies of sim at work on tasks.

#include <functional>
#include <memory>

#include <mishap/loop/sleep.hpp>
#include <mishap/primitives/lock.hpp>
#include <mishap/primitives/shared.hpp>
#include <mishap/sim/choose.hpp>
#include <mishap/sim/delay_bounded.hpp>
#include <mishap/sim/pct.hpp>
#include <mishap/sim/pos.hpp>
#include <mishap/sim/preemption_bounded.hpp>
#include <mishap/sim/random_walk.hpp>
#include <mishap/sim/surw.hpp>
#include <mishap/sim/urw.hpp>

#include "support/catch.hpp"
#include "support/search.hpp"

namespace mishap {
namespace {

using namespace std::chrono_literals;

using MakeStrategy = std::function<std::unique_ptr<Strategy>(std::uint64_t seed)>;

std::vector<MakeStrategy> all_strategies() {
    return {
        [](std::uint64_t seed) { return std::make_unique<Pct>(3, seed); },
        [](std::uint64_t seed) { return std::make_unique<Pos>(seed); },
        [](std::uint64_t seed) { return std::make_unique<Urw>(seed); },
        [](std::uint64_t seed) { return std::make_unique<Surw>(seed); },
        [](std::uint64_t) { return std::make_unique<PreemptionBounded>(); },
        [](std::uint64_t) { return std::make_unique<DelayBounded>(); },
    };
}

/// Tasks that wait, create others, use a lock and a shared variable, sleep, and ask for a value.
void use_much() {
    Shared<int> n{0, "n"};
    Lock lock;
    const auto work = [&] {
        const std::unique_lock<Lock> guard(lock);
        n.store(n.load() + 1);
        sleep(0s);
        if (choose(3) == 2) {
            sleep(1ms);
        }
    };
    const auto parent = create_task(
        [&] {
            const auto child = create_task(work, {.name = "child"});
            sleep(0s);
            await(child);
        },
        {.name = "parent"});
    const auto other = create_task(work, {.name = "other"});
    await(parent);
    await(other);
    test::claim(n.load() == 2, "both have added");
}

/// One task makes 30 steps; another makes one, and fails if it is the last.
void last_of_many() {
    Shared<int> n{0, "n"};
    const auto many = create_task(
        [&] {
            for (int i = 0; i < 30; ++i) {
                n.store(i);
                sleep(0s);
            }
            n.store(30);
        },
        {.name = "many"});
    const auto one = create_task([&] { test::claim(n.load() != 30, "not last"); }, {.name = "one"});
    await(many);
    await(one);
}

WorldOptions with_mishaps() {
    WorldOptions options;
    options.cancellations = 0;
    options.forced_yields = 1;
    options.time_passes = 1;
    return options;
}

}  // namespace

TEST_CASE("every strategy searches programs of tasks, and the same again") {
    for (const MakeStrategy& make : all_strategies()) {
        const std::unique_ptr<Strategy> strategy = make(5);
        const std::unique_ptr<Strategy> same = make(5);
        INFO(strategy->name());
        const SearchResult result = test::search_with(*strategy, use_much, with_mishaps(), 2'000);
        CHECK_FALSE(result.failure.has_value());
        CHECK_FALSE(result.has_diverged);
        CHECK((result.runs == 2'000 || result.is_exhausted));
        CHECK(result.digests > 100);
        const SearchResult again = test::search_with(*same, use_much, with_mishaps(), 2'000);
        CHECK(again.digests == result.digests);
        CHECK(again.steps == result.steps);
        CHECK(again.choices == result.choices);
    }
}

TEST_CASE("what must stay behind through many steps is found by those who keep it behind") {
    RandomWalk walk(5);
    CHECK_FALSE(test::search_with(walk, last_of_many, {}, 2'000).failure.has_value());
    Pct pct(1, 5);
    CHECK(test::search_with(pct, last_of_many, {}, 100).failure.has_value());
    Urw urw(5);
    CHECK(test::search_with(urw, last_of_many, {}, 500).failure.has_value());
    Surw surw(5);
    CHECK(test::search_with(surw, last_of_many, {}, 2'000).failure.has_value());
}

TEST_CASE("delay bounding orders the runs of tasks by their distance from asyncio's order") {
    // asyncio's order, one delay at each place where two are ready, and so on.
    DelayBounded calm(0);
    const SearchResult one = test::search_with(calm, use_much, {}, 1'000);
    CHECK(one.runs == 1);
    CHECK_FALSE(one.is_exhausted);
    DelayBounded once(1);
    const SearchResult some = test::search_with(once, use_much, {}, 1'000);
    CHECK(some.runs > 2);
    DelayBounded all;
    const SearchResult every = test::search_with(all, use_much, {}, 100'000);
    CHECK(every.is_exhausted);
    Exhaustive exhaustive;
    CHECK(test::search_with(exhaustive, use_much, {}, 100'000).runs == every.runs);
}

}  // namespace mishap
