#include <mishap/primitives/wait_for.hpp>

#include <stdexcept>

#include <mishap/primitives/condition.hpp>
#include <mishap/primitives/gather.hpp>
#include <mishap/primitives/queue.hpp>

#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

TEST_CASE("wait_for returns the result of what ends in time") {
    in_both_worlds([] {
        const auto coroutine = []() -> Coro<int> {
            co_await sleep(1ms);
            co_return 2;
        };
        CHECK(wait_for([] { return 1; }, 1h) == 1);
        CHECK(wait_for(coroutine(), 1h) == 2);
        CHECK(wait_for(coroutine, 1h) == 2);
        CHECK(wait_for(create_task([] { return 3; }), 1h) == 3);
        CHECK(wait_for(create_task([] { return 4; }), std::nullopt) == 4);
        const Future<int> future = get_running_loop().create_future<int>();
        get_running_loop().call_soon([future] { future.set_result(5); });
        CHECK(wait_for(future, 1h) == 5);
        CHECK_THROWS_AS(wait_for([] { throw std::runtime_error("x"); }, 1h), std::runtime_error);
        CHECK(std::get<0>(wait_for(gather_future([] { return 6; }), 1h)) == 6);
    });
}

TEST_CASE("wait_for runs a function in the current task") {
    in_both_worlds([] {
        const auto me = current_task();
        CHECK(wait_for([me] { return current_task() == me; }, 1h));
    });
}

TEST_CASE("wait_for cancels a task that is late, and waits until it has ended (bpo-32751)") {
    in_a_calm_world([] {
        bool cleaned_up = false;
        const auto task = create_task([&] {
            try {
                sleep(1h);
            } catch (const CancelledError&) {
                sleep(5ms);
                cleaned_up = true;
                throw;
            }
        });
        CHECK_THROWS_AS(wait_for(task, 1ms), TimeoutError);
        CHECK(cleaned_up);
        CHECK(task.cancelled());
        CHECK(get_running_loop().time() == VirtualTime(6ms));
    });
}

TEST_CASE("with no time left, wait_for gives what is done and never begins anything") {
    in_both_worlds([] {
        for (const auto delay : {0ns, -1ns}) {
            bool began = false;
            CHECK_THROWS_AS(wait_for([&] { began = true; }, delay), TimeoutError);
            CHECK(!began);
            const auto task = create_task([] { return 3; });
            await(task);
            CHECK(wait_for(task, delay) == 3);
            const auto pending = create_task([] { sleep(1h); });
            sleep(0s);
            CHECK_THROWS_AS(wait_for(pending, delay), TimeoutError);
            CHECK(pending.cancelled());
        }
    });
}

TEST_CASE("with no time left, wait_for waits for a cancelled task's clean-up and returns a result that comes even so") {
    in_both_worlds([] {
        const auto stubborn = create_task([] {
            try {
                sleep(1h);
            } catch (const CancelledError&) {
                sleep(1ms);
            }
            return 8;
        });
        sleep(0s);
        CHECK(wait_for(stubborn, 0s) == 8);
    });
}

TEST_CASE("an error in the clean-up of a task that is late is what wait_for throws") {
    in_both_worlds([] {
        for (const auto delay : {0ms, 1ms}) {
            const auto task = create_task([] {
                try {
                    sleep(1h);
                } catch (const CancelledError&) {
                    throw std::runtime_error("clean-up");
                }
            });
            sleep(0s);
            CHECK_THROWS_AS(wait_for(task, delay), std::runtime_error);
        }
    });
}

TEST_CASE("with no time left, wait_for is the one who gets the message of a cancelled task") {
    in_both_worlds([] {
        const auto task = create_task([] { sleep(1h); });
        task.cancel("message");
        CHECK_THROWS_AS(wait_for(task, 0s), TimeoutError);
        std::string message = "not cancelled";
        try {
            await(task);
        } catch (const CancelledError& error) {
            message = error.message();
        }
        CHECK(message.empty());
    });
}

TEST_CASE("a task that is late and swallows its cancellation gives its result") {
    in_both_worlds([] {
        const auto stubborn = create_task([] {
            try {
                sleep(1h);
            } catch (const CancelledError&) {
            }
            return 9;
        });
        CHECK(wait_for(stubborn, 1ms) == 9);
        CHECK(current_task().cancelling() == 0);
    });
}

TEST_CASE("cancelling who waits cancels what is waited for") {
    in_both_worlds([] {
        const auto inner = create_task([] { sleep(1h); });
        const auto outer = create_task([&] { wait_for(inner, 1h); });
        sleep(1ms);
        outer.cancel("stop");
        CHECK_THROWS_AS(await(outer), CancelledError);
        CHECK(inner.cancelled());
    });
}

TEST_CASE("who is cancelled as the result comes is cancelled (bpo-42130, gh-86296)") {
    in_both_worlds([] {
        const Future<int> future = get_running_loop().create_future<int>();
        const auto outer = create_task([&] { return wait_for(future, 1h); });
        sleep(0s);
        future.set_result(1);
        CHECK(outer.cancel());
        CHECK_THROWS_AS(await(outer), CancelledError);
        CHECK(outer.cancelled());
        CHECK(future.result() == 1);
    });
}

