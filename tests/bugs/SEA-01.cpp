// Seastar's condition_variable, commit 3b4e42d74 (2022).
//
// `broadcast` wakes the first waiter until none is left. A waiter whose predicate does not hold yet puts
// itself back into the line, and is the next one again: the loop never ends. The repair wakes those who were
// there when it began.

#include "continuations.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "SEA-01",
                                    .upstream = "Seastar 3b4e42d74",
                                    .title = "broadcast: a waiter that waits on is woken for ever",
                                    .invariant = Invariant::progress,
                                    .pattern = Pattern::reentrancy});

enum class Wakes { until_empty, those_who_were_there };

template <Wakes wakes>
class SeastarCondition {
public:
    /// Calls `continuation()` as soon as `holds()` when signalled.
    void when(std::function<bool()> holds, Continuation continuation) {
        if (holds()) {
            continuation();
            return;
        }
        waiters_.add([this, holds, continuation] { when(holds, continuation); });
    }
    void broadcast() {
        if (wakes == Wakes::those_who_were_there) {
            for (const Continuation& continuation : waiters_.take_all()) {
                continuation();
            }
            return;
        }
        // Nothing else runs before this loop ends: so many turns are as good as for ever.
        for (int turns = 0; !waiters_.empty(); ++turns) {
            claim(turns < 1000, Invariant::progress);
            const Continuation continuation = waiters_.take_first();
            continuation();
        }
    }

private:
    Continuations waiters_;
};

/// Two steps of work, each of which says that something has changed; somebody wants both.
template <class C>
void wait_for_both() {
    C changed;
    int steps_done = 0;
    const auto both_done = get_running_loop().create_future<void>();
    const auto step = [&] {
        ++steps_done;
        changed.broadcast();
    };
    const auto first = create_task(step, {.name = "step"});
    const auto second = create_task(step, {.name = "step"});
    const auto waiter = create_task(
        [&] {
            changed.when([&] { return steps_done == 2; }, [both_done] { both_done.set_result(); });
            await(both_done);
        },
        {.name = "waiter"});
    join(first, second, waiter);
}

}  // namespace

MISHAP_SCENARIO("SEA-01/buggy") { wait_for_both<SeastarCondition<Wakes::until_empty>>(); }
MISHAP_SCENARIO("SEA-01/fixed") { wait_for_both<SeastarCondition<Wakes::those_who_were_there>>(); }
