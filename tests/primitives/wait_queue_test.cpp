#include <mishap/primitives/detail/wait_queue.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <mishap/primitives/event.hpp>
#include <mishap/primitives/lifo_queue.hpp>
#include <mishap/primitives/lock.hpp>
#include <mishap/primitives/priority_queue.hpp>
#include <mishap/primitives/queue.hpp>
#include <mishap/primitives/semaphore.hpp>

#include <mishap/loop/sleep.hpp>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

constexpr detail::ObjectKind gate_kind{"Gate", "gate"};

/// A primitive that does nothing by itself.
class Gate : public detail::Primitive {
public:
    Gate() : Primitive(gate_kind, "g") {}
    void wait() {
        EventLoop& loop = enter("Gate.wait()");
        detail::WaitEntry entry(loop);
        waiters.wait(entry, "Gate.wait", {});
    }
    void explain(const detail::WaitQueue&, detail::WaitExplanation& explanation) const override {
        explanation.what = describe();
    }
    detail::WaitQueue waiters{*this, detail::WaitQueue::Wake::is_grant};
};

/// Three tasks that wait at a gate and write their number down.
class Three {
public:
    explicit Three(Gate& gate) {
        for (int i = 1; i <= 3; ++i) {
            tasks.push_back(create_task([this, &gate, i] {
                gate.wait();
                passed.push_back(i);
            }));
        }
        sleep(0s);
    }
    void finish() {
        for (const auto& task : tasks) {
            task.cancel();
            ended_well(task);
        }
    }
    std::vector<Task<void>> tasks;
    std::vector<int> passed;
};

/// Destroys a primitive while a task waits on it.
template <class P, class F>
SearchResult destroy_while_waiting(F wait) {
    return search_every_order(
        [wait] {
            auto primitive = std::make_unique<P>();
            const auto waiter = create_task([&, wait] { wait(*primitive); }, {.name = "waiter"});
            sleep(0s);
            primitive.reset();
            waiter.cancel();
            ended_well(waiter);
        },
        {.order = Order::fifo});
}

}  // namespace

TEST_CASE("wake_next wakes one after the other, and passes over cancelled ones") {
    in_both_worlds([] {
        Gate gate;
        Three three(gate);
        three.tasks[0].cancel();
        CHECK(gate.waiters.wake_next());
        CHECK(gate.waiters.wake_next());
        CHECK_FALSE(gate.waiters.wake_next());
        sleep(0s);
        CHECK(three.passed == std::vector<int>{2, 3});
        CHECK(gate.waiters.is_empty());
        three.finish();
    });
}

TEST_CASE("wake_head wakes the head once, and nobody else while it is there") {
    in_both_worlds([] {
        Gate gate;
        Three three(gate);
        gate.waiters.wake_head();
        gate.waiters.wake_head();
        sleep(0s);
        CHECK(three.passed == std::vector<int>{1});
        three.tasks[1].cancel();
        gate.waiters.wake_head();
        sleep(0s);
        CHECK(three.passed == std::vector<int>{1});
        gate.waiters.wake_head();
        sleep(0s);
        CHECK(three.passed == std::vector<int>{1, 3});
        three.finish();
    });
}

TEST_CASE("a cancelled waiter counts as gone, a woken one as there, until it has resumed") {
    const auto has_live_after = [](bool is_woken, bool is_cancelled) {
        bool has_live = false;
        in_both_worlds([&] {
            Gate gate;
            const auto task = create_task([&] { gate.wait(); });
            sleep(0s);
            CHECK(gate.waiters.has_live());
            if (is_woken) {
                gate.waiters.wake_all();
            }
            if (is_cancelled) {
                task.cancel();
            }
            has_live = gate.waiters.has_live();
            CHECK_FALSE(gate.waiters.is_empty());
            ended_well(task);
            CHECK(gate.waiters.is_empty());
        });
        return has_live;
    };
    CHECK(has_live_after(true, false));
    CHECK(has_live_after(true, true));
    CHECK_FALSE(has_live_after(false, true));
}

