// gevent's Semaphore, gevent issue 1487 (pull request 1488).
//
// Waiters are kept in a set. Whoever the set lists first is woken first, whenever it came; where new ones keep coming,
// one that stands badly never gets its turn.

#include <map>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "GEV-01",
                                    .upstream = "gevent #1487",
                                    .title = "Semaphore: wakes waiters in the order of a set",
                                    .invariant = Invariant::arrival_order,
                                    .pattern = Pattern::starvation});

enum class WakesInOrder { of_identity, of_arrival };

template <WakesInOrder order>
class HandmadeSemaphore {
public:
    /// `identity` is what the set orders by: something that a waiter brings with it.
    void acquire(int identity) {
        if (is_free_) {
            is_free_ = false;
            return;
        }
        const auto granted = get_running_loop().create_future<void>();
        waiters_.emplace(order == WakesInOrder::of_identity ? identity : ++arrivals_, granted);
        await(granted);
    }

    void release() {
        if (waiters_.empty()) {
            is_free_ = true;
            return;
        }
        const Future<void> next = waiters_.begin()->second;
        waiters_.erase(waiters_.begin());
        next.set_result();
    }

private:
    bool is_free_ = true;
    int arrivals_ = 0;
    std::multimap<int, Future<void>> waiters_;
};

template <WakesInOrder order>
void queue_up() {
    HandmadeSemaphore<order> semaphore;
    BoundedBypass queue;
    const auto work = [&](int identity) {
        return [&, identity] {
            const BoundedBypass::Ticket ticket = queue.arrive();
            semaphore.acquire(identity);
            queue.serve(ticket);
            sleep(0s);
            semaphore.release();
        };
    };
    const auto first = create_task(work(1), {.name = "worker"});
    const auto second = create_task(work(2), {.name = "worker"});
    const auto third = create_task(work(3), {.name = "worker"});
    join(first, second, third);
}

}  // namespace

MISHAP_SCENARIO("GEV-01/buggy") { queue_up<WakesInOrder::of_identity>(); }
MISHAP_SCENARIO("GEV-01/fixed") { queue_up<WakesInOrder::of_arrival>(); }
