#include <mishap/loop/event_loop.hpp>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <mishap/loop/await.hpp>
#include <mishap/loop/coro.hpp>
#include <mishap/loop/sleep.hpp>

#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

TEST_CASE("call_soon calls in order, in the next iteration") {
    in_both_worlds([] {
        std::vector<int> log;
        EventLoop& loop = get_running_loop();
        loop.call_soon([&] {
            log.push_back(1);
            get_running_loop().call_soon([&] { log.push_back(3); });
        });
        loop.call_soon([&] { log.push_back(2); });
        CHECK(log.empty());
        sleep(0s);
        CHECK(log == std::vector<int>{1, 2});
        sleep(0s);
        CHECK(log == std::vector<int>{1, 2, 3});
    });
}

TEST_CASE("in every order, callbacks of one task keep their order") {
    const auto runs = in_every_order([] {
        std::vector<int> log;
        get_running_loop().call_soon([&] { log.push_back(1); });
        get_running_loop().call_soon([&] { log.push_back(2); });
        const auto other = create_task([&] {
            get_running_loop().call_soon([&] { log.push_back(3); });
            sleep(1ms);
        });
        await(other);
        sleep(1ms);
        REQUIRE(log.size() == 3);
        CHECK(std::find(log.begin(), log.end(), 1) < std::find(log.begin(), log.end(), 2));
    });
    CHECK(runs > 1);
}

TEST_CASE("a cancelled handle is not called, even when it is ready already") {
    in_both_worlds([] {
        std::vector<int> log;
        EventLoop& loop = get_running_loop();
        Handle second;
        Handle third;
        loop.call_soon([&] {
            log.push_back(1);
            second.cancel();
            third.cancel();
            third.cancel();
        });
        second = loop.call_soon([&] { log.push_back(2); });
        third = loop.call_soon([&] { log.push_back(3); });
        loop.call_soon([&] { log.push_back(4); });
        sleep(0s);
        CHECK(log == std::vector<int>{1, 4});
        CHECK(second.cancelled());
    });
}

TEST_CASE("a timer that is due with another can be cancelled by it") {
    in_a_calm_world([] {
        bool was_called = false;
        EventLoop& loop = get_running_loop();
        TimerHandle second;
        loop.call_later(1ms, [&] { second.cancel(); });
        second = loop.call_later(1ms, [&] { was_called = true; });
        sleep(2ms);
        CHECK(!was_called);
    });
}

TEST_CASE("a callback may cancel itself") {
    in_both_worlds([] {
        Handle self;
        int calls = 0;
        self = get_running_loop().call_soon([&] {
            ++calls;
            self.cancel();
        });
        sleep(0s);
        CHECK(calls == 1);
    });
}

TEST_CASE("timers are called in the order of their deadlines, those of one deadline in the order in which they were set") {
    in_a_calm_world([] {
        std::vector<int> log;
        EventLoop& loop = get_running_loop();
        const auto note = [&log](int value) { return [&log, value] { log.push_back(value); }; };
        loop.call_later(2ms, note(4));
        for (int i = 0; i < 3; ++i) {
            loop.call_at(VirtualTime(1ms), note(i + 1));
        }
        CHECK(loop.call_later(3ms, note(5)).when() == VirtualTime(3ms));
        sleep(4ms);
        CHECK(log == std::vector<int>{1, 2, 3, 4, 5});
    });
}

TEST_CASE("timers of one deadline go in every order") {
    std::vector<std::vector<int>> orders;
    in_every_order([&] {
        std::vector<int> log;
        for (int i = 0; i < 3; ++i) {
            get_running_loop().call_at(VirtualTime(1ms), [&log, i] { log.push_back(i); });
        }
        sleep(2ms);
        orders.push_back(log);
    });
    CHECK(orders.size() == 6);
}

TEST_CASE("a timer in the past waits for the next iteration") {
    in_both_worlds([] {
        std::vector<int> log;
        get_running_loop().call_later(-1s, [&] { log.push_back(1); });
        CHECK(log.empty());
        sleep(0s);
        sleep(0s);
        CHECK(log == std::vector<int>{1});
    });
}

