#include <mishap/primitives/gather.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

Coro<int> after(std::chrono::nanoseconds delay, int value) {
    co_await sleep(delay);
    co_return value;
}

}  // namespace

TEST_CASE("gather returns results in the order of its arguments, whoever ends first") {
    in_both_worlds([] {
        auto quick = [] { return std::string("quick"); };
        const auto [slow, text, ten, nothing] = gather(after(2ms, 1), quick, create_task([] { return 10.5; }), [] {});
        CHECK(slow == 1);
        CHECK(text == "quick");
        CHECK(ten == 10.5);
        CHECK(nothing == std::monostate());
    });
}

TEST_CASE("gather takes a range and returns a vector") {
    in_both_worlds([] {
        std::vector<Task<int>> tasks;
        for (int i = 0; i < 40; ++i) {
            tasks.push_back(create_task([i] {
                sleep(i % 3 == 0 ? 1ms : 0ms);
                return i;
            }));
        }
        const std::vector<int> results = gather(tasks);
        REQUIRE(results.size() == 40);
        CHECK(results[39] == 39);
        CHECK(gather(tasks) == results);
        std::vector<Coro<int>> coros;
        coros.push_back(after(1ms, 7));
        coros.push_back(after(0ms, 8));
        CHECK(gather(std::move(coros)) == std::vector<int>{7, 8});
    });
}

TEST_CASE("an empty gather returns at once") {
    in_both_worlds([] {
        bool others_ran = false;
        const auto other = create_task([&] { others_ran = true; });
        CHECK(gather() == std::tuple<>());
        CHECK(gather(std::vector<Future<int>>()).empty());
        CHECK(gather(return_exceptions, std::vector<Future<int>>()).empty());
        CHECK(!others_ran);
        await(other);
    });
}

TEST_CASE("a gather of what is done already does not yield") {
    in_both_worlds([] {
        const auto task = create_task([] { return 3; });
        await(task);
        bool others_ran = false;
        const auto other = create_task([&] { others_ran = true; });
        const auto [first, second] = gather(task, task);
        CHECK(first + second == 6);
        CHECK(!others_ran);
        await(other);
    });
}

TEST_CASE("a future that is given twice runs once and gives its result twice") {
    in_both_worlds([] {
        int runs = 0;
        const auto task = create_task([&] { return ++runs; });
        const auto [first, second, third] = gather(task, task, [] { return 5; });
        CHECK(first == 1);
        CHECK(second == 1);
        CHECK(third == 5);
        std::vector<Task<int>> many(50, task);
        CHECK(gather(many) == std::vector<int>(50, 1));
    });
}

TEST_CASE("gather moves results that cannot be copied") {
    in_both_worlds([] {
        auto [owned] = gather([] { return std::make_unique<int>(4); });
        CHECK(*owned == 4);
    });
}

TEST_CASE("the first failure leaves gather at once and the siblings go on") {
    in_both_worlds([] {
        bool sibling_ended = false;
        const Future<void> gate = get_running_loop().create_future<void>();
        const auto sibling = create_task([&] {
            await(gate);
            sibling_ended = true;
        });
        const auto failing = [] {
            sleep(1ms);
            throw std::runtime_error("first");
        };
        CHECK_THROWS_AS(gather(sibling, failing), std::runtime_error);
        CHECK(!sibling_ended);
        CHECK(!sibling.done());
        gate.set_result();
        await(sibling);
        CHECK(sibling_ended);
    });
}

TEST_CASE("with return_exceptions every failure is an item of the result") {
    in_both_worlds([] {
        const auto cancelled = create_task([] { sleep(1h); });
        const auto [value, error, gone] =
            gather(return_exceptions, [] { return 1; }, []() -> int { throw std::runtime_error("no"); },
                   [&] {
                       cancelled.cancel("enough");
                       await(cancelled);
                   });
        CHECK(value.value() == 1);
        CHECK(!error.has_value());
        CHECK_THROWS_AS(error.value(), std::runtime_error);
        CHECK(describe_exception(gone.exception()) == "CancelledError");
    });
}

TEST_CASE("a child that is cancelled makes gather throw CancelledError, and its siblings go on") {
    in_both_worlds([] {
        const auto child = create_task([] { sleep(1h); });
        const Future<void> gate = get_running_loop().create_future<void>();
        const auto sibling = create_task([&] { await(gate); });
        const auto outer = gather_future(child, sibling);
        child.cancel("child");
        CHECK_THROWS_AS(await(outer), CancelledError);
        CHECK(!outer.cancelled());  // it failed with CancelledError; it was not cancelled itself
        CHECK(!sibling.done());
        gate.set_result();
        await(sibling);
        CHECK(current_task().cancelling() == 0);
    });
}

TEST_CASE("cancelling who gathers cancels all children") {
    in_both_worlds([] {
        std::vector<std::string> log;
        const auto child = [&log](const char* name) {
            try {
                sleep(1h);
            } catch (const CancelledError& error) {
                log.push_back(name + error.message());
                throw;
            }
        };
        const auto gatherer = create_task([&] { gather([&] { child("a "); }, [&] { child("b "); }); });
        sleep(1ms);
        gatherer.cancel("stop");
        CHECK_THROWS_AS(await(gatherer), CancelledError);
        CHECK(log == std::vector<std::string>{"a stop", "b stop"});
    });
}

