// asyncio.Queue, bpo-32574 (put) and bpo-31620 (get).
//
// A producer that finds the queue full waits for a while and gives up. What it waited on stays in the queue's list of
// putters until somebody gets an item: who polls a full queue fills the memory.

#include <algorithm>
#include <deque>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-16",
                                    .upstream = "bpo-32574",
                                    .title = "Queue: a put that times out stays in the list of putters",
                                    .invariant = Invariant::clean,
                                    .pattern = Pattern::late_unregistration});

enum class OnCancel { stays_registered, leaves };

template <OnCancel on_cancel>
class BoundedQueue {
public:
    explicit BoundedQueue(std::size_t maxsize) : maxsize_(maxsize) {}

    void put(int item) {
        while (items_.size() >= maxsize_) {
            const auto woken = get_running_loop().create_future<void>();
            putters_.push_back(woken);
            try {
                await(woken);
            } catch (const CancelledError&) {
                if (on_cancel == OnCancel::leaves) {
                    std::erase(putters_, woken);
                }
                if (items_.size() < maxsize_) {
                    wake_putter();
                }
                throw;
            }
        }
        items_.push_back(item);
    }

    int get_nowait() {
        const int item = items_.front();
        items_.pop_front();
        wake_putter();
        return item;
    }

    std::size_t putters() const { return putters_.size(); }

private:
    void wake_putter() {
        while (!putters_.empty()) {
            const Future<void> putter = putters_.front();
            putters_.pop_front();
            if (!putter.done()) {
                putter.set_result();
                return;
            }
        }
    }

    std::size_t maxsize_;
    std::deque<int> items_;
    std::deque<Future<void>> putters_;
};

template <class Q>
void poll() {
    Q queue(1);
    queue.put(0);
    const auto consumer = create_task(
        [&] {
            sleep(900ms);
            queue.get_nowait();
        },
        {.name = "consumer"});
    const auto producer = create_task(
        [&] {
            for (int attempt = 0; attempt < 3; ++attempt) {
                try {
                    return timeout(1s, [&] { queue.put(1); });
                } catch (const TimeoutError&) {
                    claim(queue.putters() == 0, Invariant::clean);
                }
            }
        },
        {.name = "producer"});
    join(consumer, producer);
}

}  // namespace

MISHAP_SCENARIO("CPY-16/buggy", .timer_slack = 200ms) { poll<BoundedQueue<OnCancel::stays_registered>>(); }
MISHAP_SCENARIO("CPY-16/fixed", .timer_slack = 200ms) { poll<BoundedQueue<OnCancel::leaves>>(); }
