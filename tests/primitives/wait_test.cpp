#include <mishap/primitives/wait.hpp>

#include <array>
#include <list>
#include <stdexcept>
#include <string>
#include <vector>

#include <mishap/loop/call_graph.hpp>
#include <mishap/loop/coro.hpp>
#include <mishap/primitives/as_completed.hpp>
#include <mishap/primitives/gather.hpp>
#include <mishap/primitives/shield.hpp>
#include <mishap/primitives/timeout.hpp>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

/// A task that sleeps and returns, or throws.
Task<int> after(std::chrono::nanoseconds delay, int result) {
    return create_task([=] {
        sleep(delay);
        if (result < 0) {
            throw std::runtime_error("negative");
        }
        return result;
    });
}

std::chrono::milliseconds since_start() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(get_running_loop().time().time_since_epoch());
}

using Tasks = std::vector<Task<int>>;

}  // namespace

TEST_CASE("wait returns when all have ended, in the order of the argument") {
    in_a_calm_world([] {
        const Tasks tasks{after(150ms, 1), after(100ms, 2)};
        const auto [done, pending] = wait(tasks);
        CHECK(done == tasks);
        CHECK(pending.empty());
        CHECK(since_start() == 150ms);
        // Those that have ended are waited for again in no time.
        CHECK(wait(tasks).done == tasks);
        CHECK(since_start() == 150ms);
    });
}

TEST_CASE("wait yields even if everything has ended") {
    in_both_worlds([] {
        const Tasks tasks{after(0s, 1)};
        await(tasks[0]);
        bool others_ran = false;
        const auto other = create_task([&] { others_ran = true; });
        wait(tasks);
        CHECK(others_ran);
        await(other);
    });
}

TEST_CASE("a task that wait is given twice counts once") {
    in_both_worlds([] {
        const auto task = after(1ms, 1);
        const auto other = after(2ms, 2);
        const auto [done, pending] = wait({task, task, other, task});
        CHECK(done == Tasks{task, other});
        CHECK(pending.empty());
    });
}

TEST_CASE("wait finds what occurs twice among many") {
    in_a_calm_world([] {
        Tasks tasks;
        for (int i = 0; i < 30; ++i) {
            tasks.push_back(after(1ms, i));
        }
        Tasks twice = tasks;
        twice.insert(twice.end(), tasks.begin(), tasks.end());
        CHECK(wait(twice).done == tasks);
    });
}

TEST_CASE("wait refuses to wait for nothing, for another loop's futures, and outside a task") {
    in_both_worlds([] {
        CHECK_THROWS_AS(wait(Tasks()), UsageError);
        EventLoop other;
        CHECK_THROWS_AS(wait({other.create_future<int>()}), UsageError);
    });
    CHECK_THROWS_AS(wait(Tasks()), UsageError);
}

TEST_CASE("with first_completed, wait returns when the first has ended") {
    in_a_calm_world([] {
        const auto slow = after(10s, 1);
        const auto quick = after(100ms, 2);
        const auto [done, pending] = wait({slow, quick}, {.return_when = ReturnWhen::first_completed});
        CHECK(done == Tasks{quick});
        CHECK(pending == Tasks{slow});
        CHECK(!slow.done());
        CHECK(since_start() == 100ms);
        wait({slow});
    });
}

TEST_CASE("with first_completed, wait returns all that have ended by then") {
    in_a_calm_world([] {
        const auto one = after(0s, 1);
        const auto other = create_task([] { return 2; });
        const auto [done, pending] = wait({one, other}, {.return_when = ReturnWhen::first_completed});
        CHECK(done == Tasks{one, other});
        CHECK(pending.empty());
    });
}

TEST_CASE("with first_exception, wait returns when the first has failed") {
    in_a_calm_world([] {
        const auto slow = after(10s, 1);
        const auto quick = after(50ms, 2);
        const auto failing = after(100ms, -1);
        const auto [done, pending] = wait({slow, quick, failing}, {.return_when = ReturnWhen::first_exception});
        CHECK(done == Tasks{quick, failing});
        CHECK(pending == Tasks{slow});
        CHECK(since_start() == 100ms);
        wait({slow});
    });
}

TEST_CASE("with first_exception, a cancelled task is no failure") {
    in_a_calm_world([] {
        const auto cancelled = after(10s, 1);
        const auto slow = after(2s, 2);
        cancelled.cancel();
        const auto [done, pending] = wait({cancelled, slow}, {.return_when = ReturnWhen::first_exception});
        CHECK(done == Tasks{cancelled, slow});
        CHECK(pending.empty());
        CHECK(since_start() == 2s);
    });
}

