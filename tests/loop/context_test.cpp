#include <mishap/loop/context.hpp>

#include <stdexcept>
#include <string>
#include <vector>

#include <mishap/loop/await.hpp>
#include <mishap/loop/coro.hpp>
#include <mishap/loop/sleep.hpp>

#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

const ContextVar<int> number{"number", 0};
const ContextVar<std::string> word{"word"};

}  // namespace

TEST_CASE("a context variable has its value, a fallback, its default, or nothing to give") {
    in_both_worlds([] {
        CHECK(number.get() == 0);
        CHECK(number.get(7) == 7);
        CHECK_THROWS_AS(word.get(), LookupError);
        CHECK(word.get("none") == "none");
        word.set("some");
        CHECK(word.get() == "some");
        CHECK(word.get("none") == "some");
        CHECK(word.name() == "word");
    });
}

TEST_CASE("a token undoes one set, once, in its own context") {
    in_both_worlds([] {
        number.set(1);
        Token<int> token = number.set(2);
        CHECK(token.old_value() == 1);
        number.reset(token);
        CHECK(number.get() == 1);
        CHECK_THROWS_AS(number.reset(token), UsageError);
        const ContextVar<int> other{"other", 0};
        Token<int> of_other = other.set(3);
        CHECK(!of_other.old_value().has_value());
        CHECK_THROWS_AS(number.reset(of_other), UsageError);
        Context().run([&] { CHECK_THROWS_AS(other.reset(of_other), UsageError); });
        other.reset(of_other);
        CHECK(other.get() == 0);
    });
}

TEST_CASE("a task has a copy of its creator's context") {
    in_both_worlds([] {
        number.set(1);
        const auto child = create_task([] {
            CHECK(number.get() == 1);
            number.set(2);
            sleep(0s);
            CHECK(number.get() == 2);
        });
        number.set(3);
        await(child);
        CHECK(number.get() == 3);
    });
}

TEST_CASE("in every order, tasks keep their values apart across waits") {
    const auto runs = in_every_order([] {
        number.set(10);
        std::vector<Task<void>> tasks;
        for (int i = 0; i < 3; ++i) {
            tasks.push_back(create_task([i] {
                CHECK(number.get() == 10);
                number.set(i);
                sleep(0s);
                CHECK(number.get() == i);
            }));
        }
        for (const auto& task : tasks) {
            await(task);
        }
        CHECK(number.get() == 10);
    });
    CHECK(runs > 10);
}

TEST_CASE("a coroutine has the context of its task") {
    in_both_worlds([] {
        number.set(1);
        const auto inner = []() -> Coro<void> {
            number.set(number.get() + 1);
            co_return;
        };
        const auto outer = [&]() -> Coro<int> {
            co_await inner();
            co_await sleep(0s);
            co_return number.get();
        };
        CHECK(await(create_task(outer())) == 2);
        CHECK(number.get() == 1);
    });
}

TEST_CASE("a callback has a copy of the context of who scheduled it") {
    in_both_worlds([] {
        EventLoop& loop = get_running_loop();
        std::vector<int> seen;
        const auto look = [&] {
            seen.push_back(number.get());
            number.set(9);
        };
        number.set(1);
        const Handle handle = loop.call_soon(look);
        number.set(2);
        loop.call_later(1ms, look);
        number.set(3);
        loop.call_at(loop.time() + 2ms, look);
        number.set(4);
        const auto future = loop.create_future<void>();
        future.add_done_callback([&](const Future<void>&) { look(); });
        number.set(5);
        future.set_result();
        sleep(10ms);
        CHECK(seen == std::vector<int>{1, 4, 2, 3});
        CHECK(number.get() == 5);
        CHECK(handle.get_context().get(number) == 9);
    });
}

TEST_CASE("what is given a context uses that one itself") {
    in_both_worlds([] {
        EventLoop& loop = get_running_loop();
        Context context;
        context.run([] { number.set(1); });
        number.set(100);
        const auto increment = [] { number.set(number.get() + 1); };
        const auto task = create_task(increment, {.context = context});
        CHECK(task.get_context() == context);
        await(task);
        CHECK(context.get(number) == 2);
        const Handle soon = loop.call_soon(increment, context);
        CHECK(soon.get_context() == context);
        loop.call_later(1ms, increment, context);
        loop.call_at(loop.time() + 1ms, increment, context);
        const auto future = loop.create_future<void>();
        future.add_done_callback([&](const Future<void>&) { increment(); }, context);
        future.set_result();
        sleep(10ms);
        CHECK(context.get(number) == 6);
        CHECK(number.get() == 100);
    });
}

TEST_CASE("a context is entered by one at a time") {
    in_both_worlds([] {
        const Context context;
        CHECK(context.run([&] {
            CHECK_THROWS_AS(context.run([] {}), UsageError);
            CHECK(context.copy().run([] { return 3; }) == 3);
            return 4;
        }) == 4);
        CHECK_THROWS_AS(context.run([] { throw std::runtime_error("x"); }), std::runtime_error);
        CHECK(context.run([] { return 5; }) == 5);
        await(create_task([&] { CHECK_THROWS_AS(context.run([] {}), UsageError); }, {.context = context}));
    });
}

TEST_CASE("a function that waits in a context hides it from others meanwhile") {
    in_both_worlds([] {
        number.set(1);
        const auto task = create_task([] {
            Context().run([] {
                number.set(2);
                sleep(0s);
                CHECK(number.get() == 2);
            });
            CHECK(number.get() == 1);
        });
        sleep(0s);
        CHECK(number.get() == 1);
        await(task);
    });
}

TEST_CASE("a copy of a context knows what the original knew") {
    in_both_worlds([] {
        number.set(1);
        const Context copy = copy_context();
        number.set(2);
        word.set("later");
        CHECK(copy.get(number) == 1);
        CHECK(!copy.contains(word));
        CHECK(!copy.get(word).has_value());
        CHECK(copy.size() == 1);
        CHECK(copy_context().size() == 2);
        CHECK(!(copy == copy.copy()));
    });
}

TEST_CASE("the exception handler runs in the context of the task or callback that it is told of") {
    in_both_worlds([] {
        EventLoop& loop = get_running_loop();
        std::vector<int> seen;
        loop.set_exception_handler([&](EventLoop&, const LoopException&) { seen.push_back(number.get()); });
        number.set(1);
        loop.call_soon([] {
            number.set(2);
            throw std::runtime_error("in a callback");
        });
        sleep(0s);
        create_task([] {
            number.set(3);
            throw std::runtime_error("in a task");
        });
        sleep(0s);
        CHECK(seen == std::vector<int>{2, 3});
        CHECK(number.get() == 1);
        loop.set_exception_handler(nullptr);
    });
}

TEST_CASE("a loop's tasks see what was set outside of it") {
    Context().run([] {
        number.set(8);
        CHECK(mishap::run([] {
            const int seen = number.get();
            number.set(9);
            return seen;
        }) == 8);
        CHECK(number.get() == 8);
    });
}