TEST_CASE("destroying a primitive on which a task waits is a finding") {
    const auto check = [](const SearchResult& result, const std::string& what) {
        REQUIRE(result.failure.has_value());
        const Finding& finding = result.failure->finding;
        CHECK(finding.kind == FindingKind::destroyed);
        CHECK(finding.what.find(what) != std::string::npos);
        CHECK(finding.tasks == std::vector<std::string>{"main/waiter"});
    };
    check(destroy_while_waiting<Event>([](Event& event) { event.wait(); }), "Event");
    check(destroy_while_waiting<Queue<int>>([](Queue<int>& queue) { queue.get(); }), "Queue");
    check(destroy_while_waiting<LifoQueue<int>>([](LifoQueue<int>& queue) { queue.get(); }), "LifoQueue");
    check(destroy_while_waiting<PriorityQueue<int>>([](PriorityQueue<int>& queue) { queue.get(); }), "PriorityQueue");
    struct Full : Queue<int> {
        Full() : Queue(1) { put_nowait(1); }
    };
    check(destroy_while_waiting<Full>([](Full& queue) { queue.put(2); }), "Queue");
    check(destroy_while_waiting<Full>([](Full& queue) { queue.join(); }), "Queue");
    struct Taken : Lock {
        Taken() { acquire(); }
    };
    check(destroy_while_waiting<Taken>([](Taken& lock) { lock.acquire(); }), "Lock");
    struct Empty : Semaphore {
        Empty() : Semaphore(0) {}
    };
    check(destroy_while_waiting<Empty>([](Empty& semaphore) { semaphore.acquire(); }), "Semaphore");
}

TEST_CASE("destroying an event whose waiters were let through is none") {
    const auto body = [](bool is_lock) {
        return [=] {
            auto event = std::make_unique<Event>();
            auto lock = std::make_unique<Lock>();
            lock->acquire();
            const auto waiter = create_task([&] {
                if (is_lock) {
                    lock->acquire();
                } else {
                    event->wait();
                }
            });
            sleep(0s);
            sleep(0s);
            event->set();
            lock->release();
            event.reset();
            lock.reset();
            ended_well(waiter);
        };
    };
    const WorldOptions calm{.order = Order::fifo};
    CHECK(verdict(search_every_order(body(false), calm)) == "passes");
    CHECK(verdict(search_every_order(body(true), calm)) == "Lock main/lock#2 was destroyed while 1 task waited on it");
}

TEST_CASE("a waiter that was cancelled does not need its primitive any more") {
    CHECK(verdict(search_every_order(
              [] {
                  auto lock = std::make_unique<Lock>();
                  lock->acquire();
                  const auto waiter = create_task([&] { lock->acquire(); });
                  sleep(0s);
                  waiter.cancel();
                  lock.reset();
                  claim(!ended_well(waiter), "it got the lock");
              },
              {.order = Order::fifo})) == "passes");
}

TEST_CASE("in the real world, who waits on a primitive that is destroyed gets an error") {
    run([] {
        auto queue = std::make_unique<Queue<int>>();
        auto lock = std::make_unique<Lock>();
        lock->acquire();
        const auto getter = create_task([&] { queue->get(); });
        const auto waiter = create_task([&] { lock->acquire(); });
        sleep(0s);
        queue.reset();
        lock->release();  // the waiter was woken, and would take it
        lock.reset();
        CHECK_THROWS_AS(await(getter), UsageError);
        CHECK_THROWS_AS(await(waiter), UsageError);
    });
}

TEST_CASE("tasks that still wait when main ends do not touch main's primitives") {
    for (int i = 0; i < 2; ++i) {
        in_both_worlds([] {
            auto lock = std::make_shared<Lock>();
            lock->acquire();
            static std::vector<std::shared_ptr<Lock>> kept;
            kept = {lock};
            for (int n = 0; n < 3; ++n) {
                create_task([lock] {
                    try {
                        lock->acquire();
                    } catch (const CancelledError&) {
                        lock->acquire();  // and again, during teardown
                    }
                });
            }
            sleep(0s);
        });
    }
}
