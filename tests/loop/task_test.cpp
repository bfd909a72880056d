#include <mishap/loop/task.hpp>

#include <stdexcept>
#include <string>
#include <vector>

#include <mishap/loop/await.hpp>
#include <mishap/loop/sleep.hpp>

#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

/// Returns the message of the CancelledError that a task ends with, or "none".
template <class T>
std::string cancel_message(const Task<T>& task) {
    try {
        await(task);
    } catch (const CancelledError& error) {
        return error.message();
    }
    return "none";
}

}  // namespace

TEST_CASE("a task begins at its first step, not where it is made") {
    in_both_worlds([] {
        bool began = false;
        const auto task = create_task([&] { began = true; });
        CHECK(!began);
        await(task);
        CHECK(began);
    });
}

TEST_CASE("a task that waits is cancelled through what it waits for, with the message") {
    in_both_worlds([] {
        const auto task = create_task([] { sleep(1h); });
        sleep(0s);
        CHECK(task.cancel("why"));
        CHECK(!task.done());
        CHECK(cancel_message(task) == "why");
        CHECK(task.cancelled());
        CHECK(!task.cancel());
    });
}

TEST_CASE("cancelling goes down a chain of tasks to the last (bpo-34872)") {
    in_both_worlds([] {
        bool reached = false;
        const auto last = create_task([&] {
            try {
                sleep(1h);
            } catch (const CancelledError&) {
                reached = true;
                throw;
            }
        });
        const auto middle = create_task([&] { await(last); });
        const auto first = create_task([&] { await(middle); });
        sleep(0s);
        first.cancel();
        CHECK_THROWS_AS(await(first), CancelledError);
        CHECK(reached);
        CHECK(middle.cancelled());
    });
}

TEST_CASE("a task that cancels itself reaches the task it waits for next") {
    in_both_worlds([] {
        const auto child = create_task([] { sleep(1h); });
        const auto task = create_task([&] {
            sleep(0s);
            current_task().cancel();
            await(child);
        });
        CHECK_THROWS_AS(await(task), CancelledError);
        CHECK(child.cancelled());
    });
}

TEST_CASE("a task that is cancelled before it began never runs") {
    in_both_worlds([] {
        bool began = false;
        const auto task = create_task([&] { began = true; });
        task.cancel("early");
        CHECK(cancel_message(task) == "early");
        CHECK(!began);
    });
}

TEST_CASE("a task that is cancelled when its wake-up is queued gets CancelledError instead of the result") {
    in_both_worlds([] {
        const Future<int> future = get_running_loop().create_future<int>();
        const auto task = create_task([&] { return await(future); });
        sleep(0s);
        future.set_result(1);
        CHECK(task.cancel("late"));
        CHECK(cancel_message(task) == "late");
        CHECK(!future.cancelled());
    });
}

TEST_CASE("a cancellation after the last wait still makes the task cancelled (bpo-30048)") {
    in_both_worlds([] {
        const auto task = create_task([] {
            current_task().cancel("last");
            return 1;
        });
        CHECK(cancel_message(task) == "last");
    });
}

TEST_CASE("a task may swallow its cancellation, the request stays counted") {
    in_both_worlds([] {
        const auto task = create_task([] {
            try {
                sleep(1h);
            } catch (const CancelledError&) {
            }
            sleep(0s);
            return current_task().cancelling();
        });
        sleep(0s);
        task.cancel();
        CHECK(await(task) == 1);
    });
}

TEST_CASE("requests for cancellation are counted and taken back, never below none") {
    in_both_worlds([] {
        const auto task = create_task([] {
            CHECK(current_task().uncancel() == 0);
            current_task().cancel();
            current_task().cancel();
            CHECK(current_task().cancelling() == 2);
            CHECK(current_task().uncancel() == 1);
            CHECK_THROWS_AS(sleep(0s), CancelledError);
            CHECK(current_task().uncancel() == 0);
            CHECK(current_task().uncancel() == 0);
        });
        await(task);
    });
}

