// asyncio.wait_for around Condition.wait, bpo-32751 and bpo-33638; bpo-42600 is a later variant.
//
// A wait on a condition times out. wait_for cancels it and throws at once, but the cancelled wait still has to take the
// lock back: its caller goes on, and gives up a lock that it does not hold.

#include "condition.hpp"
#include "done_or_due.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-07",
                                    .upstream = "bpo-32751, bpo-33638",
                                    .title = "wait_for around Condition.wait ends before the lock is taken back",
                                    .invariant = Invariant::no_orphan,
                                    .pattern = Pattern::check_then_suspend});

enum class OnTimeout { throws_at_once, waits_for_the_end };

template <OnTimeout on_timeout>
struct HandmadeWaitFor {
    template <class F>
    static void wait_for(F function, std::chrono::nanoseconds delay) {
        const auto work = create_task(function, {.name = "work"});
        wait_until_done_or_due(work, delay);
        if (work.done()) {
            return await(work);
        }
        work.cancel();
        if (on_timeout == OnTimeout::waits_for_the_end) {
            gather(return_exceptions, work);
        }
        throw TimeoutError();
    }
};

struct Mailbox {
    Lock lock;
    ConditionWaiters waiters;
    bool has_mail = false;
    NoOrphan waits;

    void wait() {
        const NoOrphan::Alive alive(waits);
        lock.release();
        try {
            waiters.wait();
        } catch (const CancelledError&) {
            acquire_stubbornly(lock);
            throw;
        }
        acquire_stubbornly(lock);
    }
};

template <class W>
void read_mail() {
    // Kept by whoever uses it: what wait_for leaves behind may outlive the program.
    const auto mailbox = std::make_shared<Mailbox>();
    const auto reader = create_task(
        [mailbox] {
            const Held held(mailbox->lock);
            while (!mailbox->has_mail) {
                try {
                    W::wait_for([mailbox] { mailbox->wait(); }, 1s);
                } catch (const TimeoutError&) {
                    mailbox->waits.check();
                    return;
                }
            }
        },
        {.name = "reader"});
    const auto postman = create_task(
        [mailbox] {
            const Held held(mailbox->lock);
            sleep(900ms);
            mailbox->has_mail = true;
            mailbox->waiters.notify();
        },
        {.name = "postman"});
    join(reader, postman);
}

}  // namespace

MISHAP_SCENARIO("CPY-07/buggy", .timer_slack = 200ms) { read_mail<HandmadeWaitFor<OnTimeout::throws_at_once>>(); }
MISHAP_SCENARIO("CPY-07/fixed", .timer_slack = 200ms) { read_mail<HandmadeWaitFor<OnTimeout::waits_for_the_end>>(); }
