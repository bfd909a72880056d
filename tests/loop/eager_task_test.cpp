// Tasks that begin inside the step of who makes them, and factories.

#include <stdexcept>
#include <string>
#include <vector>

#include <mishap/loop/await.hpp>
#include <mishap/loop/context.hpp>
#include <mishap/loop/coro.hpp>
#include <mishap/loop/sleep.hpp>

#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

constexpr TaskOptions eagerly{.eager_start = true};

}  // namespace

TEST_CASE("an eager task that does not wait is done when create_task returns") {
    in_both_worlds([] {
        bool other_ran = false;
        const auto other = create_task([&] { other_ran = true; });
        const auto task = create_task([] { return 5; }, eagerly);
        CHECK(task.done());
        CHECK(task.result() == 5);
        CHECK(!other_ran);
        CHECK(await(task) == 5);
        const auto failed = create_task([] { throw std::runtime_error("at once"); }, eagerly);
        CHECK(failed.done());
        CHECK_THROWS_AS(failed.result(), std::runtime_error);
        await(other);
    });
}

TEST_CASE("an eager task that waits goes on like any other") {
    in_both_worlds([] {
        std::vector<int> log;
        const auto task = create_task(
            [&] {
                log.push_back(1);
                sleep(0s);
                log.push_back(3);
                sleep(1ms);
                return 4;
            },
            eagerly);
        log.push_back(2);
        CHECK(!task.done());
        CHECK(await(task) == 4);
        CHECK(log == std::vector<int>{1, 2, 3});
    });
}

TEST_CASE("an eager task awaits what its creator completes") {
    in_both_worlds([] {
        const auto future = get_running_loop().create_future<int>();
        const auto task = create_task([&] { return await(future); }, eagerly);
        future.set_result(3);
        CHECK(!task.done());
        CHECK(await(task) == 3);
        const auto done = create_task([&] { return await(future) + 1; }, eagerly);
        CHECK(done.result() == 4);
    });
}

TEST_CASE("the current task is the eager one while it runs, and its creator afterwards") {
    in_both_worlds([] {
        const AnyTask creator = current_task();
        const auto outer = create_task(
            [&] {
                CHECK(current_task().get_name() == "outer");
                const auto inner = create_task([] { CHECK(current_task().get_name() == "inner"); },
                                               {.name = "inner", .eager_start = true});
                CHECK(inner.done());
                CHECK(current_task().get_name() == "outer");
                sleep(0s);
                CHECK(current_task().get_name() == "outer");
            },
            {.name = "outer", .eager_start = true});
        CHECK(current_task() == creator);
        await(outer);
    });
}

TEST_CASE("an eager task that has finished is not among all tasks, one that waits is") {
    in_both_worlds([] {
        const auto finished = create_task([] { CHECK(all_tasks().size() == 2); }, eagerly);
        CHECK(all_tasks().size() == 1);
        const auto waiting = create_task([] { sleep(1ms); }, eagerly);
        CHECK(all_tasks().size() == 2);
        CHECK(all_tasks().back() == AnyTask(waiting));
        await(waiting);
        CHECK(all_tasks().size() == 1);
    });
}

TEST_CASE("an eager task is cancelled where it waits, and not at all when it has finished") {
    in_both_worlds([] {
        const auto finished = create_task([] { return 1; }, eagerly);
        CHECK(!finished.cancel());
        CHECK(await(finished) == 1);
        bool began = false;
        const auto waiting = create_task(
            [&] {
                began = true;
                sleep(1h);
            },
            eagerly);
        CHECK(began);
        CHECK(waiting.cancel("enough"));
        CHECK_THROWS_AS(await(waiting), CancelledError);
        CHECK(waiting.cancel_message() == "enough");
    });
}

TEST_CASE("an eager task that cancels itself is cancelled at its first wait or its end") {
    in_both_worlds([] {
        const auto at_wait = create_task(
            [] {
                current_task().cancel();
                sleep(1h);
            },
            eagerly);
        CHECK_THROWS_AS(await(at_wait), CancelledError);
        const auto at_end = create_task([] { current_task().cancel(); }, eagerly);
        CHECK(at_end.cancelled());
    });
}

TEST_CASE("an eager task runs in a copy of its creator's context, or in the one it is given") {
    in_both_worlds([] {
        const ContextVar<int> number{"number", 0};
        number.set(1);
        create_task(
            [&] {
                CHECK(number.get() == 1);
                number.set(2);
            },
            eagerly);
        CHECK(number.get() == 1);
        const Context context;
        create_task([&] { number.set(3); }, {.context = context, .eager_start = true});
        CHECK(context.get(number) == 3);
        CHECK(number.get() == 1);
    });
}

