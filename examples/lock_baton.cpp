// A lock whose waiter was woken and is cancelled before it resumes. asyncio.Lock got this wrong twice: first the wake-up
// was dropped (bpo-27585), then it was given to one waiter too many (bpo-32734).

#include <algorithm>
#include <deque>

#include <mishap/mishap.hpp>

using namespace mishap;
using namespace std::chrono_literals;

namespace {

/// What a cancelled waiter does with a wake-up that it may have received.
enum class OnCancel {
    forget,         // bpo-27585: nothing; if the wake-up was for it, nobody has it any more
    wake_somebody,  // bpo-32734: wakes the first that is not woken yet, although one that is may be on its way
    wake_head,      // wakes the head of the queue, unless it is woken already
};

/// A lock as users write it: a flag, and a queue of futures.
class HandmadeLock {
public:
    explicit HandmadeLock(OnCancel on_cancel) : on_cancel_(on_cancel) {}

    void acquire() {
        if (!is_locked_ && waiters_.empty()) {
            is_locked_ = true;
            return;
        }
        const auto woken = get_running_loop().create_future<void>();
        waiters_.push_back(woken);
        try {
            await(woken);
        } catch (const CancelledError&) {
            std::erase(waiters_, woken);
            if (!is_locked_) {
                pass_on();
            }
            throw;
        }
        std::erase(waiters_, woken);
        is_locked_ = true;
    }

    void release() {
        is_locked_ = false;
        wake_head();
    }

private:
    void wake_head() {
        if (!waiters_.empty() && !waiters_.front().done()) {
            waiters_.front().set_result();
        }
    }

    void pass_on() {
        switch (on_cancel_) {
            case OnCancel::forget:
                break;
            case OnCancel::wake_somebody: {
                const auto next = std::find_if(waiters_.begin(), waiters_.end(),
                                               [](const Future<void>& waiter) { return !waiter.done(); });
                if (next != waiters_.end()) {
                    next->set_result();
                }
                break;
            }
            case OnCancel::wake_head:
                wake_head();
                break;
        }
    }

    OnCancel on_cancel_;
    bool is_locked_ = false;
    std::deque<Future<void>> waiters_;
};

/// Two tasks queue for a lock that is released once. Whichever is woken first may be cancelled: the other must go on.
void queue_up(OnCancel on_cancel) {
    HandmadeLock lock(on_cancel);
    const auto work = [&] {
        lock.acquire();
        lock.release();
    };
    lock.acquire();
    const auto first = create_task(work, {.name = "waiter"});
    const auto second = create_task(work, {.name = "waiter"});
    sleep(0s);
    lock.release();
    gather(return_exceptions, first, second);
}

/// Whoever releases the lock cancels, in the same step, the second in the queue: still only one may enter at a time.
void cancel_second(OnCancel on_cancel) {
    HandmadeLock lock(on_cancel);
    int inside = 0;
    const auto work = [&] {
        lock.acquire();
        always(++inside == 1, "one task at a time holds the lock");
        sleep(0s);
        --inside;
        lock.release();
    };
    lock.acquire();
    const auto first = create_task(work, {.name = "waiter"});
    const auto second = create_task(work, {.name = "waiter"});
    const auto third = create_task(work, {.name = "waiter"});
    sleep(0s);
    lock.release();
    second.cancel();
    gather(return_exceptions, first, second, third);
}

}  // namespace

MISHAP_SCENARIO("lock_baton/dropped", .cancellations = 1, .runs_max = 10'000) { queue_up(OnCancel::forget); }

MISHAP_SCENARIO("lock_baton/passed_on", .cancellations = 1, .strategy = Strategy::exhaustive, .runs_max = 1'000'000) {
    queue_up(OnCancel::wake_head);
}

MISHAP_SCENARIO("lock_baton/doubled", .runs_max = 10'000) { cancel_second(OnCancel::wake_somebody); }

MISHAP_SCENARIO("lock_baton/single", .strategy = Strategy::exhaustive, .runs_max = 1'000'000) {
    cancel_second(OnCancel::wake_head);
}
