// async-timeout, issue 229 (pull requests 230 and 295).
//
// A deadline cancels the task; before the task resumes, somebody else cancels it too. The timeout converts what it sees
// to TimeoutError, and the second request is lost.

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-23",
                                    .upstream = "async-timeout #229",
                                    .title = "timeout: an expired deadline swallows somebody else's cancellation",
                                    .invariant = Invariant::cancel_honoured,
                                    .pattern = Pattern::cancellation_swallowed});

enum class Converts { when_expired, when_alone };

template <Converts converts>
struct HandmadeTimeout {
    template <class F>
    static void run(std::chrono::nanoseconds delay, F body) {
        bool is_expired = false;
        const auto task = current_task();
        const int requests_before = task.cancelling();
        TimerHandle timer = get_running_loop().call_later(delay, [&is_expired, task] {
            is_expired = true;
            task.cancel();
        });
        try {
            body();
        } catch (const CancelledError&) {
            timer.cancel();
            const bool is_alone = is_expired && task.uncancel() <= requests_before;
            if (converts == Converts::when_expired ? is_expired : is_alone) {
                throw TimeoutError();
            }
            throw;
        }
        timer.cancel();
    }
};

template <class T>
void stop_worker() {
    const auto worker = create_task(
        [] {
            try {
                T::run(1s, [] { sleep(1h); });
            } catch (const TimeoutError&) {
            }
        },
        {.name = "worker"});
    CancelHonoured cancellations;
    const auto stopper = create_task(
        [&] {
            sleep(1s);
            cancellations.cancel(worker);
        },
        {.name = "stopper"});
    join(worker, stopper);
    cancellations.check();
}

}  // namespace

MISHAP_SCENARIO("CPY-23/buggy", .cancellations = 1) { stop_worker<HandmadeTimeout<Converts::when_expired>>(); }
MISHAP_SCENARIO("CPY-23/fixed", .cancellations = 1) { stop_worker<HandmadeTimeout<Converts::when_alone>>(); }
