#include <mishap/primitives/as_completed.hpp>

#include <memory>
#include <stdexcept>
#include <vector>

#include <mishap/primitives/wait_for.hpp>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

Task<int> after(std::chrono::nanoseconds delay, int result) {
    return create_task([=] {
        sleep(delay);
        return result;
    });
}

std::chrono::milliseconds since_start() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(get_running_loop().time().time_since_epoch());
}

using Tasks = std::vector<Task<int>>;
using Results = std::vector<int>;

}  // namespace

TEST_CASE("as_completed gives what it was given in the order in which it ends") {
    in_a_calm_world([] {
        const Tasks tasks{after(10ms, 1), after(30ms, 2), after(20ms, 3)};
        Results results;
        std::vector<std::chrono::milliseconds> times;
        for (const Task<int>& task : as_completed(tasks)) {
            CHECK(task.done());
            results.push_back(task.result());
            times.push_back(since_start());
        }
        CHECK(results == Results{1, 3, 2});
        CHECK(times == std::vector<std::chrono::milliseconds>{10ms, 20ms, 30ms});
    });
}

TEST_CASE("as_completed gives back the same tasks and futures") {
    in_both_worlds([] {
        const Tasks tasks{after(2ms, 1), after(1ms, 2)};
        Tasks seen;
        for (const auto& task : as_completed(tasks)) {
            seen.push_back(task);
        }
        CHECK(seen == Tasks{tasks[1], tasks[0]});
        const auto future = get_running_loop().create_future<int>();
        const std::vector<Future<int>> futures{future};
        future.set_result(5);
        for (const Future<int>& same : as_completed(futures)) {
            CHECK(same == future);
        }
    });
}

TEST_CASE("as_completed makes tasks of functions and coroutines, and moves what is given away") {
    in_both_worlds([] {
        const auto coro = [](int result) -> Coro<int> {
            co_await sleep(std::chrono::milliseconds(result));
            co_return result;
        };
        std::vector<Coro<int>> coros;
        coros.push_back(coro(2));
        coros.push_back(coro(1));
        Results results;
        for (const Task<int>& task : as_completed(std::move(coros))) {
            results.push_back(task.result());
        }
        CHECK(results == Results{1, 2});
    });
}

TEST_CASE("a task that as_completed is given twice comes once") {
    in_both_worlds([] {
        const auto task = after(1ms, 1);
        int count = 0;
        for (const auto& ended : as_completed(Tasks{task, task, task})) {
            CHECK(ended == task);
            ++count;
        }
        CHECK(count == 1);
    });
}

TEST_CASE("what fails or is cancelled comes as well") {
    in_both_worlds([] {
        const auto cancelled = after(1h, 1);
        const auto failing = create_task([]() -> int { throw std::runtime_error("boom"); });
        cancelled.cancel();
        int failures = 0;
        int cancellations = 0;
        for (const auto& task : as_completed(Tasks{cancelled, failing})) {
            cancellations += task.cancelled() ? 1 : 0;
            failures += !task.cancelled() && task.exception() != nullptr ? 1 : 0;
        }
        CHECK(failures == 1);
        CHECK(cancellations == 1);
    });
}

TEST_CASE("when the time is over, each that has not ended throws TimeoutError once and goes on") {
    in_a_calm_world([] {
        const Tasks tasks{after(100ms, 1), after(150ms, 2), after(150ms, 3)};
        auto all = as_completed(tasks, 120ms);
        CHECK(all.next().value() == tasks[0]);
        CHECK_THROWS_AS(all.next(), TimeoutError);
        CHECK(since_start() == 120ms);
        CHECK_THROWS_AS(all.next(), TimeoutError);
        CHECK(!all.next().has_value());
        CHECK(await(tasks[1]) == 2);
        CHECK(tasks[2].cancelling() == 0);
    });
}

TEST_CASE("the time is for all of the iteration, and counts from as_completed on") {
    in_a_calm_world([] {
        const Tasks tasks{after(100ms, 1), after(200ms, 2)};
        auto all = as_completed(tasks, 150ms);
        sleep(120ms);
        CHECK(all.next().value() == tasks[0]);
        CHECK_THROWS_AS(all.next(), TimeoutError);
        CHECK(since_start() == 150ms);
        wait_for(tasks[1], std::nullopt);
    });
}

TEST_CASE("a timeout that is not needed leaves no timer") {
    in_a_calm_world([] {
        for (const auto& task : as_completed(Tasks{after(10ms, 1)}, 1s)) {
            CHECK(task.result() == 1);
        }
        const std::size_t alive = detail::block_pool().live();
        for (int i = 0; i < 50; ++i) {
            auto all = as_completed(Tasks{after(0s, 1)}, 24h);
            CHECK(all.next().has_value());
        }
        sleep(0s);
        CHECK(detail::block_pool().live() <= alive + 2);
    });
}

