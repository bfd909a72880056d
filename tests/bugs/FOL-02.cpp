// folly::fibers::BoundedQueue, commits e20b4e39a and 82c1569c1 (2022).
//
// Writers take tickets, write their slots and signal; a signal means that *some* slot was written. When the
// second writer is done first, a reader takes its permit and looks at the first slot, which is not written
// yet: it takes what is there.

#include <array>
#include <memory>

#include "invariants.hpp"
#include "threads.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "FOL-02",
     .upstream = "folly e20b4e39a, 82c1569c1",
     .title = "BoundedQueue: a permit says that there is an item, the slot is not written",
     .invariant = Invariant::delivered_once,
     .pattern = Pattern::records_drift});

constexpr int nothing = 0;

enum class Permit { any_slot, this_slot };

/// A ring that is never filled: what happens when it is does not matter here.
template <Permit permit_means>
class BoundedQueue {
public:
    void put(int item) {
        Slot& slot = slots_[static_cast<std::size_t>(tail_.fetch_add(1))];
        slot.item.exchange(item);
        (permit_means == Permit::any_slot ? written_ : slot.written).release();
    }
    int get() {
        if (permit_means == Permit::any_slot) {
            written_.acquire();
        }
        Slot& slot = slots_[static_cast<std::size_t>(head_.fetch_add(1))];
        if (permit_means == Permit::this_slot) {
            slot.written.acquire();
        }
        return slot.item.exchange(nothing);
    }

private:
    struct Slot {
        Shared<int> item{nothing};
        ThreadSemaphore written;
    };
    Shared<int> head_{0, "head"};
    Shared<int> tail_{0, "tail"};
    ThreadSemaphore written_;
    std::array<Slot, 2> slots_;
};

template <class Q>
void deliver() {
    Q queue;
    DeliveredOnce delivered;
    const auto write = [&](int item) {
        delivered.put(item);
        queue.put(item);
    };
    together({{"writer", [&] { write(1); }}, {"writer", [&] { write(2); }}, {"reader", [&] {
                                                                                 delivered.got(queue.get());
                                                                             }}});
    delivered.got(queue.get());
    delivered.check();
}

}  // namespace

MISHAP_SCENARIO("FOL-02/buggy") { deliver<BoundedQueue<Permit::any_slot>>(); }
MISHAP_SCENARIO("FOL-02/fixed") { deliver<BoundedQueue<Permit::this_slot>>(); }
