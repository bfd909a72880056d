#include <mishap/primitives/ensure_future.hpp>

#include <type_traits>

#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

TEST_CASE("ensure_future returns a future or a task as it is") {
    in_both_worlds([] {
        const auto future = get_running_loop().create_future<int>();
        CHECK(ensure_future(future) == future);
        const auto task = create_task([] { return 1; });
        const auto same = ensure_future(task);
        static_assert(std::is_same_v<decltype(same), const Task<int>>);
        CHECK(same == task);
        CHECK(await(same) == 1);
        CHECK(ensure_future(current_task()) == current_task());
    });
}

TEST_CASE("ensure_future makes a task of a coroutine and of a function, which begins later") {
    in_both_worlds([] {
        bool began = false;
        const auto task = ensure_future([&] {
            began = true;
            return 2;
        });
        static_assert(std::is_same_v<decltype(task), const Task<int>>);
        CHECK(!began);
        CHECK(await(task) == 2);
        const auto coro = [](int result) -> Coro<int> {
            co_await sleep(0s);
            co_return result;
        };
        CHECK(await(ensure_future(coro(3))) == 3);
        CHECK(await(ensure_future([&] { return coro(4); })) == 4);
    });
}

TEST_CASE("ensure_future needs a running loop") { CHECK_THROWS_AS(ensure_future([] {}), UsageError); }
