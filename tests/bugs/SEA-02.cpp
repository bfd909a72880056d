// Seastar's condition_variable, commit df8374789 (2022).
//
// `signal` runs the waiter at once, in the middle of what the signaller does. Between two statements without
// a wait nobody expects that somebody else runs.

#include "continuations.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "SEA-02",
                                    .upstream = "Seastar df8374789",
                                    .title = "signal: the waiter runs in the middle of the signaller",
                                    .invariant = Invariant::mutual_exclusion,
                                    .pattern = Pattern::reentrancy});

enum class Runs { at_once, through_the_loop };

template <Runs runs>
class SeastarCondition {
public:
    void when(std::function<bool()> holds, const Continuation& continuation) {
        if (holds()) {
            continuation();
        } else {
            waiters_.add(continuation);
        }
    }
    void signal() {
        if (waiters_.empty()) {
            return;
        }
        const Continuation continuation = waiters_.take_first();
        if (runs == Runs::at_once) {
            continuation();
        } else {
            get_running_loop().call_soon(continuation);
        }
    }

private:
    Continuations waiters_;
};

/// An account whose two numbers are changed together.
template <class C>
void pay_in() {
    C changed;
    MutualExclusion account;
    bool is_covered = false;
    const auto paid_out = get_running_loop().create_future<void>();
    const auto payer = create_task(
        [&] {
            const MutualExclusion::Inside inside(account);
            is_covered = true;
            changed.signal();
        },
        {.name = "payer"});
    const auto payee = create_task(
        [&] {
            changed.when([&] { return is_covered; },
                         [&] {
                             const MutualExclusion::Inside inside(account);
                             paid_out.set_result();
                         });
            await(paid_out);
        },
        {.name = "payee"});
    join(payer, payee);
}

}  // namespace

MISHAP_SCENARIO("SEA-02/buggy") { pay_in<SeastarCondition<Runs::at_once>>(); }
MISHAP_SCENARIO("SEA-02/fixed") { pay_in<SeastarCondition<Runs::through_the_loop>>(); }
