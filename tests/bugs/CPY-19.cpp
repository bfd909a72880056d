// asyncio.wait_for, bpo-32751 (pull request 7216), repaired in CPython 3.7.
//
// When the time is up, the work is cancelled and TimeoutError is thrown at once. But who is cancelled may need a few
// steps to clean up, and the caller has begun to take apart what the work still uses.

#include "done_or_due.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-19",
                                    .upstream = "bpo-32751",
                                    .title = "wait_for ends before the work that it cancelled",
                                    .invariant = Invariant::no_orphan,
                                    .pattern = Pattern::close_forgets});

struct ThrowsAtOnce {
    template <class F>
    static void wait_for(F function, std::chrono::nanoseconds delay) {
        const auto work = create_task(function, {.name = "work"});
        wait_until_done_or_due(work, delay);
        if (!work.done()) {
            work.cancel();
            throw TimeoutError();
        }
        await(work);
    }
};

struct WaitsForTheEnd {
    template <class F>
    static void wait_for(F function, std::chrono::nanoseconds delay) {
        const auto work = create_task(function, {.name = "work"});
        wait_until_done_or_due(work, delay);
        if (!work.done()) {
            work.cancel();
            gather(return_exceptions, work);
            throw TimeoutError();
        }
        await(work);
    }
};

template <class W>
void transact() {
    const auto transactions = std::make_shared<NoOrphan>();
    const auto transaction = [transactions] {
        const NoOrphan::Alive alive(*transactions);
        try {
            sleep(900ms);
        } catch (const CancelledError&) {
            sleep(0s);  // rolls back
            throw;
        }
    };
    try {
        W::wait_for(transaction, 1s);
    } catch (const TimeoutError&) {
    }
    transactions->check();
}

}  // namespace

MISHAP_SCENARIO("CPY-19/buggy", .timer_slack = 200ms) { transact<ThrowsAtOnce>(); }
MISHAP_SCENARIO("CPY-19/fixed", .timer_slack = 200ms) { transact<WaitsForTheEnd>(); }
