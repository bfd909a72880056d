// asyncio.wait_for around Queue.get, python/asyncio issue 343; gh-92824 asks for a word about it in the documentation.
//
// A consumer polls a queue: it waits for an item for a while and then looks after other things. If the wait for the
// item is left running, it takes the next item, and nobody looks at what it got.

#include <chrono>

#include "done_or_due.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-17",
                                    .upstream = "python/asyncio #343, gh-92824",
                                    .title = "a get that timed out lives on and takes the next item",
                                    .invariant = Invariant::delivered_once,
                                    .pattern = Pattern::timer_meets_notification});

enum class OnTimeout { abandons_get, ends_get };

struct Mail {
    Queue<int> queue;
    DeliveredOnce delivered;
};

/// Returns an item, or 0 if none came in time.
template <OnTimeout on_timeout>
int poll(const std::shared_ptr<Mail>& mail, std::chrono::nanoseconds delay) {
    const auto get = create_task([mail] { return mail->queue.get(); }, {.name = "get"});
    wait_until_done_or_due(get, delay);
    if (!get.done() && on_timeout == OnTimeout::abandons_get) {
        return 0;
    }
    if (!get.done()) {
        get.cancel();
        gather(return_exceptions, get);
    }
    return get.cancelled() ? 0 : get.result();
}

template <OnTimeout on_timeout>
void read_mail() {
    // Kept by whoever uses it: a get that is left running may outlive the program.
    const auto mail = std::make_shared<Mail>();
    const auto consumer = create_task(
        [mail] {
            for (int round = 0; round < 3; ++round) {
                if (const int item = poll<on_timeout>(mail, 1s); item != 0) {
                    mail->delivered.got(item);
                }
            }
        },
        {.name = "consumer"});
    const auto producer = create_task(
        [mail] {
            for (const int item : {1, 2}) {
                sleep(900ms);
                mail->delivered.put(item);
                mail->queue.put_nowait(item);
            }
        },
        {.name = "producer"});
    join(consumer, producer);
    while (!mail->queue.empty()) {
        mail->delivered.got(mail->queue.get_nowait());
    }
    mail->delivered.check();
}

}  // namespace

MISHAP_SCENARIO("CPY-17/buggy", .timer_slack = 200ms) { read_mail<OnTimeout::abandons_get>(); }
MISHAP_SCENARIO("CPY-17/fixed", .timer_slack = 200ms) { read_mail<OnTimeout::ends_get>(); }
