// tokio's Semaphore, tokio-rs/tokio #8021.
//
// The number of permits and the bit that says "closed" share one word. Taking permits out of use writes the
// word without the bit: a closed semaphore is open again, and who comes now waits for permits that nobody
// will release.

#include "invariants.hpp"
#include "waiters.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "TOK-04",
                                    .upstream = "tokio #8021",
                                    .title = "Semaphore: taking permits out of use opens what was closed",
                                    .invariant = Invariant::progress,
                                    .pattern = Pattern::records_drift,
                                    .finding = FindingKind::stuck});

enum class Forget { writes_whole_word, keeps_closed_bit };

template <Forget forget>
class HandmadeSemaphore {
public:
    explicit HandmadeSemaphore(unsigned permits) : word_(permits << 1) {}

    /// Returns false when the semaphore is closed.
    bool acquire() {
        while ((word_ & closed) == 0 && permits() == 0) {
            waiters_.wait();
        }
        if ((word_ & closed) != 0) {
            return false;
        }
        word_ -= 2;
        return true;
    }
    void close() {
        word_ |= closed;
        waiters_.wake_all();
    }
    void forget_permits(unsigned count) {
        const unsigned left = (permits() - std::min(permits(), count)) << 1;
        word_ = forget == Forget::keeps_closed_bit ? left | (word_ & closed) : left;
    }

private:
    static constexpr unsigned closed = 1;
    unsigned permits() const { return word_ >> 1; }

    unsigned word_;
    Waiters waiters_;
};

/// A pool is made smaller while it is shut down.
template <class S>
void shut_down() {
    S semaphore(1);
    const auto tuner = create_task([&] { semaphore.forget_permits(1); }, {.name = "tuner"});
    const auto closer = create_task([&] { semaphore.close(); }, {.name = "closer"});
    const auto late_user = create_task(
        [&] {
            sleep(1s);
            semaphore.acquire();
        },
        {.name = "late user"});
    join(tuner, closer, late_user);
}

}  // namespace

MISHAP_SCENARIO("TOK-04/buggy") { shut_down<HandmadeSemaphore<Forget::writes_whole_word>>(); }
MISHAP_SCENARIO("TOK-04/fixed") { shut_down<HandmadeSemaphore<Forget::keeps_closed_bit>>(); }
