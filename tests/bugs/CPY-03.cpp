// asyncio.Condition, bpo-32841, repaired in CPython 3.6.5.
//
// A notified waiter takes the lock back before `wait` returns. Cancelled meanwhile, it tries again, which is right, but
// forgets that it was cancelled: `wait` returns as if nothing had been asked.

#include "condition.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-03",
                                    .upstream = "bpo-32841",
                                    .title = "Condition: a cancellation while the lock is taken back is forgotten",
                                    .invariant = Invariant::cancel_honoured,
                                    .pattern = Pattern::cancellation_swallowed});

enum class Reacquire { forgets_cancellation, remembers_cancellation };

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
        if (reacquire == Reacquire::remembers_cancellation) {
            acquire_stubbornly(lock_);
            return;
        }
        for (;;) {
            try {
                lock_.acquire();
                return;
            } catch (const CancelledError&) {
            }
        }
    }

    Lock lock_;
    ConditionWaiters waiters_;
};

template <class C>
void stop_consumer() {
    C condition;
    bool is_ready = false;
    const auto consumer = create_task(
        [&] {
            CancelHonoured::run([&] {
                const Held held(condition);
                while (!is_ready) {
                    condition.wait();
                }
            });
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
    sleep(0s);
    CancelHonoured cancellations;
    cancellations.cancel(consumer);
    join(consumer, producer);
    cancellations.check();
}

}  // namespace

MISHAP_SCENARIO("CPY-03/buggy", .cancellations = 1) {
    stop_consumer<HandmadeCondition<Reacquire::forgets_cancellation>>();
}
MISHAP_SCENARIO("CPY-03/fixed", .cancellations = 1) {
    stop_consumer<HandmadeCondition<Reacquire::remembers_cancellation>>();
}
