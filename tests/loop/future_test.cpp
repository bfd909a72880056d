#include <mishap/loop/future.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <mishap/loop/await.hpp>
#include <mishap/loop/sleep.hpp>

#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

TEST_CASE("a future is pending, then finished or cancelled, and stays so") {
    in_both_worlds([] {
        EventLoop& loop = get_running_loop();
        const Future<int> finished = loop.create_future<int>();
        CHECK(!finished.done());
        CHECK_THROWS_AS(finished.result(), InvalidStateError);
        CHECK_THROWS_AS(finished.exception(), InvalidStateError);
        finished.set_result(1);
        CHECK(finished.done());
        CHECK(finished.result() == 1);
        CHECK(finished.exception() == nullptr);
        CHECK_THROWS_AS(finished.set_result(2), InvalidStateError);
        CHECK_THROWS_AS(finished.set_exception(std::make_exception_ptr(1)), InvalidStateError);
        CHECK(!finished.cancel());
        const Future<void> cancelled = loop.create_future<void>();
        CHECK(cancelled.cancel("gone"));
        CHECK(cancelled.cancelled());
        CHECK_THROWS_AS(cancelled.result(), CancelledError);
        CHECK_THROWS_AS(cancelled.exception(), CancelledError);
        CHECK_THROWS_AS(cancelled.set_result(), InvalidStateError);
    });
}

TEST_CASE("callbacks are called through the ready set, in order of registration") {
    in_both_worlds([] {
        std::vector<int> log;
        const Future<int> future = get_running_loop().create_future<int>();
        future.add_done_callback([&](const Future<int>& done) { log.push_back(done.result()); });
        future.add_done_callback([&](const Future<int>&) { log.push_back(2); });
        future.set_result(1);
        CHECK(log.empty());
        sleep(0s);
        CHECK(log == std::vector<int>{1, 2});
        future.add_done_callback([&](const Future<int>&) { log.push_back(3); });
        CHECK(log.size() == 2);
        sleep(0s);
        CHECK(log.back() == 3);
    });
}

TEST_CASE("in every order, callbacks of one future keep their order") {
    in_every_order([] {
        std::vector<int> log;
        const Future<void> future = get_running_loop().create_future<void>();
        for (int i = 0; i < 3; ++i) {
            future.add_done_callback([&log, i](const Future<void>&) { log.push_back(i); });
        }
        const auto setter = create_task([&] { future.set_result(); });
        await(setter);
        await(future);
        while (log.size() < 3) {
            sleep(1ms);
        }
        CHECK(log == std::vector<int>{0, 1, 2});
    });
}

TEST_CASE("tasks that wait for one future resume in the order in which they began to wait") {
    in_both_worlds([] {
        std::vector<int> log;
        const Future<void> future = get_running_loop().create_future<void>();
        std::vector<Task<void>> tasks;
        for (int i = 0; i < 4; ++i) {
            tasks.push_back(create_task([&log, &future, i] {
                await(future);
                log.push_back(i);
            }));
        }
        sleep(0s);
        future.set_result();
        for (const auto& task : tasks) {
            await(task);
        }
        CHECK(log == std::vector<int>{0, 1, 2, 3});
    });
}

TEST_CASE("awaiting what is done does not yield") {
    in_both_worlds([] {
        const Future<int> future = get_running_loop().create_future<int>();
        future.set_result(5);
        bool others_ran = false;
        const auto other = create_task([&] { others_ran = true; });
        CHECK(await(future) == 5);
        CHECK(!others_ran);
        await(other);
    });
}

TEST_CASE("a result that cannot be copied is moved out") {
    in_both_worlds([] {
        const auto task = create_task([] { return std::make_unique<int>(3); });
        CHECK(*await(task) == 3);
    });
}

