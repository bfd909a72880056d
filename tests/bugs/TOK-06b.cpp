// tokio's broadcast channel, tokio-rs/tokio #2135, its other half.
//
// Senders that wait for different slots wait on one condition. Whoever has read a slot wakes one of them,
// which may be one that waits for another slot: it goes back to sleep, and the right one is never told.

#include <array>

#include "invariants.hpp"
#include "threads.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "TOK-06b",
                                    .upstream = "tokio #2135",
                                    .title = "broadcast: a reader wakes a sender that waits for another slot",
                                    .invariant = Invariant::no_stranded_waiter,
                                    .pattern = Pattern::baton_dropped,
                                    .finding = FindingKind::stuck});

enum class Wakes { one, all };

template <Wakes wakes>
class Slots {
public:
    void wait_until_read(std::size_t slot) {
        const std::lock_guard<Mutex> lock(mutex_);
        read_.wait(mutex_, [&] { return is_read_[slot]; });
    }
    void read(std::size_t slot) {
        const std::lock_guard<Mutex> lock(mutex_);
        is_read_[slot] = true;
        if (wakes == Wakes::one) {
            read_.notify_one();
        } else {
            read_.notify_all();
        }
    }

private:
    Mutex mutex_;
    CondVar read_;
    std::array<bool, 2> is_read_{};
};

template <class S>
void broadcast() {
    S slots;
    together({{"sender", [&] { slots.wait_until_read(0); }},
              {"sender", [&] { slots.wait_until_read(1); }},
              {"receiver", [&] {
                   slots.read(0);
                   slots.read(1);
               }}});
}

}  // namespace

MISHAP_SCENARIO("TOK-06b/buggy") { broadcast<Slots<Wakes::one>>(); }
MISHAP_SCENARIO("TOK-06b/fixed") { broadcast<Slots<Wakes::all>>(); }
