// asyncio.Lock, bpo-27585 (python/asyncio pull requests 393 and 467), repaired in CPython 3.6.2.
//
// Whoever releases the lock wakes the head of the queue. A waiter that is cancelled between being woken and resuming
// leaves the queue and keeps the wake-up to itself: the next one waits for ever on a free lock.

#include <algorithm>
#include <deque>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-01",
                                    .upstream = "bpo-27585",
                                    .title = "Lock: a woken waiter is cancelled, and the next one is never woken",
                                    .invariant = Invariant::no_stranded_waiter,
                                    .pattern = Pattern::baton_dropped,
                                    .finding = FindingKind::stuck});

enum class OnCancel { forget_wakeup, pass_wakeup_on };

template <OnCancel on_cancel>
class HandmadeLock {
public:
    void acquire() {
        if (!is_locked_ && waiters_.empty()) {
            is_locked_ = true;
            return;
        }
        const auto woken = get_running_loop().create_future<void>();
        waiters_.push_back(woken);
        try {
            await(woken);
        } catch (const CancelledError&) {
            std::erase(waiters_, woken);
            if (on_cancel == OnCancel::pass_wakeup_on && !is_locked_) {
                wake_head();
            }
            throw;
        }
        std::erase(waiters_, woken);
        is_locked_ = true;
    }

    void release() {
        is_locked_ = false;
        wake_head();
    }

private:
    void wake_head() {
        if (!waiters_.empty() && !waiters_.front().done()) {
            waiters_.front().set_result();
        }
    }

    bool is_locked_ = false;
    std::deque<Future<void>> waiters_;
};

template <class L>
void take_turns() {
    L lock;
    MutualExclusion exclusion;
    const auto work = [&] {
        const Held held(lock);
        const MutualExclusion::Inside inside(exclusion);
        sleep(0s);
    };
    join(create_task(work, {.name = "worker"}), create_task(work, {.name = "worker"}),
         create_task(work, {.name = "worker"}));
}

}  // namespace

MISHAP_SCENARIO("CPY-01/buggy", .cancellations = 1) { take_turns<HandmadeLock<OnCancel::forget_wakeup>>(); }
MISHAP_SCENARIO("CPY-01/fixed", .cancellations = 1) { take_turns<HandmadeLock<OnCancel::pass_wakeup_on>>(); }
