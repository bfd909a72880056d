// userver's queues, issue #578, commit 6dee86750.
//
// A producer looks if there is a consumer, then waits for room. A consumer that goes away says so in a flag
// only: who waits for room by then is not told.

#include <deque>

#include "invariants.hpp"
#include "waiters.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "USV-01",
     .upstream = "userver #578",
     .title = "queue: a consumer that goes away leaves a producer waiting for room",
     .invariant = Invariant::progress,
     .pattern = Pattern::close_forgets,
     .finding = FindingKind::stuck});

enum class Leaving { sets_flag, wakes_producers };

/// A queue for one item.
template <Leaving leaving>
class OneItemQueue {
public:
    /// Returns false when nobody will take the item.
    bool push(int item) {
        while (has_consumer_ && !items_.empty()) {
            room_.wait();
        }
        if (!has_consumer_) {
            return false;
        }
        items_.push_back(item);
        not_empty_.wake_one();
        return true;
    }
    int pop() {
        while (items_.empty()) {
            not_empty_.wait();
        }
        const int item = items_.front();
        items_.pop_front();
        room_.wake_one();
        return item;
    }
    void reset_consumer() {
        has_consumer_ = false;
        if (leaving == Leaving::wakes_producers) {
            room_.wake_all();
        }
    }

private:
    bool has_consumer_ = true;
    std::deque<int> items_;
    Waiters room_;
    Waiters not_empty_;
};

template <class Q>
void take_one_and_leave() {
    Q queue;
    const auto consumer = create_task(
        [&] {
            queue.pop();
            sleep(0s);  // uses it
            queue.reset_consumer();
        },
        {.name = "consumer"});
    const auto producer = create_task(
        [&] {
            for (int item = 0; queue.push(item); ++item) {
                sleep(0s);
            }
        },
        {.name = "producer"});
    join(consumer, producer);
}

}  // namespace

MISHAP_SCENARIO("USV-01/buggy") { take_one_and_leave<OneItemQueue<Leaving::sets_flag>>(); }
MISHAP_SCENARIO("USV-01/fixed") { take_one_and_leave<OneItemQueue<Leaving::wakes_producers>>(); }
