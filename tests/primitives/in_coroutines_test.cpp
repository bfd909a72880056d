// Every operation that may wait, called in a coroutine: there it waits, goes on, and is cancelled as in a function.

#include <functional>
#include <set>
#include <string>
#include <vector>

#include <mishap/loop/coro.hpp>
#include <mishap/loop/executor.hpp>
#include <mishap/primitives/primitives.hpp>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

/// Calls `operation` between two waits of its own.
Coro<void> around(std::function<void()> operation, int& went_on) {
    co_await sleep(0s);
    operation();
    ++went_on;
    co_await sleep(0s);
}

/// Lets everybody come as far as can be without time.
void settle() {
    for (int i = 0; i < 10; ++i) {
        sleep(0s);
    }
}

/// Two coroutines wait in `operation`, which checks nothing (a check swallows exceptions): the one that is cancelled leaves, the other goes on when `allow` is called.
void waits(const char* name, const std::function<void()>& operation, const std::function<void()>& allow) {
    INFO(name);
    int went_on = 0;
    const auto leaves = create_task(around(operation, went_on));
    settle();
    REQUIRE_FALSE(leaves.done());
    leaves.cancel();
    CHECK_FALSE(ended_well(leaves));
    CHECK(went_on == 0);
    const auto stays = create_task(around(operation, went_on));
    settle();
    REQUIRE_FALSE(stays.done());
    allow();
    CHECK(ended_well(stays));
    CHECK(went_on == 1);
}

template <class Q>
void queue_waits(const std::string& name) {
    Q queue(1);
    waits((name + ".get").c_str(), [&] { queue.get(); }, [&] { queue.put_nowait(1); });
    waits((name + ".join").c_str(), [&] { queue.join(); }, [&] { queue.task_done(); });
    queue.put_nowait(2);
    waits((name + ".put").c_str(), [&] { queue.put(3); }, [&] { CHECK(queue.get_nowait() == 2); });
    CHECK(queue.get_nowait() == 3);
}

}  // namespace

TEST_CASE("coroutines wait for locks, semaphores and conditions") {
    in_both_worlds([] {
        Lock lock;
        lock.acquire();
        waits("Lock.acquire", [&] { lock.acquire(); }, [&] { lock.release(); });
        waits("Lock.guard", [&] { const auto guard = lock.guard(); }, [&] { lock.release(); });
        lock.acquire();
        waits("std::unique_lock", [&] { const std::unique_lock<Lock> guard(lock); }, [&] { lock.release(); });
        Semaphore semaphore(0);
        waits("Semaphore.acquire", [&] { semaphore.acquire(); }, [&] { semaphore.release(); });
        waits("Semaphore.guard", [&] { const auto guard = semaphore.guard(); }, [&] { semaphore.release(); });
        BoundedSemaphore bounded(1);
        bounded.acquire();
        waits("BoundedSemaphore.acquire", [&] { bounded.acquire(); }, [&] { bounded.release(); });
        Condition condition;
        condition.acquire();
        waits("Condition.acquire", [&] { condition.acquire(); }, [&] { condition.release(); });
        condition.release();
        int items = 0;
        const auto notify = [&] {
            const auto guard = condition.guard();
            items = 1;
            condition.notify_all();
        };
        const auto wait = [&] {
            const auto guard = condition.guard();
            condition.wait();
        };
        const auto wait_for_items = [&] {
            const auto guard = condition.guard();
            condition.wait_for([&] { return items != 0; });
        };
        waits("Condition.wait", wait, notify);
        items = 0;
        waits("Condition.wait_for", wait_for_items, notify);
    });
}

TEST_CASE("coroutines wait for events and at barriers") {
    in_both_worlds([] {
        Event event;
        waits("Event.wait", [&] { event.wait(); }, [&] { event.set(); });
        Barrier barrier(2);
        waits("Barrier.wait", [&] { barrier.wait(); }, [&] { barrier.wait(); });
        waits("async_with of a barrier", [&] { async_with(barrier, [] {}); }, [&] { barrier.wait(); });
    });
}

