// Boost.Fiber, issues #251 and #259, commit f1ab9c73 (2020).
//
// A fiber has one link for all the lists it can wait in. After a wait that timed out, the condition still
// counts on the link; the fiber waits for something else by then, and a late notification takes it out of
// there. The repair gives each wait a node of its own, which leaves the list with it.

#include <deque>

#include "fiber_hook.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "BFI-03",
     .upstream = "Boost.Fiber #251, #259",
     .title = "wait lists: a wait that timed out stays linked, and its fiber is woken later",
     .invariant = Invariant::pairing,
     .pattern = Pattern::timer_meets_notification});

enum class AfterTimeout { stays_linked, unlinks };

template <AfterTimeout after_timeout>
class FiberCondition {
public:
    void wait(FiberHook& fiber) {
        waiting_.push_back(&fiber);
        fiber.park();
    }
    void wait_for(FiberHook& fiber, std::chrono::nanoseconds delay) {
        waiting_.push_back(&fiber);
        const auto expire = [this, &fiber] {
            if (std::find(waiting_.begin(), waiting_.end(), &fiber) == waiting_.end()) {
                return;  // notified, and ready for that
            }
            if (after_timeout == AfterTimeout::unlinks) {
                std::erase(waiting_, &fiber);
            }
            fiber.make_ready();
        };
        TimerHandle timer = get_running_loop().call_later(delay, expire);
        fiber.park();
        timer.cancel();
    }
    void notify_one() {
        if (!waiting_.empty()) {
            FiberHook& fiber = *waiting_.front();
            waiting_.pop_front();
            fiber.make_ready();
        }
    }

private:
    std::deque<FiberHook*> waiting_;
};

/// Waits for a greeting for a second, then for an order as long as it takes. Both come from the network.
template <class C>
void receive() {
    FiberHook self;  // outlives the conditions, which may point to it
    C greeted;
    C ordered;
    bool is_ordered = false;
    get_running_loop().call_later(1s, [&] { greeted.notify_one(); });
    get_running_loop().call_later(2s, [&] {
        is_ordered = true;
        ordered.notify_one();
    });
    const auto server = create_task(
        [&] {
            greeted.wait_for(self, 1s);
            ordered.wait(self);
            claim(is_ordered, Invariant::pairing);
        },
        {.name = "server"});
    join(server);
}

}  // namespace

MISHAP_SCENARIO("BFI-03/buggy") { receive<FiberCondition<AfterTimeout::stays_linked>>(); }
MISHAP_SCENARIO("BFI-03/fixed") { receive<FiberCondition<AfterTimeout::unlinks>>(); }
