// asyncio.Lock, bpo-32734 (pull request 5466), repaired in CPython 3.6.5: what the repair of bpo-27585 had broken.
//
// A cancelled waiter that finds the lock free passes a wake-up on, to the first that has not got one. But the head of
// the queue may have got the wake-up already and not resumed yet: then two of them enter.

#include <algorithm>
#include <deque>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-02",
                                    .upstream = "bpo-32734",
                                    .title = "Lock: a cancelled waiter wakes a second one, and both enter",
                                    .invariant = Invariant::mutual_exclusion,
                                    .pattern = Pattern::double_wake});

enum class Wakes { first_not_woken, head };

template <Wakes wakes>
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
            if (!is_locked_) {
                wake_one();
            }
            throw;
        }
        std::erase(waiters_, woken);
        is_locked_ = true;
    }

    void release() {
        is_locked_ = false;
        wake_one();
    }

private:
    void wake_one() {
        for (const Future<void>& waiter : waiters_) {
            if (!waiter.done()) {
                waiter.set_result();
                return;
            }
            if (wakes == Wakes::head) {
                return;
            }
        }
    }

    bool is_locked_ = false;
    std::deque<Future<void>> waiters_;
};

/// Tasks take turns; one of them is told to stop, which may be just as another leaves.
template <class L>
void stop_one() {
    L lock;
    MutualExclusion exclusion;
    const auto work = [&] {
        const Held held(lock);
        const MutualExclusion::Inside inside(exclusion);
        sleep(1s);
    };
    const auto first = create_task(work, {.name = "worker"});
    const auto second = create_task(work, {.name = "worker"});
    const auto third = create_task(work, {.name = "worker"});
    const auto fourth = create_task(work, {.name = "worker"});
    sleep(0s);
    sleep(1s);
    third.cancel();
    join(first, second, third, fourth);
}

}  // namespace

MISHAP_SCENARIO("CPY-02/buggy", .cancellations = 1) { stop_one<HandmadeLock<Wakes::first_not_woken>>(); }
MISHAP_SCENARIO("CPY-02/fixed", .cancellations = 1) { stop_one<HandmadeLock<Wakes::head>>(); }
