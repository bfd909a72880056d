// PhotonLibOS, commit bb84afbe (2025).
//
// A scan takes all sleepers whose time has come, and makes each ready later, when it gets to it. A sleeper
// that is interrupted in between is made ready by the interrupter and by the scan: it is in two queues.

#include <chrono>

#include "fiber_hook.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "PHO-01",
     .upstream = "PhotonLibOS bb84afbe",
     .title = "a sleeper that is interrupted while it expires is made ready twice",
     .invariant = Invariant::pairing,
     .pattern = Pattern::timer_meets_notification});

enum class Interrupt { makes_ready, takes_off_the_scan };

template <Interrupt interrupt_does>
class Sleepers {
public:
    void sleep_for_a_second(FiberHook& fiber) {
        sleeping_.push_back(&fiber);
        fiber.park();
    }
    void interrupt(FiberHook& fiber) {
        const bool was_asleep = std::erase(sleeping_, &fiber) > 0;
        const bool was_expiring = std::find(expiring_.begin(), expiring_.end(), &fiber) != expiring_.end();
        if (interrupt_does == Interrupt::takes_off_the_scan) {
            std::erase(expiring_, &fiber);
        }
        if (was_asleep || was_expiring) {
            fiber.make_ready();
        }
    }
    /// Wakes all who sleep; lets others in after each.
    void expire() {
        expiring_.swap(sleeping_);
        while (!expiring_.empty()) {
            FiberHook& fiber = *expiring_.front();
            expiring_.erase(expiring_.begin());
            fiber.make_ready();
            sleep(0s);
        }
    }

private:
    std::vector<FiberHook*> sleeping_;
    std::vector<FiberHook*> expiring_;
};

/// Two tasks sleep for a second, then wait for an order; a third one interrupts the second's sleep when it is
/// tired of it.
template <class S>
void wake_up() {
    S sleepers;
    FiberHook hooks[2];
    bool is_ordered = false;
    const auto sleeper = [&](FiberHook& hook) {
        return [&] {
            sleepers.sleep_for_a_second(hook);
            hook.park();
            claim(is_ordered, Invariant::pairing);
        };
    };
    const auto first = create_task(sleeper(hooks[0]), {.name = "sleeper"});
    const auto second = create_task(sleeper(hooks[1]), {.name = "sleeper"});
    const auto interrupter = create_task(
        [&] {
            sleep(1s);
            sleepers.interrupt(hooks[1]);
        },
        {.name = "interrupter"});
    const auto clock = create_task(
        [&] {
            sleep(1s);
            sleepers.expire();
        },
        {.name = "clock"});
    sleep(2s);
    is_ordered = true;
    hooks[0].make_ready();
    hooks[1].make_ready();
    join(first, second, interrupter, clock);
}

}  // namespace

MISHAP_SCENARIO("PHO-01/buggy") { wake_up<Sleepers<Interrupt::makes_ready>>(); }
MISHAP_SCENARIO("PHO-01/fixed") { wake_up<Sleepers<Interrupt::takes_off_the_scan>>(); }
