// A queue that hands an item to a waiting getter through the getter's future: when the getter is cancelled before it
// resumes, the item is gone (bpo-23812).

#include <algorithm>
#include <deque>

#include <mishap/mishap.hpp>

using namespace mishap;

namespace {

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
        if (!items_.empty()) {
            const int item = items_.front();
            items_.pop_front();
            return item;
        }
        const auto getter = get_running_loop().create_future<int>();
        getters_.push_back(getter);
        return await(getter);
    }

    std::size_t size() const { return items_.size(); }

private:
    std::deque<int> items_;
    std::deque<Future<int>> getters_;
};

/// The repair: the item stays in the queue until a getter has resumed; the future only says that it is worth a look.
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

    std::size_t size() const { return items_.size(); }

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

template <class SomeQueue>
void deliver() {
    SomeQueue queue;
    std::size_t received = 0;
    const auto take_one = [&] {
        queue.get();
        ++received;
    };
    const auto first = create_task(take_one, {.name = "first"});
    const auto second = create_task(take_one, {.name = "second"});
    const auto producer = create_task(
        [&] {
            queue.put(1);
            queue.put(2);
        },
        {.name = "producer"});
    gather(return_exceptions, first, second, producer);
    always(received + queue.size() == 2, "an item is received, or still in the queue");
}

}  // namespace

MISHAP_SCENARIO("queue_handoff/through_the_future", .cancellations = 1, .runs_max = 10'000) { deliver<HandoffQueue>(); }

MISHAP_SCENARIO("queue_handoff/through_the_queue", .cancellations = 1, .strategy = Strategy::exhaustive,
                .runs_max = 1'000'000) {
    deliver<WakingQueue>();
}
