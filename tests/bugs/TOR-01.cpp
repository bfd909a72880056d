// Tornado's Queue.get, tornado issue 2826 (pull request 3689).
//
// As in asyncio (bpo-23812): `get` returns a future that a later `put` completes with the item. Who waits for it with a
// timeout that expires in the same moment has a future with an item in it, and forgets it.

#include <deque>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "TOR-01",
                                    .upstream = "tornado #2826",
                                    .title = "Queue: a get that times out has taken an item",
                                    .invariant = Invariant::delivered_once,
                                    .pattern = Pattern::timer_meets_notification});

enum class OnCancel { forgets_item, puts_it_back };

template <OnCancel on_cancel>
class FutureQueue {
public:
    void put(int item) {
        items_.push_back(item);
        serve();
    }

    int get() {
        const auto getter = get_running_loop().create_future<int>();
        getters_.push_back(getter);
        serve();
        try {
            return await(getter);
        } catch (const CancelledError&) {
            if (on_cancel == OnCancel::puts_it_back && !getter.cancelled()) {
                items_.push_front(getter.result());
                serve();
            }
            throw;
        }
    }

    const std::deque<int>& items() const { return items_; }

private:
    void serve() {
        while (!items_.empty() && !getters_.empty()) {
            const Future<int> getter = getters_.front();
            getters_.pop_front();
            if (!getter.done()) {
                getter.set_result(items_.front());
                items_.pop_front();
            }
        }
    }

    std::deque<int> items_;
    std::deque<Future<int>> getters_;
};

template <class Q>
void poll() {
    Q queue;
    DeliveredOnce delivered;
    const auto consumer = create_task(
        [&] {
            try {
                timeout(1s, [&] { delivered.got(queue.get()); });
            } catch (const TimeoutError&) {
            }
        },
        {.name = "consumer"});
    const auto producer = create_task(
        [&] {
            sleep(900ms);
            delivered.put(1);
            queue.put(1);
        },
        {.name = "producer"});
    join(consumer, producer);
    for (const int item : queue.items()) {
        delivered.got(item);
    }
    delivered.check();
}

}  // namespace

MISHAP_SCENARIO("TOR-01/buggy", .timer_slack = 200ms) { poll<FutureQueue<OnCancel::forgets_item>>(); }
MISHAP_SCENARIO("TOR-01/fixed", .timer_slack = 200ms) { poll<FutureQueue<OnCancel::puts_it_back>>(); }
