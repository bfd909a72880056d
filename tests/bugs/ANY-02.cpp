// AnyIO's Semaphore, anyio issue 252.
//
// A release adds a permit and wakes a waiter, which then takes a permit without waiting. If a newcomer has taken it
// meanwhile, that throws WouldBlock, out of a call that is to wait.

#include <deque>
#include <stdexcept>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "ANY-02",
                                    .upstream = "anyio #252",
                                    .title = "Semaphore: acquire throws WouldBlock",
                                    .invariant = Invariant::no_error,
                                    .pattern = Pattern::barging});

class WouldBlock : public std::runtime_error {
public:
    WouldBlock() : std::runtime_error("would block") {}
};

enum class OnceWoken { takes_a_permit, looks_again };

template <OnceWoken once_woken>
class HandmadeSemaphore {
public:
    explicit HandmadeSemaphore(int value) : value_(value) {}

    void acquire_nowait() {
        if (value_ == 0) {
            throw WouldBlock();
        }
        --value_;
    }

    void acquire() {
        while (value_ == 0) {
            const auto woken = get_running_loop().create_future<void>();
            waiters_.push_back(woken);
            await(woken);
            if (once_woken == OnceWoken::takes_a_permit) {
                break;
            }
        }
        acquire_nowait();
    }

    void release() {
        ++value_;
        if (!waiters_.empty()) {
            waiters_.front().set_result();
            waiters_.pop_front();
        }
    }

private:
    int value_;
    std::deque<Future<void>> waiters_;
};

template <class S>
void share() {
    S semaphore(1);
    const auto work = [&] {
        without_errors([&] {
            semaphore.acquire();
            sleep(0s);
            semaphore.release();
        });
    };
    join(create_task(work, {.name = "worker"}), create_task(work, {.name = "worker"}),
         create_task(work, {.name = "worker"}));
}

}  // namespace

MISHAP_SCENARIO("ANY-02/buggy") { share<HandmadeSemaphore<OnceWoken::takes_a_permit>>(); }
MISHAP_SCENARIO("ANY-02/fixed") { share<HandmadeSemaphore<OnceWoken::looks_again>>(); }
