// Boost.Cobalt's spawn, issue #167, commit 61bf8d4 (2024).
//
// A request to cancel is dispatched to the executor of the task. When the task ends before the dispatched
// call comes, the call finds the state of a task that is gone.

#include <memory>

#include "invariants.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "COB-01",
                                    .upstream = "Boost.Cobalt #167",
                                    .title = "spawn: a cancellation that is on its way arrives after the end",
                                    .invariant = Invariant::no_use_after_end,
                                    .pattern = Pattern::late_unregistration});

enum class Dispatch { refers_to_state, asks_if_it_is_there };

/// The state of a spawned task. It is kept a little longer than it is alive so that use after its end can be
/// seen.
struct State {
    bool is_alive = true;
    bool is_cancelled = false;
};

template <Dispatch dispatch>
class Spawned {
public:
    void finish() { state_->is_alive = false; }
    void cancel() {
        get_running_loop().call_soon([state = state_] {
            if (dispatch == Dispatch::asks_if_it_is_there && !state->is_alive) {
                return;
            }
            claim(state->is_alive, Invariant::no_use_after_end);
            state->is_cancelled = true;
        });
    }
    bool is_finished() const { return !state_->is_alive; }

private:
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

template <class S>
void cancel_at_the_end() {
    S spawned;
    const auto work = create_task([&] { spawned.finish(); }, {.name = "work"});
    const auto canceller = create_task(
        [&] {
            if (!spawned.is_finished()) {
                spawned.cancel();
            }
        },
        {.name = "canceller"});
    join(work, canceller);
}

}  // namespace

MISHAP_SCENARIO("COB-01/buggy") { cancel_at_the_end<Spawned<Dispatch::refers_to_state>>(); }
MISHAP_SCENARIO("COB-01/fixed") { cancel_at_the_end<Spawned<Dispatch::asks_if_it_is_there>>(); }