TEST_CASE("taking back the last request clears a cancellation that was not delivered yet (CPython 3.13)") {
    in_both_worlds([] {
        const auto task = create_task([] {
            current_task().cancel();
            CHECK(current_task().uncancel() == 0);
            sleep(0s);
            return 1;
        });
        CHECK(await(task) == 1);
    });
}

TEST_CASE("of two requests before a task resumes, one is delivered, and its message is the first") {
    in_both_worlds([] {
        const auto task = create_task([] {
            try {
                await(get_running_loop().create_future<void>());
            } catch (const CancelledError& error) {
                CHECK(error.message() == "first");
            }
            sleep(0s);  // not interrupted a second time
            return current_task().cancelling();
        });
        sleep(0s);
        task.cancel("first");
        task.cancel("second");
        CHECK(await(task) == 2);
    });
}

TEST_CASE("a task that waits for itself is told so") {
    in_both_worlds([] {
        Task<void> task;
        task = create_task([&] { await(task); });
        CHECK_THROWS_AS(await(task), UsageError);
    });
}

TEST_CASE("a task's result and exception cannot be set from outside") {
    in_both_worlds([] {
        const auto task = create_task([] { return 1; });
        CHECK_THROWS_AS(task.set_result(2), UsageError);
        CHECK_THROWS_AS(task.set_exception(std::make_exception_ptr(1)), UsageError);
        CHECK(await(task) == 1);
    });
}

TEST_CASE("tasks have names: the one given, or a number of their own") {
    in_both_worlds([] {
        const auto named = create_task([] {}, {.name = "reader"});
        const auto nameless = create_task([] {});
        CHECK(named.get_name() == "reader");
        CHECK(nameless.get_name() == "Task-1");
        CHECK(current_task().get_name() == "main");
        CHECK(all_tasks().size() == 3);
        await(nameless);
        await(named);
        CHECK(all_tasks().size() == 1);
    });
}

TEST_CASE("what a task throws is thrown into everyone who awaits it") {
    in_both_worlds([] {
        const auto task = create_task([] { throw std::runtime_error("x"); });
        CHECK_THROWS_AS(await(task), std::runtime_error);
        CHECK_THROWS_AS(await(task), std::runtime_error);
        CHECK(describe_exception(task.exception()) == "std::runtime_error: x");
    });
}

TEST_CASE("an exception that nobody looked at is reported once, when the last handle goes") {
    in_both_worlds([] {
        std::vector<std::string> reports;
        get_running_loop().set_exception_handler([&](EventLoop&, const LoopException& what) {
            reports.push_back(what.message + ": " + describe_exception(what.exception));
        });
        {
            const auto task = create_task([] { throw std::runtime_error("x"); });
            sleep(0s);
            CHECK(task.done());
            CHECK(reports.empty());
        }
        CHECK(reports == std::vector<std::string>{"Task exception was never retrieved: std::runtime_error: x"});
        get_running_loop().set_exception_handler(nullptr);
    });
}

TEST_CASE("an exception counts as seen when who awaited it was cancelled meanwhile") {
    in_both_worlds([] {
        int reports = 0;
        get_running_loop().set_exception_handler([&](EventLoop&, const LoopException&) { ++reports; });
        {
            const auto inner = get_running_loop().create_future<void>();
            const auto outer = create_task([&] { await(inner); });
            sleep(0s);
            inner.set_exception(std::make_exception_ptr(std::runtime_error("x")));
            outer.cancel();
            CHECK_THROWS_AS(await(outer), CancelledError);
        }
        CHECK(reports == 0);
        get_running_loop().set_exception_handler(nullptr);
    });
}

TEST_CASE("a task that waits inside catch finds its own exception again") {
    in_both_worlds([] {
        const auto thrower = [](const char* text) {
            return [text] {
                try {
                    throw std::runtime_error(text);
                } catch (const std::runtime_error& error) {
                    sleep(0s);
                    CHECK(std::string(error.what()) == text);
                    try {
                        throw;
                    } catch (const std::runtime_error& again) {
                        sleep(0s);
                        CHECK(std::string(again.what()) == text);
                    }
                    CHECK(std::uncaught_exceptions() == 0);
                }
                return describe_exception(std::current_exception());
            };
        };
        const auto one = create_task(thrower("one"));
        const auto two = create_task(thrower("two"));
        CHECK(await(one) == "no exception");
        CHECK(await(two) == "no exception");
    });
}