TEST_CASE("an exception in a callback goes to the loop's handler, and the loop goes on") {
    in_both_worlds([] {
        std::vector<std::string> errors;
        EventLoop& loop = get_running_loop();
        loop.set_exception_handler(
            [&](EventLoop&, const LoopException& what) { errors.push_back(describe_exception(what.exception)); });
        const Future<void> future = loop.create_future<void>();
        bool second_called = false;
        future.add_done_callback([](const Future<void>&) { throw std::runtime_error("callback"); });
        future.add_done_callback([&](const Future<void>&) { second_called = true; });
        future.set_result();
        sleep(0s);
        CHECK(errors == std::vector<std::string>{"std::runtime_error: callback"});
        CHECK(second_called);
        loop.set_exception_handler(nullptr);
    });
}

TEST_CASE("a future's exception that nobody looked at is reported once") {
    in_both_worlds([] {
        int reports = 0;
        get_running_loop().set_exception_handler([&](EventLoop&, const LoopException&) { ++reports; });
        get_running_loop().create_future<void>().set_exception(std::make_exception_ptr(std::runtime_error("x")));
        CHECK(reports == 1);
        {
            const auto seen = get_running_loop().create_future<void>();
            seen.set_exception(std::make_exception_ptr(std::runtime_error("x")));
            CHECK(seen.exception() != nullptr);
        }
        CHECK(reports == 1);
        get_running_loop().set_exception_handler(nullptr);
    });
}

TEST_CASE("a handle from an earlier run is told apart, also when its memory was reused") {
    World world{WorldOptions{}};
    EventLoop loop(world);
    loop.end_run();
    Future<int> kept;
    const auto keep = [&] { kept = get_running_loop().create_future<int>(); };
    const auto use = [&] {
        std::vector<Future<int>> fresh;
        for (int i = 0; i < 100; ++i) {
            fresh.push_back(get_running_loop().create_future<int>());
        }
        CHECK_THROWS_AS(kept.done(), UsageError);
        CHECK_THROWS_AS(await(kept), UsageError);
        CHECK_THROWS_AS(kept.set_result(1), UsageError);
    };
    world.begin_run(nullptr);
    LoopRun(loop).run(keep);
    CHECK_THROWS_AS(kept.done(), UsageError);
    world.begin_run(nullptr);
    LoopRun(loop).run(use);
    CHECK_THROWS_AS(Future<int>().done(), UsageError);
}

namespace {

void fail_when_called(const Future<int>&) { FAIL("called"); }

/// A callback that equals others with the same number.
struct Numbered {
    void operator()(const Future<void>&) const { log->push_back(number); }
    friend bool operator==(const Numbered&, const Numbered&) = default;
    std::vector<int>* log;
    int number;
};

}  // namespace

TEST_CASE("callbacks are removed by equality, all of them, and the number is told") {
    in_both_worlds([] {
        std::vector<int> log;
        const Future<void> future = get_running_loop().create_future<void>();
        for (const int number : {1, 2, 3, 1, 1}) {
            future.add_done_callback(Numbered{&log, number});
        }
        CHECK(future.remove_done_callback(Numbered{&log, 4}) == 0);
        CHECK(future.remove_done_callback(Numbered{&log, 1}) == 3);
        CHECK(future.remove_done_callback(Numbered{&log, 1}) == 0);
        CHECK(future.remove_done_callback(Numbered{&log, 3}) == 1);
        future.set_result();
        CHECK(future.remove_done_callback(Numbered{&log, 2}) == 0);  // scheduled already
        sleep(0s);
        CHECK(log == std::vector<int>{2});
    });
}

TEST_CASE("the first, the first two or the last of three callbacks can be removed") {
    in_both_worlds([] {
        const auto left_after = [](const std::vector<int>& removed) {
            std::vector<int> log;
            const Future<void> future = get_running_loop().create_future<void>();
            for (const int number : {1, 2, 3}) {
                future.add_done_callback(Numbered{&log, number});
            }
            for (const int number : removed) {
                CHECK(future.remove_done_callback(Numbered{&log, number}) == 1);
            }
            future.set_result();
            sleep(0s);
            return log;
        };
        CHECK(left_after({1}) == std::vector<int>{2, 3});
        CHECK(left_after({1, 2}) == std::vector<int>{3});
        CHECK(left_after({3}) == std::vector<int>{1, 2});
        CHECK(left_after({1, 2, 3}).empty());
    });
}

