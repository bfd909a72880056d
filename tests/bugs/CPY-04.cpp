// asyncio.Condition, bpo-22970 (python/asyncio pull request 346).
//
// A notified waiter that is cancelled while it takes the lock back gives up, and `wait` throws without holding the
// lock. Whoever called it releases a lock that is free, or that somebody else holds.

#include "condition.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-04",
                                    .upstream = "bpo-22970",
                                    .title = "Condition: a cancelled wait ends without its lock",
                                    .invariant = Invariant::ownership,
                                    .pattern = Pattern::cancellation_swallowed});

enum class Reacquire { once, until_it_has_the_lock };

template <Reacquire reacquire>
class HandmadeCondition {
public:
    void acquire() { lock_.acquire(); }
    void release() { lock_.release(); }
    void notify() { waiters_.notify(); }

    void wait() {
        lock_.release();
        try {
            waiters_.wait();
        } catch (const CancelledError&) {
            take_back();
            throw;
        }
        take_back();
    }

private:
    void take_back() {
        if (reacquire == Reacquire::once) {
            lock_.acquire();
        } else {
            acquire_stubbornly(lock_);
        }
    }

    OwnedLock lock_;
    ConditionWaiters waiters_;
};

template <class C>
void hand_over() {
    C condition;
    bool is_ready = false;
    const auto consumer = create_task(
        [&] {
            const Held held(condition);
            while (!is_ready) {
                condition.wait();
            }
        },
        {.name = "consumer"});
    const auto producer = create_task(
        [&] {
            const Held held(condition);
            is_ready = true;
            condition.notify();
            sleep(0s);
        },
        {.name = "producer"});
    join(consumer, producer);
}

}  // namespace

MISHAP_SCENARIO("CPY-04/buggy", .cancellations = 1) { hand_over<HandmadeCondition<Reacquire::once>>(); }
MISHAP_SCENARIO("CPY-04/fixed", .cancellations = 1) {
    hand_over<HandmadeCondition<Reacquire::until_it_has_the_lock>>();
}
