// Seastar's condition_variable, commit 045c822f3 (2022).
//
// A timed wait was signalled and is in the run queue when its timer fires: the timer, which nobody has
// cancelled, completes the wait a second time.

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "SEA-03",
     .upstream = "Seastar 045c822f3",
     .title = "condition_variable: the timer of a wait that was signalled completes it again",
     .invariant = Invariant::no_error,
     .pattern = Pattern::timer_meets_notification});

enum class OnSignal { leaves_timer, cancels_timer };

template <OnSignal on_signal>
class SeastarCondition {
public:
    void wait_for(std::chrono::nanoseconds delay) {
        const auto done = get_running_loop().create_future<void>();
        TimerHandle timer = get_running_loop().call_later(
            delay, [done] { done.set_exception(std::make_exception_ptr(TimeoutError())); });
        waits_.push_back({done, timer});
        try {
            await(done);
        } catch (const TimeoutError&) {
            std::erase_if(waits_, [&](const Wait& wait) { return wait.done == done; });
            throw;
        }
        timer.cancel();
    }
    void signal() {
        if (waits_.empty()) {
            return;
        }
        Wait wait = waits_.front();
        waits_.erase(waits_.begin());
        if (on_signal == OnSignal::cancels_timer) {
            wait.timer.cancel();
        }
        if (!wait.done.done()) {
            wait.done.set_result();
        }
    }

private:
    struct Wait {
        Future<void> done;
        TimerHandle timer;
    };
    std::vector<Wait> waits_;
};

/// A reply takes as long as one is ready to wait for it.
template <class C>
void ask() {
    const NoLoopErrors errors;
    C replied;
    const auto asker = create_task(
        [&] {
            sleep(1s);  // between question and answer
            try {
                replied.wait_for(1s);
            } catch (const TimeoutError&) {
            }
        },
        {.name = "asker"});
    const auto server = create_task(
        [&] {
            sleep(2s);
            replied.signal();
        },
        {.name = "server"});
    join(asker, server);
    errors.check();
}

}  // namespace

MISHAP_SCENARIO("SEA-03/buggy") { ask<SeastarCondition<OnSignal::leaves_timer>>(); }
MISHAP_SCENARIO("SEA-03/fixed") { ask<SeastarCondition<OnSignal::cancels_timer>>(); }