TEST_CASE("functions are compared by address, and a handle takes back one callback") {
    in_both_worlds([] {
        const Future<int> future = get_running_loop().create_future<int>();
        future.add_done_callback(&fail_when_called);
        CHECK(future.remove_done_callback(&fail_when_called) == 1);
        int calls = 0;
        Handle handle = future.add_done_callback([&](const Future<int>&) { calls += 1; });
        future.add_done_callback([&](const Future<int>&) { calls += 10; });
        handle.cancel();
        future.set_result(0);
        Handle late = future.add_done_callback([&](const Future<int>&) { calls += 100; });
        late.cancel();
        sleep(0s);
        CHECK(calls == 10);
    });
}

TEST_CASE("callbacks are called for results, exceptions and cancellations alike, with the future") {
    in_both_worlds([] {
        EventLoop& loop = get_running_loop();
        std::vector<std::string> log;
        const Future<int> result = loop.create_future<int>();
        const Future<int> exception = loop.create_future<int>();
        const Future<int> cancelled = loop.create_future<int>();
        result.add_done_callback([&](const Future<int>& future) { log.push_back(std::to_string(future.result())); });
        exception.add_done_callback([&](const Future<int>& future) { log.push_back(describe_exception(future.exception())); });
        cancelled.add_done_callback([&](const Future<int>& future) { log.push_back(future.cancel_message()); });
        result.set_result(4);
        exception.set_exception(std::make_exception_ptr(std::runtime_error("x")));
        cancelled.cancel("why");
        CHECK(log.empty());
        sleep(0s);
        CHECK(log == std::vector<std::string>{"4", "std::runtime_error: x", "why"});
    });
}

TEST_CASE("a callback may register and remove callbacks while callbacks are called") {
    in_both_worlds([] {
        std::vector<int> log;
        const Future<void> future = get_running_loop().create_future<void>();
        future.add_done_callback([&](const Future<void>& done) {
            CHECK(done.remove_done_callback(Numbered{&log, 2}) == 0);
            done.add_done_callback(Numbered{&log, 3});
        });
        future.add_done_callback(Numbered{&log, 2});
        future.set_result();
        sleep(0s);
        CHECK(log == std::vector<int>{2});
        sleep(0s);
        CHECK(log == std::vector<int>{2, 3});
    });
}

TEST_CASE("a future's exception is reported unless somebody asked for it, and results and cancellations never are") {
    in_both_worlds([] {
        EventLoop& loop = get_running_loop();
        int reports = 0;
        loop.set_exception_handler([&](EventLoop&, const LoopException&) { ++reports; });
        const auto boom = std::make_exception_ptr(std::runtime_error("x"));
        loop.create_future<int>();
        loop.create_future<int>().set_result(1);
        loop.create_future<int>().cancel();
        {
            const auto asked = loop.create_future<int>();
            asked.set_exception(boom);
            CHECK(asked.exception() == boom);
        }
        {
            const auto thrown = loop.create_future<int>();
            thrown.set_exception(boom);
            CHECK_THROWS_AS(thrown.result(), std::runtime_error);
        }
        CHECK(reports == 0);
        loop.create_future<int>().set_exception(boom);
        CHECK(reports == 1);
        loop.set_exception_handler(nullptr);
    });
}

TEST_CASE("a future knows its loop and the message it was cancelled with") {
    in_both_worlds([] {
        const Future<void> future = get_running_loop().create_future<void>();
        CHECK(&future.get_loop() == &get_running_loop());
        CHECK(future.cancel_message().empty());
        CHECK(future.cancel("my message"));
        CHECK(future.cancel_message() == "my message");
        CHECK(!future.cancel("another"));
        CHECK(future.cancel_message() == "my message");
        try {
            await(future);
            FAIL("not cancelled");
        } catch (const CancelledError& error) {
            CHECK(error.message() == "my message");
        }
    });
}
