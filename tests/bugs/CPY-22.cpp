// asyncio.sleep, python/asyncio issue 255; results of executors had the same fault (issue 123).
//
// A sleep is cancelled just as its timer is due. The timer sets the result of a future that is cancelled by now, and
// the error ends in the loop's exception handler.

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-22",
                                    .upstream = "python/asyncio #255",
                                    .title = "sleep: its timer sets a future that was cancelled",
                                    .invariant = Invariant::no_error,
                                    .pattern = Pattern::timer_meets_notification});

enum class Sets { always_sets, unless_done };

template <Sets sets>
void handmade_sleep(std::chrono::nanoseconds delay) {
    const auto woken = get_running_loop().create_future<void>();
    TimerHandle timer = get_running_loop().call_later(delay, [woken] {
        if (sets == Sets::always_sets || !woken.done()) {
            woken.set_result();
        }
    });
    try {
        await(woken);
    } catch (const CancelledError&) {
        timer.cancel();
        throw;
    }
}

template <Sets sets>
void stop_sleeper() {
    const NoLoopErrors errors;
    const auto sleeper = create_task([] { handmade_sleep<sets>(1s); }, {.name = "sleeper"});
    const auto stopper = create_task(
        [&] {
            sleep(1s);
            sleeper.cancel();
        },
        {.name = "stopper"});
    join(sleeper, stopper);
    sleep(1s);
    errors.check();
}

}  // namespace

MISHAP_SCENARIO("CPY-22/buggy", .cancellations = 1) { stop_sleeper<Sets::always_sets>(); }
MISHAP_SCENARIO("CPY-22/fixed", .cancellations = 1) { stop_sleeper<Sets::unless_done>(); }
