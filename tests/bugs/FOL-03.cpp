// folly::coro::UnboundedQueue, commit 49b1f90bd (2020).
//
// `dequeue` takes a permit and then an item; `try_dequeue` takes an item only. Permits and items drift apart,
// and a later `dequeue` comes back from its wait to an empty queue.

#include <deque>
#include <optional>

#include "invariants.hpp"
#include "waiters.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "FOL-03",
     .upstream = "folly 49b1f90bd",
     .title = "UnboundedQueue: try_dequeue takes an item and leaves its permit",
     .invariant = Invariant::consistent,
     .pattern = Pattern::records_drift});

enum class TryDequeue { takes_item, takes_permit_first };

template <TryDequeue try_dequeue_takes>
class UnboundedQueue {
public:
    void enqueue(int item) {
        items_.push_back(item);
        if (!waiters_.wake_one()) {
            ++permits_;
        }
    }
    int dequeue() {
        if (permits_ > 0) {
            --permits_;
        } else {
            waiters_.wait();
        }
        claim(!items_.empty(), Invariant::consistent);
        return pop();
    }
    std::optional<int> try_dequeue() {
        if (try_dequeue_takes == TryDequeue::takes_permit_first) {
            if (permits_ == 0) {
                return std::nullopt;
            }
            --permits_;
        }
        return items_.empty() ? std::nullopt : std::optional(pop());
    }
    std::size_t permits() const { return permits_; }
    std::size_t size() const { return items_.size(); }

private:
    int pop() {
        const int item = items_.front();
        items_.pop_front();
        return item;
    }

    std::size_t permits_ = 0;
    std::deque<int> items_;
    Waiters waiters_;
};

template <class Q>
void poll_and_wait() {
    Q queue;
    const auto poller = create_task([&] { queue.try_dequeue(); }, {.name = "poller"});
    const auto consumer = create_task([&] { queue.dequeue(); }, {.name = "consumer"});
    const auto producer = create_task(
        [&] {
            queue.enqueue(1);
            sleep(0s);
            queue.enqueue(2);
        },
        {.name = "producer"});
    join(poller, consumer, producer);
    claim(queue.permits() == queue.size(), Invariant::consistent);
}

}  // namespace

MISHAP_SCENARIO("FOL-03/buggy") { poll_and_wait<UnboundedQueue<TryDequeue::takes_item>>(); }
MISHAP_SCENARIO("FOL-03/fixed") { poll_and_wait<UnboundedQueue<TryDequeue::takes_permit_first>>(); }
