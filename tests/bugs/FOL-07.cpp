// folly::ThrottledLifoSem, commit 419999272 (2022).
//
// A waiter waits a little for its baton, and without limit after that. The baton is for one wait: once that
// has timed out, it is used up, and a post that comes then wakes nobody. The repair takes a baton that can be
// waited on again.

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "FOL-07",
                                    .upstream = "folly 419999272",
                                    .title = "ThrottledLifoSem: waits again on a baton that timed out",
                                    .invariant = Invariant::no_stranded_waiter,
                                    .pattern = Pattern::timer_meets_notification,
                                    .finding = FindingKind::stuck});

enum class AfterTimeout { used_up, fresh };

template <AfterTimeout after_timeout>
class Baton {
public:
    void post() {
        is_posted_ = !is_used_up_;
        if (woken_.is_valid() && !woken_.done()) {
            woken_.set_result();
        }
    }
    void wait() {
        while (!is_posted_) {
            woken_ = get_running_loop().create_future<void>();
            await(woken_);
        }
    }
    /// Returns whether it was posted in time.
    bool try_wait_for(std::chrono::nanoseconds delay) {
        try {
            timeout(delay, [&] { wait(); });
        } catch (const TimeoutError&) {
            is_used_up_ = after_timeout == AfterTimeout::used_up;
        }
        return is_posted_;
    }

private:
    bool is_posted_ = false;
    bool is_used_up_ = false;
    Future<void> woken_;
};

/// The other thread's work takes as long as the throttle, or longer.
template <class B>
void acquire_throttled() {
    B baton;
    const auto poster = create_task(
        [&] {
            sleep(1ms);
            baton.post();
        },
        {.name = "poster"});
    const auto waiter = create_task(
        [&] {
            if (!baton.try_wait_for(1ms)) {
                baton.wait();
            }
        },
        {.name = "waiter"});
    join(poster, waiter);
}

}  // namespace

MISHAP_SCENARIO("FOL-07/buggy") { acquire_throttled<Baton<AfterTimeout::used_up>>(); }
MISHAP_SCENARIO("FOL-07/fixed") { acquire_throttled<Baton<AfterTimeout::fresh>>(); }
