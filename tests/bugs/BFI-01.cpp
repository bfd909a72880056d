// Boost.Fiber, commit 23b82d56 (2017).
//
// A timed wait is in two lists: of who waits for the condition, and of who sleeps. A notification and the
// deadline at one time both make the fiber ready, and the second wake-up ends the next wait, whatever that is
// for.

#include <memory>

#include "fiber_hook.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "BFI-01",
     .upstream = "Boost.Fiber 23b82d56",
     .title = "wait_until: notification and deadline both make the fiber ready",
     .invariant = Invariant::pairing,
     .pattern = Pattern::timer_meets_notification});

enum class Wakes { by_each_list, once };

template <Wakes wakes>
class FiberCondition {
public:
    void wait(FiberHook& fiber) {
        waits_.push_back(std::make_shared<Wait>(Wait{&fiber}));
        fiber.park();
    }
    /// As above, until the deadline at most; returns whether it was notified.
    bool wait_for(FiberHook& fiber, std::chrono::nanoseconds delay) {
        const auto wait = std::make_shared<Wait>(Wait{&fiber});
        waits_.push_back(wait);
        TimerHandle timer = get_running_loop().call_later(delay, [wait] { wake(*wait); });
        fiber.park();
        timer.cancel();
        return std::erase(waits_, wait) == 0;
    }
    void notify_one() {
        if (!waits_.empty()) {
            const auto wait = waits_.front();
            waits_.erase(waits_.begin());
            wake(*wait);
        }
    }

private:
    struct Wait {
        FiberHook* fiber;
        bool is_woken = false;
    };
    static void wake(Wait& wait) {
        if (wakes == Wakes::by_each_list || !wait.is_woken) {
            wait.is_woken = true;
            wait.fiber->make_ready();
        }
    }
    std::vector<std::shared_ptr<Wait>> waits_;
};

/// Waits for a greeting for a second, then for an order as long as it takes.
template <class C>
void receive() {
    C greeted;
    C ordered;
    bool is_ordered = false;
    const auto server = create_task(
        [&] {
            FiberHook self;
            greeted.wait_for(self, 1s);
            ordered.wait(self);
            claim(is_ordered, Invariant::pairing);
        },
        {.name = "server"});
    const auto client = create_task(
        [&] {
            sleep(1s);
            greeted.notify_one();
            sleep(1s);
            is_ordered = true;
            ordered.notify_one();
        },
        {.name = "client"});
    join(server, client);
}

}  // namespace

MISHAP_SCENARIO("BFI-01/buggy") { receive<FiberCondition<Wakes::by_each_list>>(); }
MISHAP_SCENARIO("BFI-01/fixed") { receive<FiberCondition<Wakes::once>>(); }
