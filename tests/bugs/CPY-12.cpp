// asyncio.Semaphore, gh-111693 (from its discussion).
//
// Several permits are released at once, and each wakes a waiter. When one of these is cancelled before it resumes, its
// permit goes to the head of the queue; but that has a permit already, and those behind it wait on.

#include <algorithm>
#include <deque>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-12",
                                    .upstream = "gh-111693",
                                    .title = "Semaphore: a cancelled waiter offers its permit to the head of the queue only",
                                    .invariant = Invariant::no_stranded_waiter,
                                    .pattern = Pattern::baton_dropped,
                                    .finding = FindingKind::stuck});

enum class OnCancel { wakes_head, wakes_as_many_as_it_can };

template <OnCancel on_cancel>
class HandmadeSemaphore {
public:
    void acquire() {
        if (value_ > 0) {
            --value_;
            return;
        }
        const auto granted = get_running_loop().create_future<void>();
        waiters_.push_back(granted);
        try {
            await(granted);
        } catch (const CancelledError&) {
            std::erase(waiters_, granted);
            if (!granted.cancelled()) {
                ++value_;
                pass_on();
            }
            throw;
        }
        std::erase(waiters_, granted);
    }
    void release() {
        ++value_;
        grant_next();
    }

private:
    void pass_on() {
        if (on_cancel == OnCancel::wakes_head) {
            if (!waiters_.empty() && !waiters_.front().done()) {
                grant(waiters_.front());
            }
            return;
        }
        while (value_ > 0 && grant_next()) {
        }
    }
    bool grant_next() {
        const auto next = std::find_if(waiters_.begin(), waiters_.end(), [](const auto& waiter) { return !waiter.done(); });
        if (next == waiters_.end()) {
            return false;
        }
        grant(*next);
        return true;
    }
    void grant(const Future<void>& waiter) {
        --value_;
        waiter.set_result();
    }

    int value_ = 0;
    std::deque<Future<void>> waiters_;
};

/// Two permits, for two who need both at once and one who gives his back.
template <class S>
void share() {
    S semaphore;
    Barrier meeting(2);
    const auto releaser = create_task(
        [&] {
            semaphore.release();
            semaphore.release();
        },
        {.name = "releaser"});
    const auto borrower = create_task([&] { const Held held(semaphore); }, {.name = "borrower"});
    const auto meet = [&] {
        const Held held(semaphore);
        meeting.wait();
    };
    const auto first = create_task(meet, {.name = "partner"});
    const auto second = create_task(meet, {.name = "partner"});
    sleep(0s);
    sleep(0s);
    borrower.cancel();
    join(releaser, borrower, first, second);
}

}  // namespace

MISHAP_SCENARIO("CPY-12/buggy") { share<HandmadeSemaphore<OnCancel::wakes_head>>(); }
MISHAP_SCENARIO("CPY-12/fixed") { share<HandmadeSemaphore<OnCancel::wakes_as_many_as_it_can>>(); }
