#include <mishap/loop/sleep.hpp>

#include <string>
#include <vector>

#include <mishap/loop/await.hpp>
#include <mishap/loop/coro.hpp>

#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

TEST_CASE("sleeping takes exactly its time in a simulated world, and no real time") {
    in_a_calm_world([] {
        sleep(24h * 30);
        CHECK(get_running_loop().time() == VirtualTime(24h * 30));
        sleep(1ns);
        CHECK(get_running_loop().time() == VirtualTime(24h * 30 + 1ns));
    });
}

TEST_CASE("sleeping takes at least its time in the real world", "[real]") {
    mishap::run([] {
        const VirtualTime begin = get_running_loop().time();
        sleep(2ms);
        CHECK(get_running_loop().time() - begin >= 2ms);
    });
}

TEST_CASE("sleep without a positive delay gives way once and sets no timer") {
    in_both_worlds([] {
        for (const auto delay : {0s, -1s}) {
            int steps = 0;
            const auto other = create_task([&] {
                ++steps;
                sleep(0s);
                ++steps;
            });
            sleep(delay);
            CHECK(steps == 1);
            await(other);
        }
    });
}

TEST_CASE("tasks that wake at one time wake in the order in which they went to sleep") {
    in_a_calm_world([] {
        std::string log;
        std::vector<Task<void>> tasks;
        for (const char name : {'a', 'b', 'c', 'd'}) {
            tasks.push_back(create_task([&log, name] {
                sleep(5ms);
                log += name;
            }));
        }
        sleep(5ms);
        for (const auto& task : tasks) {
            await(task);
        }
        CHECK(log == "abcd");
    });
}

TEST_CASE("a sleep that is cancelled takes its timer back") {
    in_a_calm_world([] {
        const auto task = create_task([] { sleep(1h); });
        sleep(1ms);
        task.cancel();
        CHECK_THROWS_AS(await(task), CancelledError);
        sleep(1ms);
        CHECK(get_running_loop().time() == VirtualTime(2ms));
    });
}

TEST_CASE("in every order, a sleep that is cancelled as its timer is due ends once and in peace (python/asyncio 255)") {
    // Setting the result of a sleep that was cancelled in the same iteration was asyncio's issue 255.
    const auto runs = in_every_order([] {
        int reports = 0;
        get_running_loop().set_exception_handler([&](EventLoop&, const LoopException&) { ++reports; });
        const auto task = create_task([] {
            sleep(1ms);
            sleep(0s);
        });
        get_running_loop().call_at(VirtualTime(1ms), [&] { task.cancel(); });
        try {
            await(task);
        } catch (const CancelledError&) {
        }
        sleep(1ms);
        CHECK(reports == 0);
        get_running_loop().set_exception_handler(nullptr);
    });
    CHECK(runs > 2);
}

TEST_CASE("a coroutine sleeps with co_await") {
    in_a_calm_world([] {
        const auto nap = []() -> Coro<> {
            co_await sleep(3ms);
            co_await sleep(0s);
        };
        await(nap());
        CHECK(get_running_loop().time() == VirtualTime(3ms));
    });
}
