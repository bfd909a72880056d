// asyncio.Condition, gh-112202 (pull request 112201), repaired in CPython 3.13.
//
// A waiter that was notified and is cancelled before it returns takes the notification with it. Another waiter could
// have used it, and waits on.

#include "condition.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-05",
                                    .upstream = "gh-112202",
                                    .title = "Condition: a cancelled waiter takes its notification with it",
                                    .invariant = Invariant::no_stranded_waiter,
                                    .pattern = Pattern::baton_dropped,
                                    .finding = FindingKind::stuck});

enum class OnCancel { drops_notification, passes_notification_on };

template <OnCancel on_cancel>
class HandmadeCondition {
public:
    void acquire() { lock_.acquire(); }
    void release() { lock_.release(); }
    void notify() { waiters_.notify(); }

    void wait() {
        lock_.release();
        try {
            try {
                waiters_.wait();
            } catch (const CancelledError&) {
                acquire_stubbornly(lock_);
                throw;
            }
            acquire_stubbornly(lock_);
        } catch (const CancelledError&) {
            if (on_cancel == OnCancel::passes_notification_on) {
                notify();
            }
            throw;
        }
    }

private:
    Lock lock_;
    ConditionWaiters waiters_;
};

/// One connection, which tasks borrow in turn.
template <class C>
void share_connection() {
    C condition;
    bool is_free = true;
    const auto use = [&] {
        {
            const Held held(condition);
            while (!is_free) {
                condition.wait();
            }
            is_free = false;
        }
        sleep(0s);
        condition.acquire();
        is_free = true;
        condition.notify();
        condition.release();
    };
    join(create_task(use, {.name = "user"}), create_task(use, {.name = "user"}), create_task(use, {.name = "user"}));
}

}  // namespace

MISHAP_SCENARIO("CPY-05/buggy", .cancellations = 1) {
    share_connection<HandmadeCondition<OnCancel::drops_notification>>();
}
MISHAP_SCENARIO("CPY-05/fixed", .cancellations = 1) {
    share_connection<HandmadeCondition<OnCancel::passes_notification_on>>();
}
