// Trio's CapacityLimiter, trio issue 548.
//
// Who waits for a token stands in a table of pending borrowers. A cancelled wait leaves its entry there; the table
// grows, and the limiter believes that the borrower still waits.

#include <deque>
#include <map>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "TRIO-03",
                                    .upstream = "trio #548",
                                    .title = "CapacityLimiter: a cancelled borrower stays in the table",
                                    .invariant = Invariant::clean,
                                    .pattern = Pattern::late_unregistration});

enum class OnCancel { forgets_entry, removes_entry };

template <OnCancel on_cancel>
class CapacityLimiter {
public:
    explicit CapacityLimiter(int tokens) : tokens_(tokens) {}

    void acquire(int borrower) {
        while (tokens_ == 0) {
            const auto woken = get_running_loop().create_future<void>();
            pending_[borrower] = woken;
            try {
                await(woken);
            } catch (const CancelledError&) {
                if (on_cancel == OnCancel::removes_entry) {
                    pending_.erase(borrower);
                }
                if (tokens_ > 0) {
                    wake_next();
                }
                throw;
            }
        }
        --tokens_;
    }

    void release() {
        ++tokens_;
        wake_next();
    }

    std::size_t pending() const { return pending_.size(); }

private:
    void wake_next() {
        for (auto entry = pending_.begin(); entry != pending_.end(); ++entry) {
            if (!entry->second.done()) {
                entry->second.set_result();
                pending_.erase(entry);
                return;
            }
        }
    }

    int tokens_;
    std::map<int, Future<void>> pending_;
};

template <class L>
void borrow() {
    L limiter(1);
    const auto first = create_task(
        [&] {
            limiter.acquire(1);
            sleep(900ms);
            limiter.release();
        },
        {.name = "borrower"});
    const auto second = create_task(
        [&] {
            try {
                timeout(1s, [&] { limiter.acquire(2); });
                limiter.release();
            } catch (const TimeoutError&) {
                claim(limiter.pending() == 0, Invariant::clean);
            }
        },
        {.name = "borrower"});
    join(first, second);
    claim(limiter.pending() == 0, Invariant::clean);
}

}  // namespace

MISHAP_SCENARIO("TRIO-03/buggy", .timer_slack = 200ms) { borrow<CapacityLimiter<OnCancel::forgets_entry>>(); }
MISHAP_SCENARIO("TRIO-03/fixed", .timer_slack = 200ms) { borrow<CapacityLimiter<OnCancel::removes_entry>>(); }
