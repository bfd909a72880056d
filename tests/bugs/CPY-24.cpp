// asyncio.timeout, gh-102780 (pull request 102815), repaired in CPython 3.12.
//
// A task that was cancelled cleans up under a timeout. When that expires, the timeout compares the number of open
// requests with zero; there was one before it began, so it takes its own for somebody else's and throws CancelledError.

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-24",
                                    .upstream = "gh-102780",
                                    .title = "timeout: in the cleanup of a cancelled task it denies its own request",
                                    .invariant = Invariant::cancel_balanced,
                                    .pattern = Pattern::cancellation_miscounted});

enum class ComparesWith { zero, count_at_entry };

template <ComparesWith compares_with>
struct HandmadeTimeout {
    template <class F>
    static void run(std::chrono::nanoseconds delay, F body) {
        bool is_expired = false;
        const auto task = current_task();
        const int base = compares_with == ComparesWith::zero ? 0 : task.cancelling();
        TimerHandle timer = get_running_loop().call_later(delay, [&is_expired, task] {
            is_expired = true;
            task.cancel();
        });
        try {
            body();
        } catch (const CancelledError&) {
            timer.cancel();
            if (is_expired && task.uncancel() <= base) {
                throw TimeoutError();
            }
            throw;
        }
        timer.cancel();
    }
};

template <class T>
void clean_up() {
    const auto worker = create_task(
        [] {
            try {
                sleep(1h);
            } catch (const CancelledError&) {
                try {
                    T::run(1s, [] { sleep(900ms); });
                } catch (const TimeoutError&) {
                } catch (const CancelledError&) {
                    claim(false, Invariant::cancel_balanced);  // nobody has cancelled it a second time
                }
                throw;
            }
        },
        {.name = "worker"});
    sleep(1s);
    worker.cancel();
    join(worker);
}

}  // namespace

MISHAP_SCENARIO("CPY-24/buggy", .timer_slack = 200ms) { clean_up<HandmadeTimeout<ComparesWith::zero>>(); }
MISHAP_SCENARIO("CPY-24/fixed", .timer_slack = 200ms) { clean_up<HandmadeTimeout<ComparesWith::count_at_entry>>(); }
