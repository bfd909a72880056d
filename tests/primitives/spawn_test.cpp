#include <mishap/primitives/spawn.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <mishap/primitives/async_result.hpp>
#include <mishap/primitives/pool.hpp>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

using Numbers = std::vector<int>;

int after(std::chrono::nanoseconds delay, int result) {
    sleep(delay);
    return result;
}

std::chrono::nanoseconds since(VirtualTime begin) { return get_running_loop().time() - begin; }

Numbers results_of(const std::vector<Task<int>>& tasks) {
    Numbers results;
    for (const Task<int>& task : tasks) {
        results.push_back(task.result());
    }
    return results;
}

}  // namespace

// ---- spawn, joinall, kill ----------------------------------------------------------------------------------------------

TEST_CASE("spawn makes a task of a function and copies of its arguments, which begins in the next pass") {
    in_both_worlds([] {
        Numbers order;
        int value = 1;
        const auto note = [&](int number) { order.push_back(number); };
        spawn(note, value);
        value = 2;
        const auto last = spawn(note, 3);
        CHECK(order.empty());
        await(last);
        CHECK(order == Numbers{1, 3});
        const auto length = spawn([](const std::unique_ptr<int>& owned) { return *owned; }, std::make_unique<int>(5));
        CHECK(await(length) == 5);
        CHECK(await(spawn([](int n) -> Coro<int> { co_return n + 1; }, 6)) == 7);
    });
}

TEST_CASE("spawn_later calls the function after a delay, and never if it is killed before") {
    in_a_calm_world([] {
        int calls = 0;
        const auto count = [&] { ++calls; };
        spawn_later(2s, count);
        const auto killed = spawn_later(2s, count);
        sleep(1s);
        CHECK(calls == 0);
        CHECK(kill(killed));
        sleep(1s);
        sleep(0s);
        CHECK(calls == 1);
    });
}

TEST_CASE("joinall returns what has ended when the time is over, and lets the rest go on") {
    in_a_calm_world([] {
        const std::vector tasks{spawn(after, 3s, 3), spawn(after, 1s, 1), spawn(after, 2s, 2)};
        CHECK(results_of(joinall(tasks, {.timeout = 2500ms})) == Numbers{1, 2});
        CHECK(!tasks[0].done());
        CHECK(results_of(joinall(tasks)).size() == 3);
        CHECK(tasks[0].result() == 3);
    });
}

TEST_CASE("joinall waits for so many as it is told, in the order in which they end") {
    in_a_calm_world([] {
        const VirtualTime begin = get_running_loop().time();
        const std::vector tasks{spawn(after, 3s, 3), spawn(after, 1s, 1), spawn(after, 2s, 2)};
        CHECK(results_of(joinall(tasks, {.count = 2})) == Numbers{1, 2});
        CHECK(since(begin) == 2s);
        CHECK(results_of(joinall(tasks)) == Numbers{1, 2, 3});
        CHECK(joinall(tasks, {.count = 0}).empty());
        CHECK(joinall(std::vector<Task<int>>{}).empty());
    });
}

TEST_CASE("joinall throws what fails only if it is asked to, and a killed task is no failure") {
    in_both_worlds([] {
        const auto failing = spawn([]() -> int { throw std::runtime_error("boom"); });
        const auto killed = spawn(after, 1h, 1);
        CHECK(kill(killed));
        const std::vector tasks{killed, failing};
        CHECK(joinall(tasks).size() == 2);
        CHECK_THROWS_AS(joinall(tasks, {.raise_error = true}), std::runtime_error);
        CHECK(joinall(std::vector{killed}, {.raise_error = true}).size() == 1);
    });
}

TEST_CASE("kill waits for the end of a task, for as long as it is told") {
    in_a_calm_world([] {
        const auto cleaning = spawn([] {
            try {
                sleep(1h);
            } catch (const CancelledError&) {
                sleep(2s);
                throw;
            }
        });
        sleep(0s);
        CHECK(!kill(cleaning, 1s));
        const VirtualTime begin = get_running_loop().time();
        CHECK(kill(cleaning));  // this second request for cancellation ends its cleanup
        CHECK(since(begin) == 0s);
        CHECK(kill(cleaning));
        CHECK_THROWS_AS(kill(current_task()), UsageError);
    });
}