TEST_CASE("leftover tasks are cancelled when the run ends, newest first") {
    std::vector<std::string> log;
    mishap::run([&] {
        const auto waiting = [&log](const char* name) {
            return [&log, name] {
                try {
                    sleep(24h);
                } catch (const CancelledError&) {
                    log.emplace_back(name);
                    throw;
                }
            };
        };
        create_task(waiting("old"));
        create_task(waiting("new"));
        sleep(0s);
    });
    CHECK(log == std::vector<std::string>{"new", "old"});
}

TEST_CASE("a task that will not end is given up when a simulated run ends") {
    bool destroyed = false;
    in_a_calm_world([&] {
        create_task([&] {
            struct OnExit {
                bool& flag;
                explicit OnExit(bool& f) : flag(f) {}
                ~OnExit() { flag = true; }
            };
            const OnExit on_exit(destroyed);
            for (;;) {
                try {
                    sleep(1s);
                } catch (const CancelledError&) {
                }
            }
        });
        sleep(0s);
    });
    CHECK(destroyed);
}

TEST_CASE("in every order, a cancellation that was accepted is delivered") {
    const auto runs = in_every_order([] {
        const Future<int> future = get_running_loop().create_future<int>();
        const auto task = create_task([&] { return await(future); });
        const auto setter = create_task([&] {
            if (!future.done()) {
                future.set_result(1);
            }
        });
        const auto canceller = create_task([&] { return task.cancel(); });
        const bool was_accepted = await(canceller);
        CHECK((cancel_message(task) == "none") == !was_accepted);
        await(setter);
    });
    CHECK(runs >= 6);
}

TEST_CASE("a task can be renamed, which changes its path no more than its result") {
    in_both_worlds([] {
        const auto task = create_task([] { CHECK(current_task().get_name() == "second"); }, {.name = "first"});
        const std::string path = AnyTask(task).path();
        task.set_name("other");
        AnyTask(task).set_name("second");
        CHECK(task.get_name() == "second");
        CHECK(AnyTask(task).path() == path);
        await(task);
        CHECK(task.get_name() == "second");
    });
}

TEST_CASE("the current task is each in turn while tasks interleave, and none in a callback") {
    in_both_worlds([] {
        std::vector<Task<void>> tasks;
        for (const char* const name : {"a", "b"}) {
            tasks.push_back(create_task(
                [name] {
                    for (int i = 0; i < 3; ++i) {
                        CHECK(current_task().get_name() == name);
                        sleep(0s);
                    }
                },
                {.name = name}));
        }
        bool was_called = false;
        get_running_loop().call_soon([&] {
            CHECK(!current_task().is_valid());
            was_called = true;
        });
        for (const auto& task : tasks) {
            await(task);
        }
        CHECK(was_called);
        CHECK(current_task().get_name() == "main");
    });
    CHECK_THROWS_AS(current_task(), UsageError);
    CHECK_THROWS_AS(all_tasks(), UsageError);
}

TEST_CASE("all tasks are those that are not done") {
    in_both_worlds([] {
        CHECK(all_tasks().size() == 1);
        const auto first = create_task([] {});
        const auto second = create_task([] { sleep(1ms); });
        CHECK(all_tasks().size() == 3);
        await(first);
        REQUIRE(all_tasks().size() == 2);
        CHECK(all_tasks()[1] == AnyTask(second));
        await(second);
        CHECK(all_tasks().size() == 1);
    });
}

