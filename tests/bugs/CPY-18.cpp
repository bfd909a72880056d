// queue.Queue.shutdown, gh-117531; found while asyncio.Queue.shutdown was built (gh-96471).
//
// Whoever shuts a queue down wakes those who want to put. Those who wait to get are forgotten, although nothing will
// come any more.

#include <algorithm>
#include <deque>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-18",
                                    .upstream = "gh-117531",
                                    .title = "Queue: shutdown does not wake those who wait for items",
                                    .invariant = Invariant::progress,
                                    .pattern = Pattern::close_forgets,
                                    .finding = FindingKind::stuck});

enum class Shutdown { wakes_putters, wakes_everybody };

struct IsShutDown {};

template <Shutdown shutdown_wakes>
class ClosableQueue {
public:
    void put(int item) {
        if (is_shut_down_) {
            throw IsShutDown();
        }
        items_.push_back(item);
        wake_getter();
    }

    int get() {
        while (items_.empty()) {
            if (is_shut_down_) {
                throw IsShutDown();
            }
            const auto woken = get_running_loop().create_future<void>();
            getters_.push_back(woken);
            await(woken);
        }
        const int item = items_.front();
        items_.pop_front();
        return item;
    }

    void shutdown() {
        is_shut_down_ = true;
        if (shutdown_wakes == Shutdown::wakes_everybody) {
            while (!getters_.empty()) {
                wake_getter();
            }
        }
    }

private:
    void wake_getter() {
        if (!getters_.empty()) {
            getters_.front().set_result();
            getters_.pop_front();
        }
    }

    bool is_shut_down_ = false;
    std::deque<int> items_;
    std::deque<Future<void>> getters_;
};

template <class Q>
void work_off() {
    Q queue;
    const auto consumer = create_task(
        [&] {
            try {
                for (;;) {
                    queue.get();
                    sleep(0s);
                }
            } catch (const IsShutDown&) {
            }
        },
        {.name = "consumer"});
    const auto producer = create_task(
        [&] {
            queue.put(1);
            queue.put(2);
        },
        {.name = "producer"});
    join(producer);
    queue.shutdown();
    join(consumer);
}

}  // namespace

MISHAP_SCENARIO("CPY-18/buggy") { work_off<ClosableQueue<Shutdown::wakes_putters>>(); }
MISHAP_SCENARIO("CPY-18/fixed") { work_off<ClosableQueue<Shutdown::wakes_everybody>>(); }
