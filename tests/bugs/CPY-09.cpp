// asyncio.Semaphore, bpo-45997 (pull request 31910), repaired in CPython 3.10.5.
//
// Between the wake-up of a waiter and its resumption the permit lies in the open. A newcomer takes it, and the waiter
// queues again, at the tail. Where newcomers keep coming it never gets in.

#include <algorithm>
#include <deque>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-09",
                                    .upstream = "bpo-45997",
                                    .title = "Semaphore: newcomers take the permit that a waiter was woken for",
                                    .invariant = Invariant::arrival_order,
                                    .pattern = Pattern::barging});

/// A wake-up says that there may be a permit; whoever comes first takes it.
class WakingSemaphore {
public:
    explicit WakingSemaphore(int value) : value_(value) {}

    void acquire() {
        while (value_ == 0) {
            const auto woken = get_running_loop().create_future<void>();
            waiters_.push_back(woken);
            try {
                await(woken);
            } catch (const CancelledError&) {
                std::erase(waiters_, woken);
                if (value_ > 0) {
                    wake_next();
                }
                throw;
            }
        }
        --value_;
    }

    void release() {
        ++value_;
        wake_next();
    }

private:
    void wake_next() {
        while (!waiters_.empty()) {
            const Future<void> waiter = waiters_.front();
            waiters_.pop_front();
            if (!waiter.done()) {
                waiter.set_result();
                return;
            }
        }
    }

    int value_;
    std::deque<Future<void>> waiters_;
};

/// A wake-up is the permit: it belongs to the waiter from then on.
class GrantingSemaphore {
public:
    explicit GrantingSemaphore(int value) : value_(value) {}

    void acquire() {
        if (value_ > 0) {
            --value_;
            return;
        }
        const auto granted = get_running_loop().create_future<void>();
        waiters_.push_back(granted);
        try {
            await(granted);
        } catch (const CancelledError&) {
            if (granted.cancelled()) {
                std::erase(waiters_, granted);
            } else {
                release();
            }
            throw;
        }
    }

    void release() {
        while (!waiters_.empty()) {
            const Future<void> waiter = waiters_.front();
            waiters_.pop_front();
            if (!waiter.done()) {
                waiter.set_result();
                return;
            }
        }
        ++value_;
    }

private:
    int value_;
    std::deque<Future<void>> waiters_;
};

/// The place in the queue is had from the call of `acquire` to its end. Whoever was granted a permit may resume late,
/// so the order is looked at with one permit only: then nobody else can be inside meanwhile.
template <class S>
void queue_up() {
    S semaphore(1);
    BoundedBypass queue;
    const auto work = [&] {
        const BoundedBypass::Ticket ticket = queue.arrive();
        try {
            semaphore.acquire();
        } catch (const CancelledError&) {
            queue.give_up(ticket);
            throw;
        }
        queue.serve(ticket);
        sleep(0s);
        semaphore.release();
    };
    join(create_task(work, {.name = "worker"}), create_task(work, {.name = "worker"}),
         create_task(work, {.name = "worker"}));
}

}  // namespace

MISHAP_SCENARIO("CPY-09/buggy", .cancellations = 1) { queue_up<WakingSemaphore>(); }
MISHAP_SCENARIO("CPY-09/fixed", .cancellations = 1) { queue_up<GrantingSemaphore>(); }
