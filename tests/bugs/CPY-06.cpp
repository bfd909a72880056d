// asyncio.Condition, gh-111693 (pull request 111694), repaired in CPython 3.13.
//
// A waiter that was cancelled while it took the lock back throws a CancelledError of its own making: the message with
// which it was cancelled is lost.

#include "condition.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-06",
                                    .upstream = "gh-111693",
                                    .title = "Condition: the message of a cancellation is lost",
                                    .invariant = Invariant::cancel_balanced,
                                    .pattern = Pattern::cancellation_swallowed});

enum class Throws { new_error, error_that_came };

template <Throws throws>
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
        if (throws == Throws::error_that_came) {
            acquire_stubbornly(lock_);
            return;
        }
        bool is_cancelled = false;
        for (;;) {
            try {
                lock_.acquire();
                break;
            } catch (const CancelledError&) {
                is_cancelled = true;
            }
        }
        if (is_cancelled) {
            throw CancelledError();
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
            try {
                const Held held(condition);
                while (!is_ready) {
                    condition.wait();
                }
            } catch (const CancelledError& error) {
                claim(error.message() == "we close at six", Invariant::cancel_balanced);
                throw;
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
    sleep(0s);
    consumer.cancel("we close at six");
    join(consumer, producer);
}

}  // namespace

// Injected cancellations have a message of their own, so none are.
MISHAP_SCENARIO("CPY-06/buggy") { stop_consumer<HandmadeCondition<Throws::new_error>>(); }
MISHAP_SCENARIO("CPY-06/fixed") { stop_consumer<HandmadeCondition<Throws::error_that_came>>(); }
