#include <mishap/primitives/event.hpp>

#include <vector>

#include <mishap/loop/coro.hpp>
#include <mishap/loop/sleep.hpp>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

TEST_CASE("setting an event wakes everybody who waits, in order (gevent 1520)") {
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

TEST_CASE("an event that is set, cleared and set again wakes its waiter once") {
    in_both_worlds([] {
        Event event;
        int wakes = 0;
        const auto waiter = create_task([&] {
            event.wait();
            ++wakes;
        });
        sleep(0s);
        event.set();
        event.clear();
        event.set();
        event.set();
        CHECK(event.statistics().waiting == 1);
        sleep(0s);
        CHECK(wakes == 1);
        CHECK(event.statistics().waiting == 0);
        await(waiter);
    });
}

TEST_CASE("who comes when an event is set does not wait, not even for those who were woken") {
    in_both_worlds([] {
        Event event;
        std::vector<int> order;
        const auto pass = [&](int number) {
            return [&order, &event, number] {
                event.wait();
                order.push_back(number);
            };
        };
        const auto first = create_task(pass(1));
        const auto second = create_task(pass(2));
        sleep(0s);
        const auto third = create_task(pass(3));
        event.set();
        sleep(0s);
        CHECK(order == std::vector<int>{3, 1, 2});  // as in asyncio: it was ready before they were
        await(first);
        await(second);
        await(third);
    });
}

TEST_CASE("an event can be used in coroutines") {
    in_both_worlds([] {
        Event event;
        const auto wait = [&]() -> Coro<bool> {
            co_await sleep(0s);
            event.wait();
            co_return event.is_set();
        };
        const auto waiter = create_task(wait());
        sleep(0s);
        sleep(0s);
        CHECK_FALSE(waiter.done());
        event.set();
        CHECK(await(waiter));
    });
}

TEST_CASE("statistics of an event say if it is set, and how many wait") {
    in_both_worlds([] {
        Event event;
        CHECK(event.statistics().text() == "unset");
        const auto waiter = create_task([&] { event.wait(); });
        sleep(0s);
        CHECK(event.statistics().text() == "unset, waiters:1");
        event.set();
        CHECK(event.statistics().text() == "set, waiters:1");
        await(waiter);
        CHECK(event.statistics().text() == "set");
    });
}
