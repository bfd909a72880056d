// asyncio.Queue, bpo-23812 (python/asyncio pull request 256), repaired in CPython 3.4.4.
//
// An item that is put while a getter waits is handed to it through its future. When the getter is cancelled before it
// resumes, the item is neither received nor in the queue.

#include <algorithm>
#include <deque>

#include "invariants.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-14",
                                    .upstream = "bpo-23812",
                                    .title = "Queue: a cancelled getter loses the item that was handed to it",
                                    .invariant = Invariant::delivered_once,
                                    .pattern = Pattern::baton_dropped});

class HandoffQueue {
public:
    void put(int item) {
        while (!getters_.empty()) {
            const Future<int> getter = getters_.front();
            getters_.pop_front();
            if (!getter.done()) {
                getter.set_result(item);
                return;
            }
        }
        items_.push_back(item);
    }

    int get() {
        if (items_.empty()) {
            const auto getter = get_running_loop().create_future<int>();
            getters_.push_back(getter);
            return await(getter);
        }
        const int item = items_.front();
        items_.pop_front();
        return item;
    }

    const std::deque<int>& items() const { return items_; }

private:
    std::deque<int> items_;
    std::deque<Future<int>> getters_;
};

/// An item stays in the queue until a getter has resumed; the future only says that it is worth a look.
class WakingQueue {
public:
    void put(int item) {
        items_.push_back(item);
        wake_next();
    }

    int get() {
        while (items_.empty()) {
            const auto woken = get_running_loop().create_future<void>();
            getters_.push_back(woken);
            try {
                await(woken);
            } catch (const CancelledError&) {
                std::erase(getters_, woken);
                if (!items_.empty()) {
                    wake_next();
                }
                throw;
            }
        }
        const int item = items_.front();
        items_.pop_front();
        return item;
    }

    const std::deque<int>& items() const { return items_; }

private:
    void wake_next() {
        while (!getters_.empty()) {
            const Future<void> getter = getters_.front();
            getters_.pop_front();
            if (!getter.done()) {
                getter.set_result();
                return;
            }
        }
    }

    std::deque<int> items_;
    std::deque<Future<void>> getters_;
};

template <class Q>
void deliver() {
    Q queue;
    DeliveredOnce delivered;
    const auto take_one = [&] { delivered.got(queue.get()); };
    const auto first = create_task(take_one, {.name = "consumer"});
    const auto second = create_task(take_one, {.name = "consumer"});
    const auto producer = create_task(
        [&] {
            for (const int item : {1, 2}) {
                delivered.put(item);
                queue.put(item);
            }
        },
        {.name = "producer"});
    join(first, second, producer);
    for (const int item : queue.items()) {
        delivered.got(item);
    }
    delivered.check();
}

}  // namespace

MISHAP_SCENARIO("CPY-14/buggy", .cancellations = 1) { deliver<HandoffQueue>(); }
MISHAP_SCENARIO("CPY-14/fixed", .cancellations = 1) { deliver<WakingQueue>(); }
