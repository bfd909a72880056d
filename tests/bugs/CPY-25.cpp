// asyncio.timeout, gh-134471 (open when this was written).
//
// A task is cancelled while it runs, and enters a timeout whose time is up already. Both requests are served by one
// CancelledError at the first wait; the timeout counts the other as having been there before, and converts it.

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-25",
                                    .upstream = "gh-134471",
                                    .title = "timeout(0) swallows a cancellation that was there before",
                                    .invariant = Invariant::cancel_honoured,
                                    .pattern = Pattern::cancellation_miscounted});

enum class OnEntry { begins_at_once, serves_old_request };

template <OnEntry on_entry>
struct HandmadeTimeout {
    template <class F>
    static void run(std::chrono::nanoseconds delay, F body) {
        if (on_entry == OnEntry::serves_old_request) {
            sleep(0s);
        }
        bool is_expired = false;
        const auto task = current_task();
        const int requests_before = task.cancelling();
        const auto expire = [&is_expired, task] {
            is_expired = true;
            task.cancel();
        };
        TimerHandle timer;
        if (delay.count() > 0) {
            timer = get_running_loop().call_later(delay, expire);
        } else {
            expire();
        }
        try {
            body();
        } catch (const CancelledError&) {
            if (timer.is_valid()) {
                timer.cancel();
            }
            if (is_expired && task.uncancel() <= requests_before) {
                throw TimeoutError();
            }
            throw;
        }
        if (timer.is_valid()) {
            timer.cancel();
        }
    }
};

/// A job that fails stops the task that runs it; whatever is still to be sent then gets no time to wait.
template <class T>
void stop_from_within() {
    const auto worker = create_task(
        [] {
            CancelHonoured::run([] {
                sleep(0s);
                if (fault("job")) {
                    current_task().cancel();
                }
                try {
                    T::run(0s, [] { sleep(0s); });
                } catch (const TimeoutError&) {
                }
                sleep(0s);
            });
        },
        {.name = "worker"});
    join(worker);
}

}  // namespace

MISHAP_SCENARIO("CPY-25/buggy", .cancellations = 1) { stop_from_within<HandmadeTimeout<OnEntry::begins_at_once>>(); }
MISHAP_SCENARIO("CPY-25/fixed", .cancellations = 1) {
    stop_from_within<HandmadeTimeout<OnEntry::serves_old_request>>();
}
