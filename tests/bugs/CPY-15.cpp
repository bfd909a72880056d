// asyncio.Queue, python/asyncio issue 265, repaired by the rewrite in pull request 269.
//
// get_nowait asserts that putters wait only while the queue is full. But a putter that was woken has not put anything
// yet: whoever takes two items in one step sees room, and a second putter that still waits.

#include <algorithm>
#include <deque>
#include <stdexcept>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-15",
                                    .upstream = "python/asyncio #265",
                                    .title = "Queue: asserts that putters wait only while it is full",
                                    .invariant = Invariant::no_error,
                                    .pattern = Pattern::check_then_suspend});

enum class Believes { putters_mean_full, nothing };

template <Believes believes>
class BoundedQueue {
public:
    explicit BoundedQueue(std::size_t maxsize) : maxsize_(maxsize) {}

    bool empty() const { return items_.empty(); }

    void put(int item) {
        while (items_.size() >= maxsize_) {
            const auto woken = get_running_loop().create_future<void>();
            putters_.push_back(woken);
            try {
                await(woken);
            } catch (const CancelledError&) {
                std::erase(putters_, woken);
                if (items_.size() < maxsize_) {
                    wake_next(putters_);
                }
                throw;
            }
        }
        items_.push_back(item);
        wake_next(getters_);
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
                    wake_next(getters_);
                }
                throw;
            }
        }
        return get_nowait();
    }

    int get_nowait() {
        if (believes == Believes::putters_mean_full && !putters_.empty() && items_.size() < maxsize_) {
            throw std::logic_error("queue not full, why are putters waiting?");
        }
        const int item = items_.front();
        items_.pop_front();
        wake_next(putters_);
        return item;
    }

private:
    using Waiters = std::deque<Future<void>>;

    static void wake_next(Waiters& waiters) {
        while (!waiters.empty()) {
            const Future<void> waiter = waiters.front();
            waiters.pop_front();
            if (!waiter.done()) {
                waiter.set_result();
                return;
            }
        }
    }

    std::size_t maxsize_;
    std::deque<int> items_;
    Waiters putters_;
    Waiters getters_;
};

/// A consumer takes whatever there is, as often as something comes.
template <class Q>
void drain() {
    Q queue(2);
    const auto produce = [&] {
        for (const int item : {1, 2}) {
            queue.put(item);
            sleep(0s);
        }
    };
    const auto first = create_task(produce, {.name = "producer"});
    const auto second = create_task(produce, {.name = "producer"});
    const auto consumer = create_task(
        [&] {
            without_errors([&] {
                int received = 0;
                while (received < 4) {
                    queue.get();
                    ++received;
                    while (!queue.empty()) {
                        queue.get_nowait();
                        ++received;
                    }
                }
            });
        },
        {.name = "consumer"});
    join(first, second, consumer);
}

}  // namespace

MISHAP_SCENARIO("CPY-15/buggy") { drain<BoundedQueue<Believes::putters_mean_full>>(); }
MISHAP_SCENARIO("CPY-15/fixed") { drain<BoundedQueue<Believes::nothing>>(); }
