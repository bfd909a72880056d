// asyncio.wait_for, bpo-37658 (pull request 21894) and asyncpg pull request 548.
//
// The work is done, and before the waiting task resumes it is cancelled. The cancellation wins: the result, a
// connection, is thrown away, and nobody closes it.

#include "done_or_due.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-20",
                                    .upstream = "bpo-37658",
                                    .title = "wait_for: a cancellation throws away the result that was there",
                                    .invariant = Invariant::permits,
                                    .pattern = Pattern::cancellation_swallowed});

struct CancelWins {
    template <class F>
    static auto wait_for(F function, std::chrono::nanoseconds delay) {
        const auto work = create_task(function, {.name = "work"});
        try {
            wait_until_done_or_due(work, delay);
        } catch (const CancelledError&) {
            work.cancel();
            throw;
        }
        if (!work.done()) {
            work.cancel();
            gather(return_exceptions, work);
            throw TimeoutError();
        }
        return work.result();
    }
};

struct WorkInline {
    template <class F>
    static auto wait_for(F function, std::chrono::nanoseconds delay) {
        return wait_for_inline(function, delay);
    }
};

template <class W>
void connect_and_stop() {
    Permits connections(1);
    const auto worker = create_task(
        [&] {
            W::wait_for(
                [&] {
                    sleep(0s);  // the handshake
                    return connections.take();
                },
                1h);
            connections.give_back();
        },
        {.name = "worker"});
    sleep(0s);
    CancelHonoured cancellations;
    cancellations.cancel(worker);
    join(worker);
    cancellations.check();
    connections.check(1);
}

}  // namespace

MISHAP_SCENARIO("CPY-20/buggy", .cancellations = 1) { connect_and_stop<CancelWins>(); }
MISHAP_SCENARIO("CPY-20/fixed", .cancellations = 1) { connect_and_stop<WorkInline>(); }