TEST_CASE("the message of a cancellation is the task's, its exception's, and that of who awaits it") {
    in_both_worlds([] {
        const auto message_of = [](auto body) {
            try {
                body();
            } catch (const CancelledError& error) {
                return error.message();
            }
            return std::string("not cancelled");
        };
        const auto cancelled_task = [] {
            const auto task = create_task([] { sleep(1h); });
            sleep(0s);
            task.cancel("my message");
            sleep(0s);
            CHECK(task.cancelled());
            CHECK(task.cancel_message() == "my message");
            return task;
        };
        const auto task = cancelled_task();
        CHECK(message_of([&] { await(task); }) == "my message");
        CHECK(message_of([&] { await(task); }).empty());
        CHECK(task.cancel_message() == "my message");
        CHECK(message_of([&] { cancelled_task().result(); }) == "my message");
        CHECK(message_of([&] { cancelled_task().exception(); }) == "my message");
        const auto early = create_task([] { sleep(1h); });
        early.cancel("before it began");
        CHECK(message_of([&] { await(early); }) == "before it began");
        const auto silent = create_task([] { sleep(1h); });
        silent.cancel();
        CHECK(message_of([&] { await(silent); }).empty());
    });
}

TEST_CASE("of all who await a cancelled task the first gets the message; a future's goes to everybody") {
    in_both_worlds([] {
        const auto messages_of = [](const auto& awaited, std::string_view message) {
            std::vector<Task<std::string>> waiting;
            for (int i = 0; i < 3; ++i) {
                waiting.push_back(create_task([awaited] {
                    try {
                        await(awaited);
                    } catch (const CancelledError& error) {
                        return error.message();
                    }
                    return std::string("not cancelled");
                }));
            }
            sleep(0s);
            awaited.cancel(message);
            std::string all;
            for (const Task<std::string>& task : waiting) {
                all += await(task) + ";";
            }
            return all;
        };
        CHECK(messages_of(create_task([] { sleep(1h); }), "m") == "m;;;");
        CHECK(messages_of(create_task([] { await(get_running_loop().create_future<void>()); }), "m") == "m;;;");
        CHECK(messages_of(get_running_loop().create_future<void>(), "m") == "m;m;m;");
        // What mishap injects is known from the message, so that nobody who awaits the victim is blamed.
        const std::string& injected = detail::injected_message();
        CHECK(messages_of(create_task([] { sleep(1h); }), injected) == injected + ";" + injected + ";" + injected + ";");
    });
}

TEST_CASE("a task that catches its cancellation and waits again waits on, and returns what it likes") {
    in_both_worlds([] {
        const auto ignoring = create_task([] {
            for (int i = 0; i < 2; ++i) {
                try {
                    sleep(1ms);
                } catch (const CancelledError&) {
                }
            }
            return 42;
        });
        sleep(0s);
        CHECK(ignoring.cancel());
        CHECK(ignoring.cancelling() == 1);
        CHECK(await(ignoring) == 42);
        CHECK(!ignoring.cancelled());
        CHECK(!ignoring.cancel());
    });
}

TEST_CASE("a future that a task waits for can be cancelled alone, and the task may go on") {
    in_both_worlds([] {
        const auto future = get_running_loop().create_future<void>();
        const auto task = create_task([&] {
            try {
                await(future);
            } catch (const CancelledError&) {
                CHECK(current_task().cancelling() == 0);
                return 1;
            }
            return 0;
        });
        sleep(0s);
        future.cancel();
        CHECK(await(task) == 1);
        const auto both_future = get_running_loop().create_future<void>();
        const auto both = create_task([&] { await(both_future); });
        sleep(0s);
        both_future.cancel();
        both.cancel();
        CHECK_THROWS_AS(await(both), CancelledError);
        CHECK(both.cancelled());
    });
}

TEST_CASE("an exception that a cancelled task throws instead is what it ends with") {
    in_both_worlds([] {
        const auto task = create_task([] {
            try {
                sleep(1h);
            } catch (const CancelledError&) {
                throw std::runtime_error("instead");
            }
        });
        sleep(0s);
        task.cancel();
        CHECK_THROWS_AS(await(task), std::runtime_error);
        CHECK(!task.cancelled());
    });
}