TEST_CASE("deadlines in the past count as one: they come in the order in which they were set, behind what is ready") {
    in_both_worlds([] {
        EventLoop& loop = get_running_loop();
        if (loop.world().is_simulated()) {
            sleep(10s);
        }
        std::string log;
        const VirtualTime now = loop.time();
        loop.call_at(now - 1s, [&] { log += '1'; });
        loop.call_at(now - 5s, [&] { log += '2'; });
        loop.call_later(-1h, [&] { log += '3'; });
        loop.call_soon([&] { log += '0'; });
        for (int i = 0; i < 3; ++i) {
            sleep(0s);
        }
        CHECK(log == "0123");
    });
}

TEST_CASE("a callback may not wait") {
    in_both_worlds([] {
        bool was_refused = false;
        get_running_loop().call_soon([&] {
            CHECK(!current_task().is_valid());
            CHECK_THROWS_AS(sleep(1ms), UsageError);
            was_refused = true;
        });
        sleep(0s);
        CHECK(was_refused);
    });
}

TEST_CASE("an exception in a callback goes to the handler with its message") {
    in_both_worlds([] {
        std::string told;
        EventLoop& loop = get_running_loop();
        loop.set_exception_handler([&](EventLoop&, const LoopException& what) {
            told = what.message + ": " + describe_exception(what.exception);
            throw std::logic_error("from the handler");  // dropped
        });
        loop.call_soon([] { throw std::runtime_error("x"); });
        sleep(0s);
        CHECK(told == "Exception in callback: std::runtime_error: x");
        loop.set_exception_handler(nullptr);
    });
}

TEST_CASE("a loop does not run inside a running loop") {
    in_both_worlds([] {
        CHECK_THROWS_AS(mishap::run([] {}), UsageError);
        EventLoop& loop = get_running_loop();
        const auto task = create_task([] {});
        CHECK_THROWS_AS(loop.run_until_complete(static_cast<const Future<void>&>(task)), UsageError);
        CHECK_THROWS_AS(loop.close(), UsageError);
        await(task);
    });
}

TEST_CASE("what needs a running loop says so") {
    CHECK_THROWS_AS(sleep(1s), UsageError);
    CHECK_THROWS_AS(get_running_loop(), UsageError);
    CHECK_THROWS_AS(current_task(), UsageError);
    CHECK_THROWS_AS(all_tasks(), UsageError);
    CHECK_THROWS_AS(create_task([] {}), UsageError);
}

TEST_CASE("run gives the result of its function, or throws what it throws") {
    CHECK(mishap::run([] { return 3; }) == 3);
    CHECK_THROWS_AS(mishap::run([] { throw std::runtime_error("x"); }), std::runtime_error);
    CHECK_THROWS_AS(mishap::run([] { current_task().cancel(); }), CancelledError);
}

TEST_CASE("a loop can be run again, stopped and closed") {
    World world{WorldOptions{}};
    world.begin_run(nullptr);
    EventLoop loop(world);
    int calls = 0;
    loop.call_soon([&] {
        ++calls;
        loop.stop();
    });
    loop.call_soon([&] { ++calls; });
    loop.run_forever();
    CHECK(calls == 2);  // stop() lets the iteration end
    const auto task = loop.create_task([] { return 5; });
    CHECK(loop.run_until_complete(static_cast<const Future<int>&>(task)) == 5);
    const auto never = loop.create_future<int>();
    CHECK_THROWS_AS(loop.run_until_complete(never), UsageError);
    loop.close();
    loop.close();
    CHECK(loop.is_closed());
    CHECK_THROWS_AS(loop.call_soon([] {}), UsageError);
    CHECK_THROWS_AS(loop.run_forever(), UsageError);
}

TEST_CASE("a callback from another thread wakes a loop that sleeps", "[real]") {
    mishap::run([] {
        const Future<int> future = get_running_loop().create_future<int>();
        EventLoop& loop = get_running_loop();
        std::thread other([&] { loop.call_soon_threadsafe([&] { future.set_result(7); }); });
        CHECK(await(future) == 7);
        other.join();
    });
}

TEST_CASE("run_until_complete takes futures, tasks, functions and coroutines") {
    EventLoop loop;
    const auto future = loop.create_future<int>();
    loop.call_soon([&] { future.set_result(1); });
    CHECK(loop.run_until_complete(future) == 1);
    CHECK(loop.run_until_complete(loop.create_task([] { return 2; })) == 2);
    CHECK(loop.run_until_complete([] { return 3; }) == 3);
    const auto coro = []() -> Coro<int> { co_return 4; };
    CHECK(loop.run_until_complete(coro()) == 4);
    CHECK_THROWS_AS(loop.run_until_complete([] { throw std::runtime_error("x"); }), std::runtime_error);
}

