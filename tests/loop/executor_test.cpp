#include <mishap/loop/executor.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <mishap/loop/context.hpp>
#include <mishap/loop/coro.hpp>
#include <mishap/loop/sleep.hpp>
#include <mishap/sim/dpor.hpp>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

template <class F>
SearchResult search_interleavings(F body) {
    Dpor strategy;
    return search_with(strategy, body, {.sharing = Sharing::tracked}, 200'000);
}

}  // namespace

TEST_CASE("an executor runs what is submitted, and gives its results and exceptions") {
    in_both_worlds([] {
        ThreadPoolExecutor pool(2);
        const auto power = pool.submit([](int a, int b) { return a * b; }, 2, 8);
        const auto bad = pool.submit([]() -> int { throw std::runtime_error("bad"); });
        const auto nothing = pool.submit([] {});
        const auto moved = pool.submit([owned = std::make_unique<int>(3)] { return *owned; });
        CHECK(power.result() == 16);
        CHECK_THROWS_WITH(bad.result(), "bad");
        nothing.result();
        CHECK(moved.result() == 3);
    });
}

TEST_CASE("map gives results in the order of the inputs") {
    in_both_worlds([] {
        ThreadPoolExecutor pool(3);
        std::vector<int> squares;
        for (const int square : pool.map([](int x) { return x * x; }, std::vector<int>{1, 2, 3, 4, 5})) {
            squares.push_back(square);
        }
        CHECK(squares == std::vector<int>{1, 4, 9, 16, 25});
        auto failing = pool.map([](int x) { return x == 2 ? throw std::runtime_error("two") : x; }, std::vector<int>{1, 2, 3});
        CHECK(failing.next() == 1);
        CHECK_THROWS_WITH(failing.next(), "two");
        CHECK(failing.is_at_end());
    });
}

TEST_CASE("map takes an argument from each of its ranges until the shortest ends") {
    in_both_worlds([] {
        ThreadPoolExecutor pool(2);
        const auto collect = [](auto&& results) {
            std::vector<std::string> texts;
            for (const std::string& text : results) {
                texts.push_back(text);
            }
            return texts;
        };
        const auto join = [](const std::string& name, int number) { return name + std::to_string(number); };
        const std::vector<std::string> names{"a", "b", "c"};
        CHECK(collect(pool.map(join, names, std::set<int>{1, 2})) == std::vector<std::string>{"a1", "b2"});
        CHECK(collect(pool.map({.timeout = 1h}, join, names, std::vector<int>{3, 4, 5, 6})) ==
              std::vector<std::string>{"a3", "b4", "c5"});
        CHECK(collect(pool.map(join, names, std::vector<int>{})).empty());
        const int numbers[] = {1, 2};
        auto sums = pool.map([](int x, int y, int z) { return x + y + z; }, numbers, numbers, std::vector<int>{10, 20, 30});
        CHECK(sums.next() == 12);
        CHECK(sums.next() == 24);
        CHECK(sums.is_at_end());
        auto late = pool.map(
            {.timeout = 1ms},
            [](int x, int y) {
                blocking_sleep(50ms);
                return x + y;
            },
            numbers, numbers);
        CHECK_THROWS_AS(late.next(), TimeoutError);
    });
}

TEST_CASE("map submits all at once, counts its time from the call, and cancels the rest when it is dropped") {
    in_a_calm_world([] {
        ThreadPoolExecutor pool(1);
        int calls = 0;
        {
            auto results = pool.map(
                [&](int x) {
                    ++calls;
                    blocking_sleep(2s);
                    return x;
                },
                std::vector<int>{1, 2, 3}, 3s);
            CHECK(results.next() == 1);
            CHECK_THROWS_AS(results.next(), TimeoutError);
        }
        pool.shutdown();
        CHECK(calls == 2);
    });
}

