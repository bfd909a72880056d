// tokio's Mutex, tokio-rs/tokio #1898.
//
// Unlocking assigns the mutex to the future at the head of the queue. When that future is dropped before it
// was polled, the assignment is not taken back: the mutex belongs to nobody, for ever.

#include "invariants.hpp"
#include "waiters.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "TOK-13",
                                    .upstream = "tokio #1898",
                                    .title = "Mutex: assigned to a lock() that is dropped, it stays locked",
                                    .invariant = Invariant::no_stranded_waiter,
                                    .pattern = Pattern::baton_dropped,
                                    .finding = FindingKind::stuck});

enum class OnDrop { keeps_assignment, returns_assignment };

template <OnDrop on_drop>
class HandmadeMutex {
public:
    void acquire() {
        if (!is_locked_) {
            is_locked_ = true;
            return;
        }
        const auto assigned = get_running_loop().create_future<void>();
        try {
            waiters_.wait_as(assigned);
        } catch (const CancelledError&) {
            if (on_drop == OnDrop::returns_assignment && !assigned.cancelled()) {
                release();
            }
            throw;
        }
    }
    void release() { is_locked_ = waiters_.wake_one(); }

private:
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

MISHAP_SCENARIO("TOK-13/buggy", .cancellations = 1) { take_turns<HandmadeMutex<OnDrop::keeps_assignment>>(); }
MISHAP_SCENARIO("TOK-13/fixed", .cancellations = 1) {
    take_turns<HandmadeMutex<OnDrop::returns_assignment>>();
}