TEST_CASE("a coroutine starts eagerly too, and so does what a callback makes") {
    in_both_worlds([] {
        const auto coro = []() -> Coro<int> {
            co_await sleep(0s);
            co_return 2;
        };
        CHECK(await(create_task(coro(), eagerly)) == 2);
        std::vector<int> log;
        Task<void> made;
        get_running_loop().call_soon([&] {
            made = create_task(
                [&] {
                    log.push_back(1);
                    sleep(0s);
                    log.push_back(3);
                },
                eagerly);
            log.push_back(2);
        });
        sleep(0s);
        await(made);
        CHECK(log == std::vector<int>{1, 2, 3});
    });
}

TEST_CASE("a creator inside catch finds its own exception after an eager start") {
    in_both_worlds([] {
        try {
            throw std::runtime_error("mine");
        } catch (...) {
            const auto task = create_task(
                [] {
                    try {
                        throw std::logic_error("theirs");
                    } catch (const std::logic_error&) {
                        sleep(0s);
                    }
                },
                eagerly);
            CHECK(describe_exception(std::current_exception()) == "std::runtime_error: mine");
            await(task);
            CHECK(describe_exception(std::current_exception()) == "std::runtime_error: mine");
        }
    });
}

TEST_CASE("in every order, eager tasks have begun in the order in which they were made") {
    const auto runs = in_every_order([] {
        std::vector<int> log;
        std::vector<Task<void>> tasks;
        for (int i = 0; i < 3; ++i) {
            tasks.push_back(create_task(
                [&log, i] {
                    log.push_back(i);
                    sleep(0s);
                    log.push_back(10 + i);
                },
                eagerly));
        }
        CHECK(log == std::vector<int>{0, 1, 2});
        for (const auto& task : tasks) {
            await(task);
        }
        CHECK(log.size() == 6);
    });
    CHECK(runs >= 6);
}

TEST_CASE("in every order, a cancellation of an eager task is delivered once it waits") {
    in_every_order(
        [] {
            const auto future = get_running_loop().create_future<void>();
            bool was_told = false;
            const auto task = create_task(
                [&] {
                    try {
                        await(future);
                    } catch (const CancelledError&) {
                        was_told = true;
                        throw;
                    }
                },
                eagerly);
            create_task([&] {
                if (!future.done()) {
                    future.set_result();
                }
            });
            try {
                await(task);
            } catch (const CancelledError&) {
                CHECK(task.cancelled() == was_told);
            }
        },
        {.cancellations = 1});
}

TEST_CASE("many tasks that start eagerly and finish at once nest and leave nothing behind") {
    in_both_worlds([] {
        get_running_loop().set_task_factory(eager_task_factory);
        int made = 0;
        const std::function<int(int)> chain = [&](int depth) {
            ++made;
            return depth == 0 ? 0 : await(create_task([&chain, depth] { return chain(depth - 1); })) + 1;
        };
        CHECK(chain(50) == 50);
        CHECK(made == 51);
        CHECK(all_tasks().size() == 1);
    });
}

TEST_CASE("the eager task factory starts eagerly unless the options say otherwise") {
    in_both_worlds([] {
        EventLoop& loop = get_running_loop();
        loop.set_task_factory(eager_task_factory);
        CHECK(create_task([] {}).done());
        const auto lazy = create_task([] {}, {.eager_start = false});
        CHECK(!lazy.done());
        loop.set_task_factory(nullptr);
        CHECK(loop.get_task_factory() == nullptr);
        const auto usual = create_task([] {});
        CHECK(!usual.done());
        await(lazy);
        await(usual);
    });
}

TEST_CASE("a task factory chooses the options of every task, and returns what it made") {
    in_both_worlds([] {
        EventLoop& loop = get_running_loop();
        std::vector<std::string> names;
        loop.set_task_factory([&](EventLoop& asking, TaskMaker& make, const TaskOptions& options) {
            CHECK(&asking == &loop);
            names.emplace_back(options.name);
            TaskOptions chosen = options;
            chosen.name = "of the factory";
            const AnyTask task = make(chosen);
            CHECK_THROWS_AS(make(chosen), UsageError);
            return task;
        });
        const auto task = create_task([] { return 3; }, {.name = "mine"});
        CHECK(task.get_name() == "of the factory");
        CHECK(await(task) == 3);
        CHECK(names == std::vector<std::string>{"mine"});
        loop.set_task_factory([](EventLoop&, TaskMaker&, const TaskOptions&) { return AnyTask(); });
        CHECK_THROWS_AS(create_task([] {}), UsageError);
        loop.set_task_factory([](EventLoop&, TaskMaker&, const TaskOptions&) -> AnyTask { throw std::runtime_error("no"); });
        CHECK_THROWS_AS(create_task([] {}), std::runtime_error);
        loop.set_task_factory(nullptr);
    });
}
