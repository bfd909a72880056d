// Eager tasks and the call graph where tasks wait through gather and groups.

#include <functional>
#include <set>
#include <string>
#include <vector>

#include <mishap/loop/call_graph.hpp>
#include <mishap/primitives/gather.hpp>
#include <mishap/primitives/lock.hpp>
#include <mishap/primitives/shared.hpp>
#include <mishap/primitives/task_group.hpp>
#include <mishap/sim/dpor.hpp>

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

namespace {

/// Runs a program as often as `strategy` likes, and returns how its runs ended.
template <class S>
std::set<std::string> outcomes_of(const std::function<std::string()>& program, std::uint64_t& runs) {
    struct Searched final : Program {
        Searched(EventLoop& loop_, const std::function<std::string()>& program_) : loop(loop_), program(program_) {}
        void run(World&) override {
            auto body = [this] { outcomes.insert(program()); };
            LoopRun(loop).run(body);
        }
        EventLoop& loop;
        const std::function<std::string()>& program;
        std::set<std::string> outcomes;
    };
    World world({.sharing = Sharing::tracked, .lost_updates = Detect::off});
    EventLoop loop(world);
    loop.end_run();
    Searched searched(loop, program);
    Explorer explorer(searched, world);
    S strategy;
    const SearchResult result = explorer.search(strategy, {.runs_max = 100'000});
    CHECK(result.is_exhausted);
    runs = result.runs;
    return searched.outcomes;
}

}  // namespace

TEST_CASE("the reduction loses no outcome of tasks that start eagerly") {
    const auto program = [] {
        Shared<int> value{0};
        const auto writer = [&](int digit) {
            return [&value, digit] {
                value.store(value.load() * 10 + digit);
                sleep(0s);
                value.store(value.load() * 10 + digit);
            };
        };
        const auto usual = create_task(writer(1));
        const auto makes = create_task([&] {
            const auto eager = create_task(writer(2), {.eager_start = true});
            value.store(value.load() * 10 + 3);
            await(eager);
        });
        await(usual);
        await(makes);
        return std::to_string(value.load());
    };
    std::uint64_t all = 0;
    std::uint64_t reduced = 0;
    const std::set<std::string> expected = outcomes_of<Exhaustive>(program, all);
    CHECK(expected.size() >= 6);
    CHECK(outcomes_of<Dpor>(program, reduced) == expected);
    CHECK(reduced < all);
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