TEST_CASE("an executor that was shut down takes nothing more, and shutting down twice does no harm") {
    in_both_worlds([] {
        ThreadPoolExecutor pool(2);
        const auto before = pool.submit([] { return 1; });
        pool.shutdown();
        pool.shutdown();
        CHECK(before.done());
        CHECK_THROWS_AS(pool.submit([] {}), UsageError);
        ThreadPoolExecutor unused(2);
        unused.shutdown({.wait = false});
    });
}

TEST_CASE("shutdown without waiting lets what was submitted run") {
    in_a_calm_world([] {
        int done = 0;
        {
            ThreadPoolExecutor pool(1);
            for (int i = 0; i < 3; ++i) {
                pool.submit([&] {
                    blocking_sleep(1s);
                    ++done;
                });
            }
            pool.shutdown({.wait = false});
            CHECK(done == 0);
        }
        CHECK(done == 3);
    });
}

TEST_CASE("shutdown that cancels tells those who wait (gh-87893)") {
    in_a_calm_world([] {
        ThreadPoolExecutor pool(1);
        const auto runs = pool.submit([] { blocking_sleep(1s); });
        std::vector<concurrent::Future<void>> all{runs};
        for (int i = 0; i < 3; ++i) {
            all.push_back(pool.submit([] {}));
        }
        blocking_sleep(1ms);  // the first has begun
        Thread waits([&] { CHECK(concurrent::wait(all).not_done.empty()); });
        pool.shutdown({.cancel_futures = true});
        waits.join();
        CHECK_FALSE(runs.cancelled());
        CHECK(std::count_if(all.begin(), all.end(), [](const auto& future) { return future.cancelled(); }) == 3);
    });
}

TEST_CASE("a thread that is idle is used before another one begins") {
    in_a_calm_world([] {
        ThreadPoolExecutor pool(4);
        for (int i = 0; i < 5; ++i) {
            pool.submit([] {}).result();
            blocking_sleep(1ms);
        }
        CHECK(pool.threads_begun() == 1);
        std::vector<concurrent::Future<void>> together;
        for (int i = 0; i < 8; ++i) {
            together.push_back(pool.submit([] { blocking_sleep(1s); }));
        }
        CHECK(pool.threads_begun() == 4);
        concurrent::wait(together);
        CHECK(get_running_loop().time().time_since_epoch() == 2s + 5ms);
    });
}

TEST_CASE("workers are named, and their number has a default") {
    in_both_worlds([] {
        ThreadPoolExecutor pool({.max_workers = 1, .thread_name_prefix = "SpecialPool"});
        CHECK(pool.submit([] { return Thread::current_name(); }).result() == "SpecialPool_0");
        ThreadPoolExecutor unnamed;
        CHECK(unnamed.max_workers() >= 5);
        CHECK(unnamed.submit([] { return Thread::current_name(); }).result() == "ThreadPoolExecutor_0");
    });
}

TEST_CASE("an initializer runs in each thread before anything else") {
    in_a_calm_world([] {
        int initialized = 0;
        ThreadPoolExecutor pool({.max_workers = 2, .initializer = [&] { ++initialized; }});
        const auto a = pool.submit([&] {
            blocking_sleep(1s);
            return initialized;
        });
        const auto b = pool.submit([&] { return initialized; });
        CHECK(a.result() == 2);
        CHECK(b.result() == 2);
    });
}

TEST_CASE("a pool whose initializer fails is broken, and says so to everybody") {
    in_both_worlds([] {
        ThreadPoolExecutor pool({.max_workers = 1, .initializer = [] {
                                     blocking_sleep(1ms);
                                     throw std::runtime_error("no");
                                 }});
        const auto a = pool.submit([] {});
        CHECK_THROWS_AS(a.result(), BrokenThreadPool);
        CHECK_THROWS_AS(pool.submit([] {}), BrokenThreadPool);
    });
}

TEST_CASE("a function that waits for one of its own full pool is stuck") {
    const SearchResult result = search_interleavings([] {
        ThreadPoolExecutor pool(1);
        pool.submit([&] { pool.submit([] {}).result(); });
    });
    REQUIRE(result.failure.has_value());
    CHECK(result.failure->finding.kind == FindingKind::stuck);
}

