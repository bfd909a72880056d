// Asio's queues of operations, commit a7e9d1e5e (2021).
//
// Cancelling by key takes the queue apart and puts back what has another key. What was put back came out in
// another order.

#include <deque>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "ASI-02",
                                    .upstream = "Asio a7e9d1e5e",
                                    .title = "operation queue: cancelling by key turns the others round",
                                    .invariant = Invariant::arrival_order,
                                    .pattern = Pattern::records_drift});

enum class PutsBack { in_front, behind };

template <PutsBack puts_back>
class OperationQueue {
public:
    void wait(int key) {
        const auto done = get_running_loop().create_future<void>();
        operations_.push_back({key, done});
        await(done);
    }
    void cancel(int key) {
        std::deque<Operation> taken;
        taken.swap(operations_);
        for (const Operation& operation : taken) {
            if (operation.key == key) {
                operation.done.cancel();
            } else if (puts_back == PutsBack::in_front) {
                operations_.push_front(operation);
            } else {
                operations_.push_back(operation);
            }
        }
    }
    bool complete_one() {
        if (operations_.empty()) {
            return false;
        }
        operations_.front().done.set_result();
        operations_.pop_front();
        return true;
    }

private:
    struct Operation {
        int key;
        Future<void> done;
    };
    std::deque<Operation> operations_;
};

/// Timers of two owners, one of whom cancels hers. The others end in the order in which they began.
template <class Q>
void cancel_by_key() {
    Q operations;
    BoundedBypass order;
    const auto wait = [&](int key) {
        return [&, key] {
            const BoundedBypass::Ticket ticket = order.arrive();
            try {
                operations.wait(key);
            } catch (const CancelledError&) {
                order.give_up(ticket);
                return;
            }
            order.serve(ticket);
        };
    };
    const auto canceller = create_task([&] { operations.cancel(2); }, {.name = "canceller"});
    const auto first = create_task(wait(1), {.name = "waiter"});
    const auto other = create_task(wait(2), {.name = "other"});
    const auto second = create_task(wait(1), {.name = "waiter"});
    while (!(first.done() && second.done() && other.done())) {
        sleep(1s);
        operations.complete_one();
    }
    join(canceller, first, other, second);
}

}  // namespace

MISHAP_SCENARIO("ASI-02/buggy") { cancel_by_key<OperationQueue<PutsBack::in_front>>(); }
MISHAP_SCENARIO("ASI-02/fixed") { cancel_by_key<OperationQueue<PutsBack::behind>>(); }
