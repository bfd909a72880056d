// asyncio.Semaphore, gh-90155 (pull request 93222), repaired in CPython 3.10.8: what the repair of bpo-45997 had
// broken.
//
// A flag says that a waiter was woken and has not resumed, so that no newcomer overtakes it. When that waiter is
// cancelled and nobody else waits, nobody takes the flag down: from then on everybody waits for a permit that is free.

#include <deque>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-11",
                                    .upstream = "gh-90155",
                                    .title = "Semaphore: a cancelled wake-up leaves the semaphore closed to newcomers",
                                    .invariant = Invariant::no_stranded_waiter,
                                    .pattern = Pattern::stranded_newcomer,
                                    .finding = FindingKind::stuck});

enum class OnCancel { keeps_flag, clears_flag };

template <OnCancel on_cancel>
class HandmadeSemaphore {
public:
    explicit HandmadeSemaphore(int value) : value_(value) {}

    void acquire() {
        while (is_wakeup_scheduled_ || value_ == 0) {
            const auto woken = get_running_loop().create_future<void>();
            waiters_.push_back(woken);
            try {
                await(woken);
                is_wakeup_scheduled_ = false;
            } catch (const CancelledError&) {
                if (on_cancel == OnCancel::clears_flag && !woken.cancelled()) {
                    is_wakeup_scheduled_ = false;
                }
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
                is_wakeup_scheduled_ = true;
                return;
            }
        }
    }

    int value_;
    bool is_wakeup_scheduled_ = false;
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

MISHAP_SCENARIO("CPY-11/buggy", .cancellations = 1) { share<HandmadeSemaphore<OnCancel::keeps_flag>>(); }
MISHAP_SCENARIO("CPY-11/fixed", .cancellations = 1) { share<HandmadeSemaphore<OnCancel::clears_flag>>(); }
