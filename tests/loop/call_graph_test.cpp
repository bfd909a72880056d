#include <mishap/loop/call_graph.hpp>

#include <string>

#include <mishap/loop/await.hpp>
#include <mishap/loop/coro.hpp>
#include <mishap/loop/sleep.hpp>

#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

TEST_CASE("the call graph names who awaits a task, and who awaits them") {
    in_both_worlds([] {
        const auto deep = create_task([] { sleep(1ms); }, {.name = "deep"});
        const auto middle = create_task([&] { await(deep); }, {.name = "middle"});
        const auto other = create_task([&] { await(deep); }, {.name = "other"});
        const auto top = create_task([&] { await(middle); }, {.name = "top"});
        sleep(0s);
        const FutureCallGraph graph = capture_call_graph(deep);
        CHECK(graph.name == "deep");
        REQUIRE(graph.call_stack.size() == 1);
        CHECK(graph.call_stack[0].operation == "sleep");
        CHECK(std::string(graph.call_stack[0].place.file).find("call_graph_test.cpp") != std::string::npos);
        REQUIRE(graph.awaited_by.size() == 2);
        CHECK(graph.awaited_by[0].name == "middle");
        REQUIRE(graph.awaited_by[0].awaited_by.size() == 1);
        CHECK(graph.awaited_by[0].awaited_by[0].name == "top");
        CHECK(graph.awaited_by[1].name == "other");
        CHECK(graph.awaited_by[1].awaited_by.empty());
        await(top);
        await(other);
        CHECK(capture_call_graph(deep).awaited_by.empty());
    });
}

TEST_CASE("the call graph of a future that is no task has no stack") {
    in_both_worlds([] {
        const auto future = get_running_loop().create_future<void>();
        const auto waiter = create_task([&] { await(future); }, {.name = "waiter"});
        sleep(0s);
        const FutureCallGraph graph = capture_call_graph(future);
        CHECK(graph.name.empty());
        CHECK(graph.call_stack.empty());
        REQUIRE(graph.awaited_by.size() == 1);
        CHECK(graph.awaited_by[0].name == "waiter");
        future.set_result();
        await(waiter);
    });
}

TEST_CASE("the call graph is of the current task unless it is told otherwise, and a callback has none") {
    in_both_worlds([] {
        const auto waited = create_task([] { return capture_call_graph(); }, {.name = "asks"});
        const auto waiter = create_task([&] { await(waited); }, {.name = "waiter"});
        const auto graph = await(waited);
        REQUIRE(graph.has_value());
        CHECK(graph->name == "asks");
        await(waiter);
        bool was_called = false;
        get_running_loop().call_soon([&] {
            CHECK(!capture_call_graph().has_value());
            was_called = true;
        });
        sleep(0s);
        CHECK(was_called);
    });
}

TEST_CASE("the call graph keeps the innermost levels of a stack that is limited") {
    in_both_worlds([] {
        const auto inner = []() -> Coro<void> { co_await sleep(1ms); };
        const auto task = create_task(inner(), {.name = "limited"});
        sleep(0s);
        CHECK(capture_call_graph(task, 0).call_stack.empty());
        CHECK(capture_call_graph(task, 1).call_stack.size() == 1);
        CHECK(capture_call_graph(task).call_stack.size() == 1);
        await(task);
    });
}

TEST_CASE("tasks that wait for each other have a graph that ends") {
    in_a_calm_world([] {
        Task<void> second;
        const auto first = create_task([&] { await(second); }, {.name = "first"});
        second = create_task([&] { await(first); }, {.name = "second"});
        sleep(0s);
        const FutureCallGraph graph = capture_call_graph(first);
        REQUIRE(graph.awaited_by.size() == 1);
        REQUIRE(graph.awaited_by[0].awaited_by.size() == 1);
        CHECK(graph.awaited_by[0].awaited_by[0].name == "first");
        CHECK(graph.awaited_by[0].awaited_by[0].awaited_by.empty());
    });
}

TEST_CASE("the call graph as text has a line for each level") {
    in_both_worlds([] {
        const auto deep = create_task([] { sleep(1ms); }, {.name = "deep"});
        const auto top = create_task([&] { await(deep); }, {.name = "top"});
        sleep(0s);
        std::string text = format_call_graph(deep);
        for (std::size_t at = text.find(" at "); at != std::string::npos; at = text.find(" at ")) {
            text.erase(at, text.find('\n', at) - at);
        }
        CHECK(text ==
              "* Task 'deep'\n"
              "  + Call stack:\n"
              "  |   sleep\n"
              "  + Awaited by:\n"
              "     * Task 'top'\n"
              "       + Call stack:\n"
              "       |   await\n");
        await(top);
    });
}
