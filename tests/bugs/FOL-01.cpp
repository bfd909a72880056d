// folly::fibers::BatchSemaphore, commit db6d0a105 (2021).
//
// Waiters want different numbers of permits. A signal of several wakes the head of the queue only, although
// what is left would do for those behind it.

#include <deque>

#include "invariants.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "FOL-01",
                                    .upstream = "folly db6d0a105",
                                    .title = "BatchSemaphore: a signal of several permits wakes one waiter",
                                    .invariant = Invariant::no_stranded_waiter,
                                    .pattern = Pattern::baton_dropped,
                                    .finding = FindingKind::stuck});

enum class Signal { serves_head, serves_all_it_can };

template <Signal signal_serves>
class BatchSemaphore {
public:
    void wait(int wanted) {
        if (waiters_.empty() && tokens_ >= wanted) {
            tokens_ -= wanted;
            return;
        }
        const auto served = get_running_loop().create_future<void>();
        waiters_.push_back({wanted, served});
        await(served);
    }
    void signal(int tokens) {
        tokens_ += tokens;
        while (!waiters_.empty() && waiters_.front().wanted <= tokens_) {
            tokens_ -= waiters_.front().wanted;
            waiters_.front().served.set_result();
            waiters_.pop_front();
            if (signal_serves == Signal::serves_head) {
                return;
            }
        }
    }

private:
    struct Waiter {
        int wanted;
        Future<void> served;
    };
    int tokens_ = 0;
    std::deque<Waiter> waiters_;
};

/// A batch of three is ready for three readers.
template <class S>
void share_batch() {
    S semaphore;
    const auto writer = create_task([&] { semaphore.signal(3); }, {.name = "writer"});
    const auto read = [&] { semaphore.wait(1); };
    join(writer, create_task(read, {.name = "reader"}), create_task(read, {.name = "reader"}),
         create_task(read, {.name = "reader"}));
}

}  // namespace

MISHAP_SCENARIO("FOL-01/buggy") { share_batch<BatchSemaphore<Signal::serves_head>>(); }
MISHAP_SCENARIO("FOL-01/fixed") { share_batch<BatchSemaphore<Signal::serves_all_it_can>>(); }
