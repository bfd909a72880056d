#include <mishap/primitives/event.hpp>

#include <vector>

#include <mishap/loop/sleep.hpp>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

TEST_CASE("setting an event wakes everybody who waits, in order") {
    in_both_worlds([] {
        Event event;
        std::vector<int> order;
        std::vector<Task<void>> tasks;
        for (int i = 1; i <= 3; ++i) {
            tasks.push_back(create_task([&, i] {
                event.wait();
                order.push_back(i);
            }));
        }
        sleep(0s);
        CHECK(order.empty());
        event.set();
        CHECK(order.empty());  // notified is not resumed
        sleep(0s);
        CHECK(order == std::vector<int>{1, 2, 3});
        for (const auto& task : tasks) {
            await(task);
        }
    });
}

TEST_CASE("waiting for an event that is set does not yield") {
    in_both_worlds([] {
        Event event;
        event.set();
        bool has_other_run = false;
        const auto other = create_task([&] { has_other_run = true; });
        event.wait();
        CHECK_FALSE(has_other_run);
        await(other);
    });
}

TEST_CASE("a cancelled wait leaves the event as it is") {
    in_both_worlds([] {
        Event event;
        const auto waiter = create_task([&] { event.wait(); });
        sleep(0s);
        waiter.cancel();
        CHECK_FALSE(ended_well(waiter));
        CHECK_FALSE(event.is_set());
        event.set();
    });
}

TEST_CASE("a cleared event can be set again") {
    in_both_worlds([] {
        Event event;
        CHECK_FALSE(event.is_set());
        event.set();
        event.set();
        CHECK(event.is_set());
        event.clear();
        event.clear();
        CHECK_FALSE(event.is_set());
    });
}

TEST_CASE("whoever waits when an event is set goes on although it is cleared at once") {
    in_both_worlds([] {
        Event event;
        bool was_set = true;
        const auto waiter = create_task([&] {
            event.wait();
            was_set = event.is_set();
        });
        sleep(0s);
        event.set();
        event.clear();
        await(waiter);
        CHECK_FALSE(was_set);
    });
}

TEST_CASE("nobody waits for ever on an event that was set, in every order") {
    const auto body = [] {
        Event event;
        std::vector<Task<void>> tasks;
        for (int i = 0; i < 3; ++i) {
            tasks.push_back(create_task([&] { event.wait(); }));
        }
        const auto setter = create_task([&] { event.set(); });
        for (const auto& task : tasks) {
            ended_well(task);
        }
        ended_well(setter);
    };
    CHECK(verdict(search_every_order(body, {.cancellations = 2})) == "passes");
}

TEST_CASE("the search finds a waiter that comes after the event was cleared") {
    const auto body = [] {
        Event event;
        const auto waiter = create_task([&] { event.wait(); });
        sleep(0s);
        event.set();
        event.clear();
        await(waiter);
    };
    CHECK(verdict(search_every_order(body)) == "stuck");
}

TEST_CASE("an event can be set outside a loop, and waited for only in a task") {
    Event event{"ready"};
    event.set();
    CHECK(event.is_set());
    CHECK_THROWS_AS(event.wait(), UsageError);
    in_both_worlds([&] { event.wait(); });
}
