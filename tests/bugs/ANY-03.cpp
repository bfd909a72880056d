// AnyIO's Condition, anyio pull request 1075.
//
// As in asyncio (gh-112202), with events for wake-ups: a waiter that was notified and is cancelled takes itself out of
// a list in which it no longer is, and the notification is lost.

#include <algorithm>
#include <deque>

#include "condition.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "ANY-03",
                                    .upstream = "anyio #1075",
                                    .title = "Condition: a notification is lost with the waiter that is cancelled",
                                    .invariant = Invariant::no_stranded_waiter,
                                    .pattern = Pattern::baton_dropped,
                                    .finding = FindingKind::stuck});

enum class OnCancel { only_leaves, notifies_next };

template <OnCancel on_cancel>
class HandmadeCondition {
public:
    void acquire() { lock_.acquire(); }
    void release() { lock_.release(); }

    void notify() {
        if (!waiters_.empty()) {
            waiters_.front()->set();
            waiters_.pop_front();
        }
    }

    void wait() {
        const auto event = std::make_shared<Event>();
        waiters_.push_back(event);
        lock_.release();
        try {
            event->wait();
        } catch (const CancelledError&) {
            acquire_stubbornly(lock_);
            std::erase(waiters_, event);
            if (on_cancel == OnCancel::notifies_next && event->is_set()) {
                notify();
            }
            throw;
        }
        try {
            acquire_stubbornly(lock_);
        } catch (const CancelledError&) {
            if (on_cancel == OnCancel::notifies_next) {
                notify();
            }
            throw;
        }
    }

private:
    Lock lock_;
    std::deque<std::shared_ptr<Event>> waiters_;
};

/// A machine that tasks use in turn; one of them is told to stop. (Not by an injected cancellation: who waits for an
/// event is excused then, because only the victim may have been about to set it.)
template <class C>
void share_machine() {
    C condition;
    bool is_free = true;
    MutualExclusion exclusion(1);
    const auto give_back = [&] {
        acquire_stubbornly(condition);
        is_free = true;
        condition.notify();
        condition.release();
    };
    const auto use = [&] {
        {
            const Held held(condition);
            while (!is_free) {
                condition.wait();
            }
            is_free = false;
        }
        try {
            const MutualExclusion::Inside inside(exclusion);
            sleep(1s);
        } catch (const CancelledError&) {
            give_back();
            throw;
        }
        give_back();
    };
    const auto first = create_task(use, {.name = "user"});
    const auto second = create_task(use, {.name = "user"});
    const auto third = create_task(use, {.name = "user"});
    sleep(900ms);
    second.cancel();
    join(first, second, third);
}

}  // namespace

MISHAP_SCENARIO("ANY-03/buggy", .timer_slack = 200ms) { share_machine<HandmadeCondition<OnCancel::only_leaves>>(); }
MISHAP_SCENARIO("ANY-03/fixed", .timer_slack = 200ms) { share_machine<HandmadeCondition<OnCancel::notifies_next>>(); }
