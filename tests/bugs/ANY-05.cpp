// AnyIO's CapacityLimiter, anyio issue 947.
//
// A release gives the token to the next borrower, which has it from then on. A borrower that is cancelled before it
// resumes has a token that it does not know of, and does not give it back.

#include <deque>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "ANY-05",
                                    .upstream = "anyio #947",
                                    .title = "CapacityLimiter: a cancelled borrower keeps the token it was granted",
                                    .invariant = Invariant::permits,
                                    .pattern = Pattern::baton_dropped,
                                    .finding = FindingKind::check});

enum class OnCancel { keeps_token, gives_token_back };

template <OnCancel on_cancel>
class CapacityLimiter {
public:
    explicit CapacityLimiter(int tokens) : free_(tokens) {}

    void acquire() {
        if (free_ > 0) {
            --free_;
            return;
        }
        const auto granted = get_running_loop().create_future<void>();
        borrowers_.push_back(granted);
        try {
            await(granted);
        } catch (const CancelledError&) {
            if (on_cancel == OnCancel::gives_token_back && !granted.cancelled()) {
                release();
            }
            throw;
        }
    }

    void release() {
        while (!borrowers_.empty()) {
            const Future<void> borrower = borrowers_.front();
            borrowers_.pop_front();
            if (!borrower.done()) {
                borrower.set_result();
                return;
            }
        }
        ++free_;
    }

    int free() const { return free_; }

private:
    int free_;
    std::deque<Future<void>> borrowers_;
};

template <class L>
void borrow() {
    L limiter(1);
    Permits tokens(1);
    const auto work = [&] {
        const Held held(limiter);
        tokens.take();
        sleep(0s);
        tokens.give_back();
    };
    join(create_task(work, {.name = "worker"}), create_task(work, {.name = "worker"}),
         create_task(work, {.name = "worker"}));
    tokens.check(limiter.free());
}

}  // namespace

MISHAP_SCENARIO("ANY-05/buggy", .cancellations = 1) { borrow<CapacityLimiter<OnCancel::keeps_token>>(); }
MISHAP_SCENARIO("ANY-05/fixed", .cancellations = 1) { borrow<CapacityLimiter<OnCancel::gives_token_back>>(); }