TEST_CASE("a loop that is stopped first says that the future is not done, and can go on with it") {
    World world{WorldOptions{}};
    world.begin_run(nullptr);
    EventLoop loop(world);
    const auto task = loop.create_task([] {
        sleep(1s);
        return 5;
    });
    loop.call_soon([&] { loop.stop(); });
    CHECK_THROWS_AS(loop.run_until_complete(task), UsageError);
    CHECK(!task.done());
    CHECK(loop.run_until_complete(task) == 5);
}

TEST_CASE("a loop that was stopped before makes one pass, and what is scheduled in it waits for the next run") {
    World world{WorldOptions{}};
    world.begin_run(nullptr);
    EventLoop loop(world);
    std::vector<int> log;
    loop.stop();
    loop.call_soon([&] {
        log.push_back(1);
        loop.call_soon([&] { log.push_back(3); });
    });
    loop.call_later(0s, [&] { log.push_back(2); });
    loop.run_forever();
    CHECK(log == std::vector<int>{1, 2});
    CHECK(!loop.is_running());
    loop.call_soon([&] { loop.stop(); });
    loop.run_forever();
    CHECK(log == std::vector<int>{1, 2, 3});
}

TEST_CASE("a loop runs while it runs, is closed once, and refuses everything then") {
    EventLoop loop;
    CHECK(!loop.is_running());
    loop.call_soon([&] {
        CHECK(loop.is_running());
        CHECK_THROWS_AS(loop.close(), UsageError);
        loop.stop();
    });
    loop.run_forever();
    const auto future = loop.create_future<void>();
    loop.call_soon([] { FAIL("called"); });
    loop.close();
    loop.close();
    CHECK(loop.is_closed());
    CHECK_THROWS_AS(loop.call_soon([] {}), UsageError);
    CHECK_THROWS_AS(loop.call_later(1s, [] {}), UsageError);
    CHECK_THROWS_AS(loop.call_at(VirtualTime(1s), [] {}), UsageError);
    CHECK_THROWS_AS(loop.call_soon_threadsafe([] {}), UsageError);
    CHECK_THROWS_AS(loop.create_task([] {}), UsageError);
    CHECK_THROWS_AS(loop.create_future<void>(), UsageError);
    CHECK_THROWS_AS(loop.run_forever(), UsageError);
    CHECK_THROWS_AS(loop.run_until_complete([] {}), UsageError);
    CHECK_THROWS_AS(future.done(), UsageError);
}

TEST_CASE("a future of another loop is refused") {
    EventLoop other;
    const auto foreign = other.create_future<void>();
    mishap::run([&] { CHECK_THROWS_AS(await(foreign), UsageError); });
    EventLoop loop;
    CHECK_THROWS_AS(loop.run_until_complete(foreign), UsageError);
}

TEST_CASE("call_soon_threadsafe may be called on the loop's own thread, and then keeps order") {
    in_both_worlds([] {
        EventLoop& loop = get_running_loop();
        std::vector<int> log;
        loop.call_soon_threadsafe([&] { log.push_back(1); });
        loop.call_soon_threadsafe([&] { log.push_back(2); });
        CHECK(log.empty());
        sleep(0s);
        sleep(0s);
        CHECK(log == std::vector<int>{1, 2});
    });
}

TEST_CASE("of many timers, those that are cancelled are not called, whenever that is") {
    in_a_calm_world([] {
        EventLoop& loop = get_running_loop();
        std::vector<TimerHandle> timers;
        int calls = 0;
        for (int i = 0; i < 1000; ++i) {
            timers.push_back(loop.call_later(std::chrono::milliseconds(1 + i % 7), [&] { ++calls; }));
        }
        for (std::size_t i = 0; i < timers.size(); ++i) {
            if (i % 10 != 0) {
                timers[i].cancel();
                CHECK(timers[i].cancelled());
            }
        }
        sleep(1s);
        CHECK(calls == 100);
        CHECK(timers[1].when() == VirtualTime(2ms));
    });
}

TEST_CASE("the time between two looks at the clock is the time slept") {
    in_a_calm_world([] {
        const VirtualTime began = get_running_loop().time();
        sleep(1500ms);
        CHECK(get_running_loop().time() - began == 1500ms);
        CHECK(get_running_loop().call_at(began + 3s, [] {}).when() == began + 3s);
    });
}
