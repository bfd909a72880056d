// Asio's cancellation signals, commit 904da9cc8 (2022).
//
// An operation runs on its own executor, its completion handler on another. The cancellation was emitted on
// the handler's: it changes the operation's state in the middle of one of the operation's own steps.

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "ASI-07",
     .upstream = "Asio 904da9cc8",
     .title = "cancellation is emitted outside of the executor of its operation",
     .invariant = Invariant::mutual_exclusion,
     .pattern = Pattern::reentrancy});

enum class Emits { where_it_is, on_the_operations_executor };

/// A strand: one function at a time.
class Strand {
public:
    template <class F>
    void dispatch(F&& function) {
        const Held held(turn_);
        function();
    }

private:
    Lock turn_;
};

/// An operation of several steps, whose state belongs to its strand.
template <Emits emits>
class SteppedOperation {
public:
    void run() {
        while (!is_cancelled_ && steps_done_ < 2) {
            strand_.dispatch([&] {
                const MutualExclusion::Inside inside(state_);
                sleep(0s);  // a write that takes a while
                ++steps_done_;
            });
            sleep(0s);
        }
    }
    void cancel() {
        const auto stop = [&] {
            const MutualExclusion::Inside inside(state_);
            is_cancelled_ = true;
        };
        if (emits == Emits::where_it_is) {
            stop();
        } else {
            strand_.dispatch(stop);
        }
    }

private:
    Strand strand_;
    MutualExclusion state_;
    bool is_cancelled_ = false;
    int steps_done_ = 0;
};

template <class O>
void cancel_from_elsewhere() {
    O operation;
    const auto handler = create_task([&] { operation.cancel(); }, {.name = "handler"});
    const auto run = create_task([&] { operation.run(); }, {.name = "operation"});
    join(handler, run);
}

}  // namespace

MISHAP_SCENARIO("ASI-07/buggy") { cancel_from_elsewhere<SteppedOperation<Emits::where_it_is>>(); }
MISHAP_SCENARIO("ASI-07/fixed") {
    cancel_from_elsewhere<SteppedOperation<Emits::on_the_operations_executor>>();
}
