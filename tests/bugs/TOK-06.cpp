// tokio's broadcast channel, tokio-rs/tokio #2135.
//
// A sender waits until all receivers have read the slot that it wants to write. The last reader wakes it
// without taking the mutex: between the sender's look at the counter and its sleep nobody is there to be
// woken.

#include "invariants.hpp"
#include "threads.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "TOK-06",
     .upstream = "tokio #2135",
     .title = "broadcast: the last reader's signal comes before the sender sleeps",
     .invariant = Invariant::no_stranded_waiter,
     .pattern = Pattern::check_then_suspend,
     .finding = FindingKind::stuck});

enum class Signal { without_mutex, with_mutex };

template <Signal signal>
class Slot {
public:
    explicit Slot(int readers) : unread_(readers, "unread") {}

    void wait_until_read() {
        const std::lock_guard<Mutex> lock(mutex_);
        read_.wait(mutex_, [&] { return unread_.fetch_add(0) == 0; });
    }
    void read() {
        if (unread_.fetch_add(-1) > 1) {
            return;
        }
        std::unique_lock<Mutex> lock(mutex_, std::defer_lock);
        if (signal == Signal::with_mutex) {
            lock.lock();
        }
        read_.notify_one();
    }

private:
    Shared<int> unread_;
    Mutex mutex_;
    CondVar read_;
};

template <class S>
void broadcast() {
    S slot(2);
    together({{"sender", [&] { slot.wait_until_read(); }},
              {"receiver", [&] { slot.read(); }},
              {"receiver", [&] { slot.read(); }}});
}

}  // namespace

MISHAP_SCENARIO("TOK-06/buggy") { broadcast<Slot<Signal::without_mutex>>(); }
MISHAP_SCENARIO("TOK-06/fixed") { broadcast<Slot<Signal::with_mutex>>(); }