TEST_CASE("in every order, a connection that wait_for was to fetch is not lost (bpo-37658, asyncpg 548)") {
    // With an own task for the inner function, its result was dropped when the outer task was cancelled in the same
    // iteration. Inline there is one task: either it never had the connection or it gives it back.
    const auto runs = in_every_order(
        [] {
            int open = 0;
            const auto worker = create_task([&] {
                const auto connect = [&] {
                    const auto reply = create_task([] {});
                    await(reply);
                    ++open;
                    return 1;
                };
                wait_for(connect, 1h);
                --open;
            });
            const auto canceller = create_task([&] { worker.cancel(); });
            try {
                await(worker);
            } catch (const CancelledError&) {
            }
            await(canceller);
            CHECK(open == 0);
        },
        {.cancellations = 1});
    CHECK(runs > 5);
}

TEST_CASE("in every order, a request for cancellation is not swallowed by wait_for (gh-86296, gh-87555)") {
    in_every_order([] {
        const auto task = create_task([] {
            const auto reply = create_task([] { return 1; });
            wait_for(reply, 1h);
            sleep(0s);
        });
        bool was_accepted = false;
        const auto canceller = create_task([&] { was_accepted = task.cancel(); });
        try {
            await(task);
            await(canceller);
            CHECK(!was_accepted);
        } catch (const CancelledError&) {
            CHECK(was_accepted);
        }
    });
}

TEST_CASE("in every order, with time that passes, wait_for ends in a result or in TimeoutError and leaves nothing") {
    bool in_time = false;
    bool late = false;
    in_every_order(
        [&] {
            const auto task = create_task([] {
                sleep(0s);
                return 1;
            });
            try {
                in_time = wait_for(task, 1ms) == 1;
            } catch (const TimeoutError&) {
                late = true;  // also when the result came, but the deadline before this task resumed
            }
            CHECK(task.done());
            CHECK(current_task().cancelling() == 0);
        },
        {.time_passes = 1});
    CHECK(in_time);
    CHECK(late);
}

TEST_CASE("wait_for costs asyncio's hops") {
    // The ticks were counted with CPython 3.13.
    in_a_calm_world([] {
        int ticks = 0;
        const auto ticker = create_task([&] {
            for (;;) {
                sleep(0s);
                ++ticks;
            }
        });
        sleep(0s);
        int begin = ticks;
        CHECK_THROWS_AS(wait_for(get_running_loop().create_future<int>(), 0s), TimeoutError);
        CHECK(ticks - begin == 2);
        begin = ticks;
        CHECK_THROWS_AS(wait_for([] {}, 0s), TimeoutError);
        CHECK(ticks - begin == 3);
        begin = ticks;
        wait_for([] {}, 1h);
        CHECK(ticks == begin);
        ticker.cancel();
    });
}

TEST_CASE("a task that is cancelled while wait_for waits for a cancelled task leaves no callback behind") {
    in_both_worlds([] {
        const Future<void> gate = get_running_loop().create_future<void>();
        const auto stubborn = create_task([&] {
            try {
                sleep(1h);
            } catch (const CancelledError&) {
            }
            await(gate);
        });
        sleep(0s);
        const auto outer = create_task([&] { wait_for(stubborn, 0s); });
        sleep(1ms);
        outer.cancel();
        CHECK_THROWS_AS(await(outer), CancelledError);
        gate.set_result();
        await(stubborn);
        sleep(0s);
    });
}

TEST_CASE("wait_for refuses to run outside a task") { CHECK_THROWS_AS(wait_for([] {}, 1s), UsageError); }

TEST_CASE("in every order, an item that comes as wait_for(queue.get()) gives up is not lost "
          "(python/asyncio 343, python/asyncio 201, gh-92824, anyio 146)") {
    const auto runs = in_every_order(
        [] {
            Queue<int> queue;
            int got = 0;
            const auto getter = create_task([&] {
                try {
                    got += wait_for([&] { return queue.get(); }, 1s);
                } catch (const TimeoutError&) {
                }
            });
            const auto putter = create_task([&] {
                sleep(1s);
                queue.put(1);
            });
            try {
                await(getter);
            } catch (const CancelledError&) {
            }
            try {
                await(putter);
            } catch (const CancelledError&) {
                CHECK(got + static_cast<int>(queue.qsize()) <= 1);
                return;
            }
            CHECK(got + static_cast<int>(queue.qsize()) == 1);
        },
        {.cancellations = 1});
    CHECK(runs > 3);
}

TEST_CASE("wait_for(condition.wait()) that is late leaves with the lock held (bpo-32751, bpo-33638, bpo-42600, bpo-41891)") {
    in_a_calm_world([] {
        Condition condition;
        const auto other = create_task([&] {
            sleep(500ms);
            const auto guard = condition.guard();
            sleep(2s);
        });
        {
            const auto guard = condition.guard();
            CHECK_THROWS_AS(wait_for([&] { condition.wait(); }, 1s), TimeoutError);
            CHECK(other.done());  // it had the lock until then
            CHECK(condition.locked());
        }
        CHECK(!condition.locked());
    });
}

TEST_CASE("a request for cancellation before a wait_for of what is done comes at the next wait (gh-107547)") {
    in_both_worlds([] {
        const auto done = get_running_loop().create_future<int>();
        done.set_result(1);
        bool went_on = false;
        const auto task = create_task([&] {
            current_task().cancel();
            CHECK(wait_for(done, 1s) == 1);
            CHECK(current_task().cancelling() == 1);
            sleep(0s);
            went_on = true;
        });
        CHECK_THROWS_AS(await(task), CancelledError);
        CHECK(!went_on);
    });
}
