// tokio's scheduler, tokio-rs/tokio #1788 (and #8056): a worker parks while work is pushed.
//
// A pusher unparks a worker only if one is idle; a worker that finds no work says that it is idle, then
// parks. Work that is pushed between its last look and that announcement is seen by nobody. The repair looks
// once more before parking.

#include "invariants.hpp"
#include "threads.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "TOK-10",
     .upstream = "tokio #1788",
     .title = "scheduler: a worker parks just as work is pushed, and is not unparked",
     .invariant = Invariant::no_stranded_waiter,
     .pattern = Pattern::check_then_suspend,
     .finding = FindingKind::stuck});

enum class BeforeParking { announces, announces_and_looks };

template <BeforeParking before_parking>
class Scheduler {
public:
    void push() {
        work_.fetch_add(1);
        if (idle_.fetch_add(0) > 0) {
            unparked_.release();
        }
    }
    /// Takes a piece of work, and parks until there is one.
    void take() {
        while (!try_take()) {
            idle_.fetch_add(1);
            if (before_parking == BeforeParking::announces || work_.fetch_add(0) == 0) {
                unparked_.acquire();
            }
            idle_.fetch_add(-1);
        }
    }

private:
    bool try_take() {
        int count = work_.fetch_add(0);
        return count > 0 && work_.compare_exchange(count, count - 1);
    }

    Shared<int> work_{0, "work"};
    Shared<int> idle_{0, "idle"};
    ThreadSemaphore unparked_;
};

template <class S>
void run_one() {
    S scheduler;
    together({{"worker", [&] { scheduler.take(); }}, {"pusher", [&] { scheduler.push(); }}});
}

}  // namespace

MISHAP_SCENARIO("TOK-10/buggy") { run_one<Scheduler<BeforeParking::announces>>(); }
MISHAP_SCENARIO("TOK-10/fixed") { run_one<Scheduler<BeforeParking::announces_and_looks>>(); }