// ---- Pool --------------------------------------------------------------------------------------------------------------

TEST_CASE("a pool runs so many at once, and whoever wants one more waits (aiohttp 4936)") {
    in_a_calm_world([] {
        Pool pool(2);
        int running = 0;
        int most = 0;
        const auto work = [&] {
            most = std::max(most, ++running);
            sleep(1s);
            --running;
        };
        const VirtualTime begin = get_running_loop().time();
        pool.spawn(work);
        pool.spawn(work);
        CHECK(since(begin) == 0s);
        CHECK(pool.full());
        CHECK(pool.free_count() == 0);
        pool.spawn(work);
        CHECK(since(begin) == 1s);
        CHECK(pool.join());
        CHECK(since(begin) == 2s);
        CHECK(most == 2);
        CHECK(pool.size() == 0);
        CHECK(pool.free_count() == 2);
        CHECK_THROWS_AS(Pool(0), UsageError);
    });
}

TEST_CASE("a pool gives places back however its tasks end (aiohttp 835, aiohttp 253)") {
    in_both_worlds([] {
        Pool pool(1);
        const auto failing = pool.spawn([] { throw std::runtime_error("boom"); });
        const auto unbegun = pool.spawn([] {});
        unbegun.cancel();
        CHECK(await(pool.spawn([] { return 3; })) == 3);
        CHECK_THROWS_AS(await(failing), std::runtime_error);
        CHECK(pool.join());
        CHECK(pool.free_count() == 1);
    });
}

TEST_CASE("join of a pool gives up when the time is over, and an empty pool has nothing to wait for") {
    in_a_calm_world([] {
        Pool pool(1);
        CHECK(pool.join());
        pool.spawn(after, 2s, 0);
        CHECK(!pool.join(1s));
        CHECK(pool.join(2s));
    });
}

TEST_CASE("wait_available waits for a free place, for as long as it is told") {
    in_a_calm_world([] {
        Pool pool(1);
        CHECK(pool.wait_available() == 1);
        pool.spawn(after, 2s, 0);
        CHECK(pool.wait_available(1s) == 0);
        CHECK(pool.wait_available() == 1);
    });
}

TEST_CASE("kill ends all tasks of a pool, with those that get a place meanwhile") {
    in_a_calm_world([] {
        Pool pool(1);
        int ended = 0;
        const auto work = [&] {
            sleep(1h);
            ++ended;
        };
        pool.spawn(work);
        const auto blocked = create_task([&] { pool.spawn(work); });
        sleep(0s);
        const VirtualTime begin = get_running_loop().time();
        pool.kill();
        await(blocked);
        pool.kill();
        CHECK(since(begin) == 0s);
        CHECK(pool.size() == 0);
        CHECK(ended == 0);
    });
}

TEST_CASE("map gives results in the order of the items, imap_unordered in that in which they come") {
    in_a_calm_world([] {
        Pool pool(2);
        const Numbers delays{3, 1, 2};
        const auto work = [](int seconds) { return after(std::chrono::seconds(seconds), seconds * 10); };
        const VirtualTime begin = get_running_loop().time();
        CHECK(pool.map(work, delays) == Numbers{30, 10, 20});
        CHECK(since(begin) == 3s);
        Numbers results;
        for (const int result : pool.imap_unordered(work, delays)) {
            results.push_back(result);
        }
        CHECK(results == Numbers{10, 30, 20});  // the last began when the first had ended
        CHECK(pool.join());
        int calls = 0;
        pool.map([&](int) { ++calls; }, delays);
        CHECK(calls == 3);
    });
}

TEST_CASE("when an item of map fails, its error is thrown and nothing that was begun goes on") {
    in_a_calm_world([] {
        Pool pool(3);
        int ended = 0;
        const auto work = [&](int item) {
            if (item == 2) {
                throw std::runtime_error("two");
            }
            sleep(std::chrono::seconds(item));
            ++ended;
        };
        CHECK_THROWS_AS(pool.map(work, Numbers{1, 2, 3, 4}), std::runtime_error);
        sleep(10s);
        CHECK(ended == 1);
        CHECK(pool.free_count() == 3);
    });
}