TEST_CASE("coroutines wait for items of queues, for room in them, and for the work") {
    in_both_worlds([] {
        queue_waits<Queue<int>>("Queue");
        queue_waits<LifoQueue<int>>("LifoQueue");
        queue_waits<PriorityQueue<int>>("PriorityQueue");
        Queue<int> queue;
        waits("items_of", [&] { items_of(queue).next(); }, [&] { queue.put_nowait(1); });
    });
}

TEST_CASE("coroutines wait in combinators") {
    in_both_worlds([] {
        // What is waited for is made anew for each wait, as most of these cancel it with whoever waits.
        std::vector<Future<int>> made;
        const auto make = [&] {
            made.push_back(get_running_loop().create_future<int>());
            return made.back();
        };
        const auto resolve = [&] {
            for (const Future<int>& future : made) {
                if (!future.done()) {
                    future.set_result(1);
                }
            }
        };
        const auto child = [make] { return await(make()); };
        waits("await", [&] { await(make()); }, resolve);
        waits("gather", [&] { gather(make(), make()); }, resolve);
        waits("gather of a range", [&] { gather(std::vector{make(), make()}); }, resolve);
        waits("gather with return_exceptions", [&] { gather(return_exceptions, make(), make()); }, resolve);
        waits("wait", [&] { wait({make(), make()}); }, resolve);
        waits("wait_for", [&] { wait_for(make(), 1h); }, resolve);
        waits("wait_for of a function", [&] { wait_for(child, 1h); }, resolve);
        waits("as_completed", [&] { as_completed(std::vector{make()}).next(); }, resolve);
        waits("shield", [&] { await(shield(make())); }, resolve);
        waits("timeout", [&] { timeout(1h, child); }, resolve);
        waits("task_group", [&] { task_group([&](TaskGroup& group) { group.create_task(child); }); }, resolve);
        waits("staggered_race", [&] { staggered_race(std::vector{child}, std::nullopt); }, resolve);
        waits("joinall", [&] { joinall(std::vector{make()}); }, resolve);
    });
}

TEST_CASE("coroutines wait for pools and results as gevent has them") {
    in_both_worlds([] {
        AsyncResult<int> answer;
        waits("AsyncResult.get", [&] { answer.get(); }, [&] { answer.set(1); });
        AsyncResult<int> other;
        waits("AsyncResult.wait", [&] { other.wait(); }, [&] { other.set(1); });
        Pool pool(1);
        Event is_open;
        const auto work = [&] { is_open.wait(); };
        const auto allow = [&] { is_open.set(); };
        pool.spawn(work);
        waits("Pool.spawn", [&] { pool.spawn(work); }, allow);
        is_open.clear();
        pool.join(1s);
        pool.spawn(work);
        waits("Pool.join", [&] { pool.join(); }, allow);
        is_open.clear();
        pool.spawn(work);
        waits("Pool.wait_available", [&] { pool.wait_available(); }, allow);
        is_open.clear();
        const auto stubborn = create_task([&] {
            while (!is_open.is_set()) {
                try {
                    is_open.wait();
                } catch (const CancelledError&) {
                }
            }
        });
        sleep(0s);
        waits("kill", [&] { kill(stubborn); }, [&] { is_open.set(); });
    });
}

TEST_CASE("coroutines wait for threads") {
    in_both_worlds([] {
        Mutex mutex;
        CondVar changed;
        bool is_open = false;
        const auto blocked = [&] {
            std::unique_lock<Mutex> guard(mutex);
            changed.wait(guard, [&] { return is_open; });
        };
        const auto open = [&] {
            const std::lock_guard<Mutex> guard(mutex);
            is_open = true;
            changed.notify_all();
        };
        ThreadPoolExecutor pool(3);
        EventLoop& loop = get_running_loop();
        waits("run_in_executor", [&] { await(loop.run_in_executor(&pool, blocked)); }, open);
        is_open = false;
        waits("wrap_future", [&] { await(wrap_future(pool.submit(blocked))); }, open);
    });
}
