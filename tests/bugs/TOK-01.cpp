// tokio's Notify, tokio-rs/tokio #3652.
//
// `notify_one` without a waiter leaves a permit for the next. A waiter that was woken by `notify_waiters` and
// is dropped before it resumes sets the state back to "empty", as if it were the last one in the line, and
// erases the permit.

#include "invariants.hpp"
#include "waiters.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "TOK-01",
     .upstream = "tokio #3652",
     .title = "Notify: a dropped waiter erases the permit that was left for the next",
     .invariant = Invariant::no_stranded_waiter,
     .pattern = Pattern::double_wake,
     .finding = FindingKind::stuck});

enum class OnDrop { empties_state, leaves_state };

template <OnDrop on_drop>
class Notify {
public:
    void notified() {
        if (has_permit_) {
            has_permit_ = false;
            return;
        }
        try {
            waiters_.wait();
        } catch (const CancelledError&) {
            if (on_drop == OnDrop::empties_state && waiters_.empty()) {
                has_permit_ = false;
            }
            throw;
        }
    }
    void notify_one() { has_permit_ = !waiters_.wake_one(); }
    void notify_waiters() { waiters_.wake_all(); }

private:
    bool has_permit_ = false;
    Waiters waiters_;
};

/// The configuration changes: whoever waits for that is told, and somebody is to load it again.
template <class N>
void reload() {
    N changed;
    const auto listener = create_task([&] { changed.notified(); }, {.name = "listener"});
    sleep(1s);
    changed.notify_waiters();
    changed.notify_one();
    const auto loader = create_task([&] { changed.notified(); }, {.name = "loader"});
    join(listener, loader);
}

}  // namespace

MISHAP_SCENARIO("TOK-01/buggy", .cancellations = 1) { reload<Notify<OnDrop::empties_state>>(); }
MISHAP_SCENARIO("TOK-01/fixed", .cancellations = 1) { reload<Notify<OnDrop::leaves_state>>(); }
