#include <mishap/loop/coro.hpp>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

Coro<int> add(int a, int b) {
    co_await sleep(0s);
    co_return a + b;
}

Coro<int> chain(int depth) {
    if (depth == 0) {
        co_await sleep(0s);
        co_return 0;
    }
    const int below = co_await chain(depth - 1);
    co_return below + 1;
}

/// Returns an address on the stack that runs it, to see how much of that stack is used.
[[gnu::noinline]] std::uintptr_t stack_position() {
    return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

Coro<std::uintptr_t> deep_position(int depth) {
    if (depth == 0) {
        co_await sleep(0s);
        co_return stack_position();
    }
    const std::uintptr_t below = co_await deep_position(depth - 1);
    co_return below;
}

}  // namespace

TEST_CASE("a coroutine runs in the task that awaits it") {
    in_both_worlds([] {
        CHECK(await(add(1, 2)) == 3);
        const auto both = []() -> Coro<int> {
            const int a = co_await add(1, 2);
            const int b = co_await add(a, 4);
            co_return b;
        };
        CHECK(await(both()) == 7);
    });
}

TEST_CASE("a coroutine awaits tasks and futures, and functions await tasks of coroutines") {
    in_both_worlds([] {
        const auto mixed = []() -> Coro<int> {
            const int a = co_await create_task(add(1, 1));
            const int b = co_await create_task([] { return 10; });
            const Future<int> future = get_running_loop().create_future<int>();
            get_running_loop().call_soon([future] { future.set_result(100); });
            const int c = co_await future;
            const int d = await(create_task([] { return 1000; }));  // on the host's stack
            co_return a + b + c + d;
        };
        CHECK(await(create_task(mixed())) == 1112);
    });
}

TEST_CASE("what a coroutine throws comes out where it is awaited") {
    in_both_worlds([] {
        const auto failing = []() -> Coro<> {
            co_await sleep(0s);
            throw std::runtime_error("x");
        };
        const auto catching = [&]() -> Coro<std::string> {
            std::string caught;
            try {
                co_await failing();
            } catch (const std::runtime_error& error) {
                caught = error.what();
            }
            co_await sleep(0s);
            co_return caught;
        };
        CHECK_THROWS_AS(await(failing()), std::runtime_error);
        CHECK(await(catching()) == "x");
        CHECK_THROWS_AS(await(create_task(failing())), std::runtime_error);
    });
}

TEST_CASE("a coroutine is cancelled where it waits, and may clean up with co_await afterwards") {
    in_both_worlds([] {
        bool cleaned_up = false;
        const auto inner = [&]() -> Coro<> {
            bool was_cancelled = false;
            try {
                co_await sleep(1h);
            } catch (const CancelledError&) {
                was_cancelled = true;
            }
            co_await sleep(0s);
            cleaned_up = was_cancelled;
            throw CancelledError("on");
        };
        const auto outer = [&]() -> Coro<> { co_await inner(); };
        const auto task = create_task(outer());
        sleep(0s);
        task.cancel();
        CHECK_THROWS_AS(await(task), CancelledError);
        CHECK(cleaned_up);
    });
}

TEST_CASE("a coroutine can be awaited once, and one that was never awaited is simply destroyed") {
    in_both_worlds([] {
        auto coro = add(1, 2);
        CHECK(await(std::move(coro)) == 3);
        CHECK_THROWS_AS(await(std::move(coro)), UsageError);
        CHECK_THROWS_AS(await(Coro<int>()), UsageError);
        const auto held = std::make_shared<int>(1);
        {
            const auto dropped = [](std::shared_ptr<int> kept) -> Coro<int> { co_return *kept; }(held);
            CHECK(held.use_count() == 2);
        }
        CHECK(held.use_count() == 1);
        const auto task = create_task([](std::shared_ptr<int> kept) -> Coro<int> { co_return *kept; }(held));
        task.cancel();
        CHECK_THROWS_AS(await(task), CancelledError);
        CHECK(held.use_count() == 1);
    });
}

TEST_CASE("a coroutine's result may be one that cannot be copied") {
    in_both_worlds([] {
        const auto make = []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(3); };
        CHECK(*await(make()) == 3);
    });
}

TEST_CASE("a chain of 100,000 coroutines takes no stack") {
    in_both_worlds([] {
        CHECK(await(chain(100'000)) == 100'000);
        const std::uintptr_t shallow = await(deep_position(1));
        const std::uintptr_t deep = await(deep_position(100'000));
        CHECK((shallow > deep ? shallow - deep : deep - shallow) < 4096);
    });
}

TEST_CASE("a loop over coroutines that do not wait takes no stack") {
    in_both_worlds([] {
        const auto one = []() -> Coro<int> { co_return 1; };
        const auto many = [&]() -> Coro<int> {
            int sum = 0;
            for (int i = 0; i < 100'000; ++i) {
                const int value = co_await one();
                sum += value;
            }
            co_return sum;
        };
        CHECK(await(many()) == 100'000);
    });
}

TEST_CASE("a coroutine from an earlier run is not resumed") {
    Coro<int> kept;
    in_a_calm_world([&] { kept = add(1, 2); });
    in_a_calm_world([&] { CHECK_THROWS_AS(await(std::move(kept)), UsageError); });
}

TEST_CASE("awaiting a coroutine outside a task is a UsageError") { CHECK_THROWS_AS(await(add(1, 2)), UsageError); }