TEST_CASE("whatever the order, a pool runs everything once and its threads end") {
    const SearchResult result = search_interleavings([] {
        int calls = 0;
        {
            ThreadPoolExecutor pool(2);
            pool.submit([&] { ++calls; });
            pool.submit([&] { ++calls; });
        }
        claim(calls == 2, "a function was not called once");
    });
    CHECK(verdict(result) == "passes");
    CHECK(result.is_exhausted);
}

TEST_CASE("what a shutdown cancels is cancelled, and the rest has run, in every order") {
    std::set<int> seen;
    const SearchResult result = search_interleavings([&] {
        int calls = 0;
        ThreadPoolExecutor pool(1);
        const auto a = pool.submit([&] { ++calls; });
        const auto b = pool.submit([&] { ++calls; });
        pool.shutdown({.cancel_futures = true});
        claim(a.done() && b.done(), "a future is left pending");
        claim(calls == (a.cancelled() ? 0 : 1) + (b.cancelled() ? 0 : 1), "cancelled and run do not add up");
        seen.insert(calls);
    });
    CHECK(verdict(result) == "passes");
    CHECK(result.is_exhausted);
    CHECK(seen == std::set<int>{0, 1, 2});
}

// ---- from tasks --------------------------------------------------------------------------------------------------------

TEST_CASE("a task awaits a function that runs in a thread, and the loop goes on meanwhile") {
    in_a_calm_world([] {
        std::string log;
        const auto other = create_task([&] {
            sleep(1s);
            log += "other ";
        });
        const auto answer = to_thread([&] {
            blocking_sleep(2s);
            return Thread::current_name();
        });
        log += await(answer);
        CHECK(log == "other asyncio_0");
        await(other);
    });
}

TEST_CASE("to_thread gives arguments, results and exceptions on") {
    in_both_worlds([] {
        CHECK(await(to_thread([](int a, const std::string& b) { return b + std::to_string(a); }, 1, std::string("x"))) == "x1");
        CHECK_THROWS_WITH(await(to_thread([]() -> int { throw std::runtime_error("in the thread"); })), "in the thread");
        int calls = 0;
        await(to_thread([&] { ++calls; }));
        CHECK(calls == 1);
    });
}

TEST_CASE("several functions run at once") {
    in_a_calm_world([] {
        const auto a = to_thread([] { blocking_sleep(1s); });
        const auto b = to_thread([] { blocking_sleep(1s); });
        await(a);
        await(b);
        CHECK(get_running_loop().time().time_since_epoch() == 1s);
    });
}

TEST_CASE("to_thread runs in a copy of the context") {
    in_both_worlds([] {
        const ContextVar<std::string> var("var");
        var.set("parrot");
        CHECK(await(to_thread([&] {
            std::string seen = var.get();
            var.set("changed");
            return seen;
        })) == "parrot");
        CHECK(var.get() == "parrot");
    });
}

TEST_CASE("a coroutine awaits a thread as well") {
    in_both_worlds([] {
        const auto body = []() -> Coro<int> {
            const int one = co_await to_thread([] { return 1; });
            co_return one + 1;
        };
        CHECK(await(create_task(body())) == 2);
    });
}

TEST_CASE("cancelling what was given to an executor keeps it from beginning, not from ending") {
    in_a_calm_world([] {
        ThreadPoolExecutor pool(1);
        EventLoop& loop = get_running_loop();
        int calls = 0;
        const auto runs = loop.run_in_executor(&pool, [&] {
            blocking_sleep(1s);
            ++calls;
        });
        const auto waits = loop.run_in_executor(&pool, [&] { ++calls; });
        sleep(1ms);
        CHECK(runs.cancel());
        CHECK(waits.cancel());
        CHECK_THROWS_AS(await(runs), CancelledError);
        CHECK_THROWS_AS(await(waits), CancelledError);
        sleep(0s);  // it is a callback that tells the executor
        pool.shutdown();
        CHECK(calls == 1);
    });
}

