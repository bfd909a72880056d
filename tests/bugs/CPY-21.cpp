// asyncio.wait_for, bpo-42130 (pull requests 26097 and 28149), repaired in CPython 3.12: what the repair of bpo-37658
// had broken.
//
// The work is done, and before the waiting task resumes it is cancelled. The result wins: the cancellation is
// forgotten, and a worker that loops over wait_for cannot be stopped.

#include "done_or_due.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-21",
                                    .upstream = "bpo-42130",
                                    .title = "wait_for: a result swallows the cancellation",
                                    .invariant = Invariant::cancel_honoured,
                                    .pattern = Pattern::cancellation_swallowed});

struct ResultWins {
    template <class F>
    static auto wait_for(F function, std::chrono::nanoseconds delay) {
        const auto work = create_task(function, {.name = "work"});
        try {
            wait_until_done_or_due(work, delay);
        } catch (const CancelledError&) {
            if (work.done() && !work.cancelled()) {
                return work.result();
            }
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
            CancelHonoured::run([&] {
                W::wait_for(
                    [&] {
                        sleep(0s);  // the handshake
                        return connections.take();
                    },
                    1h);
                connections.give_back();
            });
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

MISHAP_SCENARIO("CPY-21/buggy", .cancellations = 1) { connect_and_stop<ResultWins>(); }
MISHAP_SCENARIO("CPY-21/fixed", .cancellations = 1) { connect_and_stop<WorkInline>(); }