TEST_CASE("with first_exception, a failure before the wait ends it") {
    in_a_calm_world([] {
        const auto slow = after(10s, 1);
        const auto failing = create_task([]() -> int { throw std::runtime_error("at once"); });
        const auto [done, pending] = wait({slow, failing}, {.return_when = ReturnWhen::first_exception});
        CHECK(done == Tasks{failing});
        CHECK(pending == Tasks{slow});
        CHECK(since_start() == 0s);
    });
}

TEST_CASE("wait for all does not throw what a task ended with, and does not count as looking at it") {
    in_a_calm_world([] {
        const auto good = after(100ms, 1);
        const auto failing = after(150ms, -1);
        const auto [done, pending] = wait({good, failing});
        CHECK(done.size() == 2);
        CHECK_THROWS_AS(failing.result(), std::runtime_error);
    });
    std::string reported;
    in_a_calm_world([&] {
        get_running_loop().set_exception_handler(
            [&](EventLoop&, const LoopException& what) { reported = describe_exception(what.exception); });
        {
            const Tasks tasks{after(1ms, -1)};
            wait(tasks);
        }
        sleep(1ms);
    });
    CHECK(reported == "std::runtime_error: negative");
}

TEST_CASE("when the timeout is over, wait says what is pending and cancels nothing") {
    in_a_calm_world([] {
        const auto quick = after(100ms, 1);
        const auto slow = after(150ms, 2);
        const auto [done, pending] = wait({quick, slow}, {.timeout = 110ms});
        CHECK(done == Tasks{quick});
        CHECK(pending == Tasks{slow});
        CHECK(since_start() == 110ms);
        sleep(100ms);
        CHECK(slow.result() == 2);
        const auto late = after(1s, 3);
        CHECK(wait({late}, {.timeout = 0s}).pending == Tasks{late});
        CHECK(wait({late}, {.timeout = -1s}).pending == Tasks{late});
        CHECK(since_start() == 210ms);
        wait({late});
    });
}

TEST_CASE("wait in time leaves no timer and no callback behind") {
    in_a_calm_world([] {
        const auto never = get_running_loop().create_future<int>();
        const auto quick = after(1ms, 1);
        wait(std::vector<Future<int>>{never, quick}, {.return_when = ReturnWhen::first_completed, .timeout = 24h});
        const std::size_t before = detail::block_pool().live();
        for (int i = 0; i < 50; ++i) {
            wait(std::vector<Future<int>>{never, quick}, {.return_when = ReturnWhen::first_completed, .timeout = 24h});
        }
        sleep(0s);
        CHECK(detail::block_pool().live() <= before + 2);
        CHECK(since_start() == 1ms);
    });
}

TEST_CASE("wait takes any range of tasks") {
    in_both_worlds([] {
        const std::list<Task<int>> list{after(1ms, 1), after(0s, 2)};
        CHECK(wait(list).done == Tasks(list.begin(), list.end()));
        const auto other = create_task([] {});
        const std::array<AnyTask, 2> different{list.front(), other};
        CHECK(wait(different).done == std::vector<AnyTask>{list.front(), other});
        const auto task = after(1ms, 3);
        wait(Tasks{task});
        CHECK(task.done());
    });
}

TEST_CASE("the call graph leads through wait, as_completed, shields and gathers to who awaits, as long as it does") {
    in_a_calm_world([] {
        const auto inner = create_task([] { sleep(1s); }, {.name = "inner"});
        const auto who = [&] {
            std::vector<std::string> names;
            for (const FutureCallGraph& one : capture_call_graph(inner).awaited_by) {
                names.push_back(one.name);
            }
            return names;
        };
        const auto waiting = create_task([&] { wait({inner}); }, {.name = "waits"});
        const auto iterating = create_task([&] { as_completed(std::vector{inner}).next(); }, {.name = "iterates"});
        const auto shielding = create_task([&] { await(shield(inner)); }, {.name = "shields"});
        const auto gathering = create_task([&] { gather(gather_future(shield(inner))); }, {.name = "gathers"});
        sleep(0s);
        CHECK(who() == std::vector<std::string>{"waits", "iterates", "shields", "gathers"});
        for (const auto& task : {waiting, iterating, shielding, gathering}) {
            task.cancel();
            CHECK(!ended_well(task));
        }
        CHECK(who().empty());
        await(inner);
    });
}