TEST_CASE("with return_exceptions a cancelled gather waits for all children, then throws (bpo-32684)") {
    in_both_worlds([] {
        bool slow_ended = false;
        const auto gatherer = create_task([&] {
            gather(return_exceptions, [] { sleep(1h); },
                   [&] {
                       try {
                           sleep(1h);
                       } catch (const CancelledError&) {
                       }
                       sleep(1ms);
                       slow_ended = true;
                   });
        });
        sleep(1ms);
        gatherer.cancel();
        CHECK_THROWS_AS(await(gatherer), CancelledError);
        CHECK(slow_ended);
        CHECK(gatherer.cancelled());
    });
}

TEST_CASE("a request that comes after a gather ended as cancelled is served by that end, with its message") {
    in_both_worlds([] {
        const auto gathers = create_task([] {
            std::string message;
            try {
                gather(create_task([] { sleep(1h); }));
            } catch (const CancelledError& error) {
                message = error.message();
            }
            sleep(0s);  // not interrupted a second time
            return message;
        });
        sleep(0s);
        sleep(0s);
        gathers.cancel("first");
        // Two iterations on, the child has ended and the gather too, but who gathers has not resumed.
        sleep(0s);
        get_running_loop().call_soon([gathers] { gathers.cancel("second"); });
        CHECK(await(gathers) == "first");
        CHECK(gathers.cancelling() == 2);
    });
}

TEST_CASE("the outcome of a cancelled task has no message, that of a cancelled future has it") {
    in_both_worlds([] {
        const auto task = create_task([] { sleep(1h); });
        const Future<void> future = get_running_loop().create_future<void>();
        sleep(0s);
        task.cancel("task's");
        future.cancel("future's");
        const auto message_of = [](const auto& outcome) {
            try {
                outcome.value();
            } catch (const CancelledError& error) {
                return error.message();
            }
            return std::string("not cancelled");
        };
        const auto [of_task, of_future] = gather(return_exceptions, task, future);
        CHECK(message_of(of_task).empty());
        CHECK(message_of(of_future) == "future's");
    });
}

TEST_CASE("a gather whose children all ended cannot be cancelled any more (bpo-26923)") {
    in_both_worlds([] {
        const auto task = create_task([] { return 1; });
        await(task);
        const auto outer = gather_future(task);
        CHECK(!outer.cancel());
        CHECK(std::get<0>(await(outer)) == 1);
    });
}

TEST_CASE("gather sees the exceptions of children that fail after the first") {
    in_both_worlds([] {
        std::vector<std::string> unseen;
        get_running_loop().set_exception_handler(
            [&unseen](EventLoop&, const LoopException& what) { unseen.push_back(what.message); });
        const auto fail = [] { throw std::runtime_error("x"); };
        CHECK_THROWS_AS(gather(fail, fail, fail), std::runtime_error);
        sleep(1ms);
        CHECK(unseen.empty());
        get_running_loop().set_exception_handler(nullptr);
    });
}

TEST_CASE("gather costs asyncio's hops: child, callback, gatherer") {
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
        const int begin = ticks;
        gather([] {}, [] { sleep(0s); });
        CHECK(ticks - begin == 4);
        ticker.cancel();
    });
}

TEST_CASE("nested gathers in coroutines work") {
    in_both_worlds([] {
        const auto outer = []() -> Coro<int> {
            const auto [a, b] = co_await gather_future(after(1ms, 1), after(2ms, 2));
            const auto [c] = gather(after(1ms, 3));
            co_return a + b + c;
        };
        CHECK(await(outer()) == 6);
        CHECK(std::get<0>(gather(outer)) == 6);
    });
}

TEST_CASE("gather refuses to run outside a task") {
    CHECK_THROWS_AS(gather([] {}), UsageError);
    CHECK_THROWS_AS(gather_future([] {}), UsageError);
}

TEST_CASE("in every order, gather with an injected cancellation loses no child") {
    const auto runs = in_every_order(
        [] {
            int ended = 0;
            const auto child = [&ended] {
                const auto one = create_task([] {});
                try {
                    await(one);
                } catch (const CancelledError&) {
                    ++ended;
                    throw;
                }
                ++ended;
                return 1;
            };
            const auto gatherer = create_task([&] {
                const auto results = gather(return_exceptions, child, child);
                return std::get<0>(results).has_value() + std::get<1>(results).has_value();
            });
            int good = -1;
            try {
                good = await(gatherer);
            } catch (const CancelledError&) {
            }
            CHECK(ended == 2);
            CHECK((good == -1 || good >= 1));
        },
        {.cancellations = 1});
    CHECK(runs > 100);
}

TEST_CASE("gather refuses futures of another loop") {
    in_both_worlds([] {
        EventLoop other;
        CHECK_THROWS_AS(gather(get_running_loop().create_future<int>(), other.create_future<int>()), UsageError);
    });
}