TEST_CASE("what is no longer iterated over goes on, unwatched") {
    in_a_calm_world([] {
        const Tasks tasks{after(10ms, 1), after(1s, 2)};
        const auto never = get_running_loop().create_future<int>();
        for (const auto& task : as_completed(tasks, 2s)) {
            CHECK(task == tasks[0]);
            break;
        }
        CHECK(await(tasks[1]) == 2);
        const std::size_t alive = detail::block_pool().live();
        for (int i = 0; i < 50; ++i) {
            as_completed(std::vector<Future<int>>{never}, 24h);
        }
        sleep(0s);
        CHECK(detail::block_pool().live() <= alive + 2);
    });
}

TEST_CASE("an iteration can be taken up again") {
    in_a_calm_world([] {
        const Tasks tasks{after(10ms, 1), after(20ms, 2), after(30ms, 3)};
        auto all = as_completed(tasks);
        for (const auto& task : all) {
            CHECK(task == tasks[0]);
            break;
        }
        Results rest;
        for (const auto& task : all) {
            rest.push_back(task.result());
        }
        CHECK(rest == Results{2, 3});
        CHECK(all.begin() == all.end());
    });
}

TEST_CASE("what had ended before comes in the order of the argument, without waiting for the others") {
    in_a_calm_world([] {
        const auto one = after(0s, 1);
        const auto other = after(0s, 2);
        const auto slow = after(1s, 3);
        sleep(10ms);
        Results results;
        for (const auto& task : as_completed(Tasks{slow, other, one})) {
            results.push_back(task.result());
            CHECK(since_start() == (results.size() < 3 ? 10ms : 1s));
        }
        CHECK(results == Results{2, 1, 3});
    });
}

TEST_CASE("two tasks can share one iteration") {
    in_a_calm_world([] {
        auto all = as_completed(Tasks{after(10ms, 1), after(20ms, 2), after(30ms, 3)});
        Results results;
        const auto takes = [&] {
            while (const auto task = all.next()) {
                results.push_back(task->result());
            }
        };
        const auto one = create_task(takes);
        const auto other = create_task(takes);
        await(one);
        await(other);
        CHECK(results == Results{1, 2, 3});
    });
}

TEST_CASE("who is cancelled while it iterates loses nothing") {
    in_a_calm_world([] {
        auto all = as_completed(Tasks{after(10ms, 1), after(20ms, 2)});
        const auto taker = create_task([&] { all.next(); });
        sleep(0s);
        taker.cancel();
        CHECK(!ended_well(taker));
        CHECK(all.next()->result() == 1);
        CHECK(all.next()->result() == 2);
        CHECK(!all.next().has_value());
    });
}

TEST_CASE("as_completed of nothing ends at once") {
    in_both_worlds([] {
        auto all = as_completed(Tasks(), 1ms);
        CHECK(all.begin() == all.end());
    });
}

TEST_CASE("as_completed needs a running loop, and futures of it") {
    CHECK_THROWS_AS(as_completed(std::vector<int (*)()>{[] { return 1; }}), UsageError);
    in_both_worlds([] {
        for (const auto& task : as_completed(std::vector<int (*)()>{[] { return 1; }})) {
            CHECK(task.result() == 1);
        }
        EventLoop other;
        CHECK_THROWS_AS(as_completed(std::vector<Future<int>>{other.create_future<int>()}), UsageError);
    });
}

TEST_CASE("a coroutine iterates too") {
    in_both_worlds([] {
        await([]() -> Coro<> {
            Results results;
            for (const auto& task : as_completed(Tasks{after(2ms, 1), after(1ms, 2)})) {
                results.push_back(co_await task);
            }
            CHECK(results == Results{2, 1});
        }());
    });
}

namespace {

/// Counts a turn as taken even if its taker is cancelled, as asyncio does.
struct ForgetsACancelledTurn {
    explicit ForgetsACancelledTurn(const Tasks& tasks) : left(tasks.size()), all(as_completed(tasks)) {}
    std::optional<Task<int>> next() {
        if (left == 0) {
            return std::nullopt;
        }
        --left;
        return all.next();
    }
    std::size_t left;
    AsCompleted<Task<int>> all;
};

struct Ours {
    explicit Ours(const Tasks& tasks) : all(as_completed(tasks)) {}
    std::optional<Task<int>> next() { return all.next(); }
    AsCompleted<Task<int>> all;
};

/// Two tasks share an iteration; one of them may be cancelled. Whoever is left takes the rest.
template <class A>
void share() {
    const auto work = [](int result) {
        return [result] {
            sleep(0s);
            return result;
        };
    };
    const Tasks tasks{create_task(work(1), {.name = "one"}), create_task(work(2), {.name = "two"})};
    A all(tasks);
    int taken = 0;
    const auto takes = [&] {
        while (const auto task = all.next()) {
            ++taken;
        }
    };
    const auto taker = create_task(takes, {.name = "taker"});
    const auto other = create_task(takes, {.name = "other"});
    ended_well(taker);
    ended_well(other);
    takes();
    claim(taken == 2, "a result is lost");
}

}  // namespace

TEST_CASE("in every order and with a cancellation, a shared iteration gives each result once") {
    CHECK(verdict(search_every_order(share<Ours>, {.cancellations = 1})) == "passes");
    CHECK(verdict(search_every_order(share<ForgetsACancelledTurn>, {.cancellations = 1})) == "a result is lost");
}