TEST_CASE("imap_unordered that ends early cancels its tasks, and throws what one of them throws") {
    in_a_calm_world([] {
        Pool pool(2);
        int ended = 0;
        const auto work = [&](int item) {
            sleep(std::chrono::seconds(item));
            if (item == 2) {
                throw std::runtime_error("two");
            }
            ++ended;
            return item;
        };
        auto results = pool.imap_unordered(work, Numbers{1, 2, 3});
        CHECK(await(results.next()) == 1);
        CHECK_THROWS_AS(await(results.next()), std::runtime_error);
        CHECK(pool.join());
        CHECK(ended == 1);
        auto left = pool.imap_unordered(work, Numbers{1, 3});
        CHECK(await(left.next()) == 1);
        await(left.aclose());
        CHECK(pool.join());
        CHECK(ended == 2);
    });
}

TEST_CASE("in every order and with every cancellation, no place of a pool is lost") {
    WorldOptions options;
    options.cancellations = 1;
    const auto result = search_every_order(
        [] {
            Pool pool(1);
            int running = 0;
            const auto work = [&] {
                ++running;
                claim(running == 1, "one at a time");
                struct Leaving {
                    int& count;
                    ~Leaving() { --count; }
                } const leaving{running};
                sleep(1ms);
            };
            const auto one = create_task([&] { pool.spawn(work); });
            const auto other = create_task([&] { pool.spawn(work); });
            ended_well(one);
            ended_well(other);
            pool.join();
            claim(pool.free_count() == 1 && pool.size() == 0, "its place is free");
            pool.spawn(work);
            pool.join();
        },
        options);
    CHECK(verdict(result) == "passes");
    CHECK(result.runs > 20);
}

// ---- AsyncResult -------------------------------------------------------------------------------------------------------

TEST_CASE("everybody who waits for an AsyncResult gets its value, and so does who comes later") {
    in_both_worlds([] {
        AsyncResult<int> result;
        const auto first = spawn([&] { return result.get(); });
        const auto second = spawn([&] { return result.get(); });
        sleep(0s);
        CHECK(!result.ready());
        result.set(5);
        CHECK(result.ready());
        CHECK(result.successful());
        CHECK(await(first) + await(second) == 10);
        CHECK(result.get() == 5);
        result.set(6);
        CHECK(result.get_nowait() == 6);
    });
}

TEST_CASE("an AsyncResult throws the exception that was set, until a value is set") {
    in_both_worlds([] {
        AsyncResult<int> result;
        const auto waiting = spawn([&] { return result.get(); });
        sleep(0s);
        result.set_exception(std::make_exception_ptr(std::runtime_error("boom")));
        CHECK_THROWS_AS(await(waiting), std::runtime_error);
        CHECK(result.ready());
        CHECK(!result.successful());
        CHECK(result.exception() != nullptr);
        CHECK(result.wait());
        CHECK_THROWS_AS(result.get_nowait(), std::runtime_error);
        result.set(1);
        CHECK(result.get() == 1);
    });
}

TEST_CASE("waiting for an AsyncResult gives up when the time is over") {
    in_a_calm_world([] {
        AsyncResult<int> result;
        CHECK_THROWS_AS(result.get_nowait(), TimeoutError);
        CHECK_THROWS_AS(result.get(1s), TimeoutError);
        CHECK(!result.wait(1s));
        spawn_later(1s, [&] { result.set(1); });
        CHECK(result.get(2s) == 1);
    });
}

TEST_CASE("one who is cancelled while waiting for an AsyncResult changes nothing for the others, in any order") {
    WorldOptions options;
    options.cancellations = 2;
    const auto result = search_every_order(
        [] {
            AsyncResult<int> value;
            const auto asking = [&] { return value.get(); };
            const std::vector tasks{spawn(asking), spawn(asking), spawn(asking)};
            const auto setting = spawn([&] { value.set(1); });
            tasks[0].cancel();
            for (const auto& task : tasks) {
                if (ended_well(task)) {
                    claim(task.result() == 1, "it got the value");
                }
            }
            ended_well(setting);
        },
        options);
    CHECK(verdict(result) == "passes");
    CHECK(result.runs > 20);
}