TEST_CASE("two tasks can wait for the same ones") {
    in_a_calm_world([] {
        const auto shared = after(100ms, 1);
        const auto waits = [&] { return wait({shared}).done.size(); };
        const auto one = create_task(waits);
        const auto other = create_task(waits);
        CHECK(await(one) == 1);
        CHECK(await(other) == 1);
        CHECK(since_start() == 100ms);
    });
}

TEST_CASE("what wait waits for goes on when who waits is cancelled (wait shields)") {
    in_a_calm_world([] {
        const auto inner = after(1s, 7);
        const auto outer = create_task([&] { wait({inner}); });
        sleep(0s);
        outer.cancel();
        CHECK(!ended_well(outer));
        CHECK(!inner.done());
        CHECK(await(inner) == 7);
        // Nothing of the cancelled wait is left that a later one could meet.
        CHECK(wait({inner}).done.size() == 1);
    });
}

TEST_CASE("a coroutine waits too") {
    in_both_worlds([] {
        await([]() -> Coro<> {
            const auto quick = after(1ms, 1);
            const auto slow = after(20ms, 2);
            const auto [done, pending] = wait({quick, slow}, {.return_when = ReturnWhen::first_completed});
            CHECK(done.size() == 1);
            CHECK(co_await done[0] == 1);
            CHECK(co_await pending[0] == 2);
        }());
    });
}

TEST_CASE("who waits can be seen waiting for all of them, also through gathers, and no longer than it waits") {
    in_a_calm_world([] {
        const auto slow = after(1s, 1);
        const auto slower = after(2s, 2);
        const auto waiting = create_task([&] { wait({slow, slower}, {.timeout = 1500ms}); });
        const auto holders = [&] {
            detail::WaitExplanation explanation;
            if (waiting.task_state().waiting_on != nullptr) {
                waiting.task_state().waiting_on->explain(explanation);
            }
            return explanation.holders;
        };
        sleep(0s);
        using Holders = std::vector<const detail::TaskBase*>;
        CHECK(holders() == Holders{&slow.task_state(), &slower.task_state()});
        await(slow);
        CHECK(holders() == Holders{&slower.task_state()});
        await(waiting);
        CHECK(holders().empty());
        await(slower);
    });
}

namespace {

/// Waits as `wait` does, except that a future which ends is not looked for again: it is the waiter's callback that says so.
struct ForgetsTheRest {
    static std::size_t wait_first(const Tasks& tasks) {
        const auto one = get_running_loop().create_future<int>();
        for (const auto& task : tasks) {
            task.add_done_callback([one](const Future<int>& ended) {
                if (!one.done()) {
                    one.set_result(ended.cancelled() ? 0 : ended.result());
                }
            });
        }
        await(one);
        return 1;
    }
};

struct Ours {
    static std::size_t wait_first(const Tasks& tasks) {
        return wait(tasks, {.return_when = ReturnWhen::first_completed}).done.size();
    }
};

/// Counts what has ended until everything is accounted for.
template <class W>
void count_all() {
    const auto connect = [] {
        sleep(0s);
        return 1;
    };
    Tasks tasks{create_task(connect), create_task(connect)};
    const std::size_t first = W::wait_first(tasks);
    std::size_t ended = 0;
    for (const auto& task : tasks) {
        ended += task.done() ? 1u : 0u;
    }
    claim(first == ended, "a result is lost");
    wait(tasks);
}

}  // namespace

TEST_CASE("in every order, wait names everything that has ended by the time it returns") {
    CHECK(verdict(search_every_order(count_all<Ours>, {.cancellations = 1})) == "passes");
    CHECK(verdict(search_every_order(count_all<ForgetsTheRest>, {.cancellations = 1})) == "a result is lost");
}

TEST_CASE("in every order, with time that passes and a cancellation, wait ends and leaves its tasks alone") {
    const auto body = [] {
        const auto child = create_task([] { sleep(1s); }, {.name = "child"});
        const auto waiting = create_task(
            [&] {
                const auto [done, pending] = wait({child}, {.timeout = 1s});
                claim(done.size() + pending.size() == 1, "neither done nor pending");
                claim(done.empty() || done[0].done(), "done and not done");
            },
            {.name = "waiting"});
        ended_well(waiting);
        claim(!waiting.cancelled() || child.cancelling() == 0, "the cancellation reached the child");
        ended_well(child);
    };
    WorldOptions options;
    options.cancellations = 1;
    options.time_passes = 1;
    CHECK(verdict(search_every_order(body, options)) == "passes");
}
