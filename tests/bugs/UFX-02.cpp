// libunifex's spawn_future, commit 83fc64b (2023).
//
// The operation and whoever drops its future share a state, which the second of them frees. The operation
// says that it is done and then sets an event in the state: in between, the other one has freed it.

#include "invariants.hpp"
#include "threads.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "UFX-02",
     .upstream = "libunifex 83fc64b",
     .title = "spawn_future: the operation uses its state after saying that it is done",
     .invariant = Invariant::no_use_after_end,
     .pattern = Pattern::check_then_suspend});

enum class Completes { done_then_event, event_then_done };

/// What operation and future share. It is kept longer than it is alive so that use after its end can be seen.
template <Completes completes>
class State {
public:
    /// Called by the operation.
    void complete() {
        if (completes == Completes::event_then_done) {
            set_event();
        }
        const int before = progress_.exchange(done);
        if (before == dropped) {
            is_alive_ = false;
        } else if (completes == Completes::done_then_event) {
            set_event();
        }
    }
    /// Called by the future when nobody wants the result any more.
    void drop() {
        if (progress_.exchange(dropped) == done) {
            is_alive_ = false;
        }
    }

private:
    static constexpr int running = 0;
    static constexpr int done = 1;
    static constexpr int dropped = 2;

    void set_event() {
        event_.exchange(true);
        claim(is_alive_, Invariant::no_use_after_end);
    }

    Shared<int> progress_{running, "progress"};
    Shared<bool> event_{false, "event"};
    bool is_alive_ = true;
};

template <class S>
void lose_interest() {
    S state;
    together({{"operation", [&] { state.complete(); }}, {"future", [&] { state.drop(); }}});
}

}  // namespace

MISHAP_SCENARIO("UFX-02/buggy") { lose_interest<State<Completes::done_then_event>>(); }
MISHAP_SCENARIO("UFX-02/fixed") { lose_interest<State<Completes::event_then_done>>(); }
