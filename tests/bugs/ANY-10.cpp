// AnyIO's Lock on asyncio, anyio pull request 1145.
//
// A release passes over a waiter that is cancelled but has not left the queue yet. A newcomer sees a queue that is not
// empty and joins it; when the cancelled waiter leaves, nobody wakes who stands behind it.

#include <algorithm>
#include <deque>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "ANY-10",
                                    .upstream = "anyio #1145",
                                    .title = "Lock: a newcomer queues behind a cancelled waiter, and is never woken",
                                    .invariant = Invariant::no_stranded_waiter,
                                    .pattern = Pattern::stranded_newcomer,
                                    .finding = FindingKind::stuck});

enum class CancelledWaiters { stay_until_they_leave, are_removed_by_release };

template <CancelledWaiters cancelled_waiters>
class HandmadeLock {
public:
    void acquire() {
        if (!is_locked_ && waiters_.empty()) {
            is_locked_ = true;
            return;
        }
        const auto granted = get_running_loop().create_future<void>();
        waiters_.push_back(granted);
        try {
            await(granted);
        } catch (const CancelledError&) {
            std::erase(waiters_, granted);
            if (!granted.cancelled()) {
                release();
            }
            throw;
        }
        std::erase(waiters_, granted);
    }

    /// Gives the lock to the first who waits for it.
    void release() {
        if (cancelled_waiters == CancelledWaiters::are_removed_by_release) {
            std::erase_if(waiters_, [](const Future<void>& waiter) { return waiter.cancelled(); });
        }
        const auto next = std::find_if(waiters_.begin(), waiters_.end(),
                                       [](const Future<void>& waiter) { return !waiter.done(); });
        is_locked_ = next != waiters_.end();
        if (is_locked_) {
            next->set_result();
        }
    }

private:
    bool is_locked_ = false;
    std::deque<Future<void>> waiters_;
};

template <class L>
void stop_one() {
    L lock;
    MutualExclusion exclusion;
    const auto work = [&] {
        const Held held(lock);
        const MutualExclusion::Inside inside(exclusion);
        sleep(0s);
    };
    const auto first = create_task(work, {.name = "worker"});
    const auto second = create_task(work, {.name = "worker"});
    const auto third = create_task(work, {.name = "worker"});
    sleep(0s);
    second.cancel();
    join(first, second, third);
}

}  // namespace

MISHAP_SCENARIO("ANY-10/buggy", .cancellations = 1) {
    stop_one<HandmadeLock<CancelledWaiters::stay_until_they_leave>>();
}
MISHAP_SCENARIO("ANY-10/fixed", .cancellations = 1) {
    stop_one<HandmadeLock<CancelledWaiters::are_removed_by_release>>();
}
