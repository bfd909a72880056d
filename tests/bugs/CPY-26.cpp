// asyncio.timeout, gh-95051.
//
// A deadline that has passed is a timer like any other, and timers that are due join the ready tasks an iteration
// later. A body that waits only once is over by then, and has not been stopped.

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-26",
                                    .upstream = "gh-95051",
                                    .title = "timeout: a deadline in the past acts one wait late",
                                    .invariant = Invariant::deadline,
                                    .pattern = Pattern::starvation,
                                    .is_calm = true});

enum class PastDeadline { is_a_timer, acts_at_once };

template <PastDeadline past_deadline>
struct HandmadeTimeout {
    template <class F>
    static void run(std::chrono::nanoseconds delay, F body) {
        bool is_expired = false;
        const auto task = current_task();
        const int requests_before = task.cancelling();
        const auto expire = [&is_expired, task] {
            is_expired = true;
            task.cancel();
        };
        TimerHandle timer = get_running_loop().call_later(delay, expire);
        if (past_deadline == PastDeadline::acts_at_once && delay.count() <= 0) {
            timer.cancel();
            expire();
        }
        try {
            body();
        } catch (const CancelledError&) {
            timer.cancel();
            if (is_expired && task.uncancel() <= requests_before) {
                throw TimeoutError();
            }
            throw;
        }
        timer.cancel();
    }
};

template <class T>
void begin_late() {
    const auto worker = create_task(
        [] {
            try {
                T::run(-1s, [] {
                    sleep(0s);
                    claim(false, Invariant::deadline);
                });
            } catch (const TimeoutError&) {
            }
        },
        {.name = "worker"});
    join(worker);
}

}  // namespace

MISHAP_SCENARIO("CPY-26/buggy", .cancellations = 1) { begin_late<HandmadeTimeout<PastDeadline::is_a_timer>>(); }
MISHAP_SCENARIO("CPY-26/fixed", .cancellations = 1) { begin_late<HandmadeTimeout<PastDeadline::acts_at_once>>(); }
