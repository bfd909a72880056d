// asyncio.Semaphore, python/asyncio issue 270 (pull request 271).
//
// As with the lock (bpo-27585): a waiter that is woken and then cancelled drops the permit it was woken for.

#include <algorithm>
#include <deque>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-08",
                                    .upstream = "python/asyncio #270",
                                    .title = "Semaphore: a woken waiter is cancelled and drops its permit",
                                    .invariant = Invariant::no_stranded_waiter,
                                    .pattern = Pattern::baton_dropped,
                                    .finding = FindingKind::stuck});

enum class OnCancel { drops_permit, passes_permit_on };

template <OnCancel on_cancel>
class HandmadeSemaphore {
public:
    explicit HandmadeSemaphore(int value) : value_(value) {}

    void acquire() {
        while (value_ == 0) {
            const auto woken = get_running_loop().create_future<void>();
            waiters_.push_back(woken);
            try {
                await(woken);
            } catch (const CancelledError&) {
                std::erase(waiters_, woken);
                if (on_cancel == OnCancel::passes_permit_on && value_ > 0) {
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

template <class S>
void share() {
    S semaphore(1);
    MutualExclusion exclusion(1);
    const auto work = [&] {
        const Held held(semaphore);
        const MutualExclusion::Inside inside(exclusion);
        sleep(0s);
    };
    join(create_task(work, {.name = "worker"}), create_task(work, {.name = "worker"}),
         create_task(work, {.name = "worker"}));
}

}  // namespace

MISHAP_SCENARIO("CPY-08/buggy", .cancellations = 1) { share<HandmadeSemaphore<OnCancel::drops_permit>>(); }
MISHAP_SCENARIO("CPY-08/fixed", .cancellations = 1) { share<HandmadeSemaphore<OnCancel::passes_permit_on>>(); }
