// Eager tasks and the call graph where tasks wait through gather and groups.

#include <functional>
#include <string>
#include <vector>

#include <mishap/loop/call_graph.hpp>
#include <mishap/primitives/gather.hpp>
#include <mishap/primitives/lock.hpp>
#include <mishap/primitives/task_group.hpp>

#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

TEST_CASE("tasks that a group starts eagerly end inside it, however deep") {
    in_both_worlds([] {
        get_running_loop().set_task_factory(eager_task_factory);
        int made = 0;
        const std::function<void(int)> spawn = [&](int depth) {
            ++made;
            if (depth > 0) {
                task_group([&](TaskGroup& group) {
                    group.create_task([&spawn, depth] { spawn(depth - 1); });
                    group.create_task([&spawn, depth] { spawn(depth - 1); });
                });
            }
        };
        spawn(5);
        CHECK(made == 63);
        CHECK(all_tasks().size() == 1);
    });
}

TEST_CASE("gather starts what it is given eagerly when the factory says so, and gives the results in order") {
    in_both_worlds([] {
        get_running_loop().set_task_factory(eager_task_factory);
        const std::function<int(int)> count = [&](int depth) {
            if (depth == 0) {
                return 1;
            }
            const auto [left, right] =
                gather([&count, depth] { return count(depth - 1); }, [&count, depth] { return count(depth - 1); });
            return left + right + 1;
        };
        CHECK(count(4) == 31);
        CHECK(all_tasks().size() == 1);
    });
}

TEST_CASE("in every order, eager tasks that contend for a lock hold it one at a time") {
    const auto runs = in_every_order([] {
        Lock lock;
        int holders = 0;
        std::vector<Task<void>> tasks;
        for (int i = 0; i < 3; ++i) {
            tasks.push_back(create_task(
                [&] {
                    lock.acquire();
                    CHECK(++holders == 1);
                    sleep(0s);
                    --holders;
                    lock.release();
                },
                {.eager_start = true}));
        }
        for (const auto& task : tasks) {
            await(task);
        }
    });
    CHECK(runs >= 2);
}

TEST_CASE("the call graph goes through gather and groups") {
    in_both_worlds([] {
        const auto deep = create_task([] { sleep(1ms); }, {.name = "deep"});
        const auto gathers = create_task([&] { gather(deep, create_task([] { sleep(1ms); })); }, {.name = "gathers"});
        Task<void> member;
        const auto groups = create_task(
            [&] { task_group([&](TaskGroup& group) { member = group.create_task([&] { await(gathers); }, {.name = "member"}); }); },
            {.name = "groups"});
        sleep(0s);
        sleep(0s);
        const FutureCallGraph graph = capture_call_graph(deep);
        REQUIRE(graph.awaited_by.size() == 1);
        CHECK(graph.awaited_by[0].name == "gathers");
        REQUIRE(graph.awaited_by[0].awaited_by.size() == 1);
        CHECK(graph.awaited_by[0].awaited_by[0].name == "member");
        REQUIRE(graph.awaited_by[0].awaited_by[0].awaited_by.size() == 1);
        CHECK(graph.awaited_by[0].awaited_by[0].awaited_by[0].name == "groups");
        await(groups);
    });
}
