#pragma once

// A condition variable as users write it, without what is wrong in one way or another: how it takes its lock back.

#include <algorithm>
#include <deque>
#include <exception>

#include <mishap/mishap.hpp>

namespace bugs {

/// The waiters of a condition whose lock its users hold when they call it.
class ConditionWaiters {
public:
    /// Waits for `notify`. Whether a wake-up that came with a cancellation is passed on is the caller's business.
    void wait() {
        const auto woken = mishap::get_running_loop().create_future<void>();
        waiters_.push_back(woken);
        try {
            mishap::await(woken);
        } catch (const mishap::CancelledError&) {
            std::erase(waiters_, woken);
            throw;
        }
        std::erase(waiters_, woken);
    }

    void notify(int count = 1) {
        for (const mishap::Future<void>& waiter : waiters_) {
            if (count > 0 && !waiter.done()) {
                waiter.set_result();
                --count;
            }
        }
    }

private:
    std::deque<mishap::Future<void>> waiters_;
};

/// Takes `lock`, however often that is cancelled, then throws the last cancellation, if there was one.
template <class L>
void acquire_stubbornly(L& lock) {
    std::exception_ptr cancellation;
    for (;;) {
        try {
            lock.acquire();
            break;
        } catch (const mishap::CancelledError&) {
            cancellation = std::current_exception();
        }
    }
    if (cancellation != nullptr) {
        std::rethrow_exception(cancellation);
    }
}

}  // namespace bugs
