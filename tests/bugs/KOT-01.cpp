// Kotlin's Mutex and Semaphore, Kotlin/kotlinx.coroutines #2380 and #2390, repaired in 1.4.2.
//
// The mutex can become free between the attempt to take it and the suspension; then it is taken on the spot
// and the task's resumption is dispatched. A task that is cancelled before it resumes does not give it back.

#include "invariants.hpp"
#include "waiters.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "KOT-01",
     .upstream = "kotlinx.coroutines #2380, #2390",
     .title = "Mutex: taken on the way to suspension, it is kept by a cancelled task",
     .invariant = Invariant::no_stranded_waiter,
     .pattern = Pattern::baton_dropped,
     .finding = FindingKind::stuck});

enum class OnCancel { gives_back_what_was_handed_over, gives_back_always };

template <OnCancel on_cancel>
class HandmadeMutex {
public:
    void acquire() {
        if (try_lock()) {
            return;
        }
        sleep(0s);  // makes the continuation; meanwhile others run
        const auto resumed = get_running_loop().create_future<void>();
        bool is_taken_on_the_spot = false;
        try {
            if (try_lock()) {
                is_taken_on_the_spot = true;
                resume_soon(resumed);
                await(resumed);
            } else {
                waiters_.wait_as(resumed);
            }
        } catch (const CancelledError&) {
            const bool is_handed_over = !is_taken_on_the_spot && !resumed.cancelled();
            if (is_handed_over || (is_taken_on_the_spot && on_cancel == OnCancel::gives_back_always)) {
                release();
            }
            throw;
        }
    }
    void release() { is_locked_ = waiters_.wake_one(); }

private:
    bool try_lock() { return !std::exchange(is_locked_, true); }
    static void resume_soon(const Future<void>& resumed) {
        get_running_loop().call_soon([resumed] {
            if (!resumed.done()) {
                resumed.set_result();
            }
        });
    }

    bool is_locked_ = false;
    Waiters waiters_;
};

template <class M>
void take_turns() {
    M mutex;
    MutualExclusion exclusion;
    const auto work = [&] {
        const Held held(mutex);
        const MutualExclusion::Inside inside(exclusion);
        sleep(0s);
    };
    join(create_task(work, {.name = "worker"}), create_task(work, {.name = "worker"}),
         create_task(work, {.name = "worker"}));
}

}  // namespace

MISHAP_SCENARIO("KOT-01/buggy", .cancellations = 1) {
    take_turns<HandmadeMutex<OnCancel::gives_back_what_was_handed_over>>();
}
MISHAP_SCENARIO("KOT-01/fixed", .cancellations = 1) {
    take_turns<HandmadeMutex<OnCancel::gives_back_always>>();
}