TEST_CASE("a result that comes when the awaiting future was cancelled is dropped, in every order (python/asyncio 123)") {
    const SearchResult result = search_every_order([] {
        ThreadPoolExecutor pool(1);
        const auto future = get_running_loop().run_in_executor(&pool, [] { return 1; });
        future.cancel();
        sleep(0s);
        claim(future.cancelled(), "a cancelled future got a result");
    });
    CHECK(verdict(result) == "passes");
}

TEST_CASE("after its executor was shut down a loop has none, and a bad one is refused") {
    in_both_worlds([] {
        EventLoop& loop = get_running_loop();
        CHECK_THROWS_AS(loop.set_default_executor(nullptr), UsageError);
        const auto own = std::make_shared<ThreadPoolExecutor>(ThreadPoolOptions{.max_workers = 1, .thread_name_prefix = "own"});
        loop.set_default_executor(own);
        CHECK(await(loop.run_in_executor(nullptr, [] { return Thread::current_name(); })) == "own_0");
        loop.shutdown_default_executor();
        CHECK_THROWS_AS(loop.run_in_executor(nullptr, [] {}), UsageError);
        CHECK_THROWS_AS(to_thread([] {}), UsageError);
        loop.shutdown_default_executor();
        CHECK_THROWS_AS(own->submit([] {}), UsageError);
    });
}

TEST_CASE("shutting the default executor down waits for its threads, up to a time") {
    in_a_calm_world([] {
        EventLoop& loop = get_running_loop();
        bool is_done = false;
        const auto slow = to_thread([&] {
            blocking_sleep(10s);
            is_done = true;
        });
        loop.shutdown_default_executor(1s);
        CHECK_FALSE(is_done);
        CHECK(loop.time().time_since_epoch() == 1s);
        CHECK(loop.world().notes().size() == 1);
        await(slow);
        CHECK(is_done);
    });
    in_a_calm_world([] {
        bool is_done = false;
        const auto slow = to_thread([&] {
            blocking_sleep(10s);
            is_done = true;
        });
        get_running_loop().shutdown_default_executor(11s);
        CHECK(is_done);
        await(slow);
    });
}

TEST_CASE("the end of run() waits for what the default executor does", "[real]") {
    bool is_done = false;
    mishap::run([&] {
        to_thread([&] {
            blocking_sleep(20ms);
            is_done = true;
        });
    });
    CHECK(is_done);
}

TEST_CASE("a future of a thread is wrapped for the loop, whichever way it ends") {
    in_both_worlds([] {
        const auto good = concurrent::Future<int>::make();
        const auto bad = concurrent::Future<int>::make();
        const auto dropped = concurrent::Future<int>::make();
        const auto a = wrap_future(good);
        const auto b = wrap_future(bad, &get_running_loop());
        const auto c = wrap_future(dropped);
        Thread other([&] {
            good.set_result(5);
            bad.set_exception(std::make_exception_ptr(std::runtime_error("bad")));
            dropped.cancel();
        });
        CHECK(await(a) == 5);
        CHECK_THROWS_WITH(await(b), "bad");
        CHECK_THROWS_AS(await(c), CancelledError);
        other.join();
    });
    CHECK_THROWS_AS(wrap_future(concurrent::Future<int>::make()), UsageError);
}

TEST_CASE("cancelling a wrapped future cancels what it wraps, unless that runs") {
    in_both_worlds([] {
        const auto pending = concurrent::Future<int>::make();
        const auto wrapped = wrap_future(pending);
        wrapped.cancel();
        sleep(0s);
        CHECK(pending.cancelled());
        const auto running = concurrent::Future<int>::make();
        running.set_running_or_notify_cancel();
        const auto other = wrap_future(running);
        other.cancel();
        sleep(0s);
        CHECK(running.running());
        running.set_result(1);
        sleep(0s);
        CHECK(other.cancelled());
    });
}
