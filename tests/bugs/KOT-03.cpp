// Kotlin's SharedFlow, Kotlin/kotlinx.coroutines #2356 and #2359 (and #4583).
//
// Emitters that find no room wait in the flow's buffer, each in a slot. A cancelled one leaves an empty slot behind if
// others came after it. When the last subscriber leaves, all emitters go on, and the index at which the next subscriber
// begins moves by as many as went on: it stays behind the head of the buffer by the empty slots.

#include <deque>
#include <memory>
#include <optional>

#include "invariants.hpp"
#include "waiters.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "KOT-03",
                                    .upstream = "kotlinx.coroutines #2356, #2359",
                                    .title = "SharedFlow: a cancelled emitter and the last subscriber's leaving move an index apart",
                                    .invariant = Invariant::consistent,
                                    .pattern = Pattern::records_drift});

enum class Leaving { counts_emitters, counts_slots };

template <Leaving leaving>
class SharedFlow {
public:
    /// Hands `value` to a subscriber, and waits for that; nobody gets it if there is none.
    void emit(int value) {
        if (subscribers_ == 0) {
            return;
        }
        const auto slot = std::make_shared<Slot>(Slot{value, get_running_loop().create_future<void>()});
        slots_.push_back(slot);
        arrived_.wake_one();
        try {
            await(slot->taken);
        } catch (const CancelledError&) {
            slot->value.reset();
            while (!slots_.empty() && !slots_.back()->value.has_value()) {
                slots_.pop_back();
            }
            throw;
        }
    }

    void subscribe() { ++subscribers_; }
    int next() {
        for (;;) {
            while (slots_.empty()) {
                arrived_.wait();
            }
            const std::shared_ptr<Slot> slot = slots_.front();
            slots_.pop_front();
            ++head_;
            ++replay_;
            if (!slot->taken.done()) {
                slot->taken.set_result();
                return *slot->value;
            }
        }
    }
    void unsubscribe() {
        if (--subscribers_ > 0) {
            return;
        }
        for (const std::shared_ptr<Slot>& slot : slots_) {
            const bool is_waiting = !slot->taken.done();
            if (is_waiting) {
                slot->taken.set_result();
            }
            replay_ += is_waiting || leaving == Leaving::counts_slots ? 1 : 0;
        }
        head_ += static_cast<int>(slots_.size());
        slots_.clear();
        claim(replay_ == head_, Invariant::consistent);
    }

private:
    struct Slot {
        std::optional<int> value;  // none: its emitter was cancelled
        Future<void> taken;
    };
    int subscribers_ = 0;
    int head_ = 0;    // index of the first slot
    int replay_ = 0;  // index at which a new subscriber begins
    std::deque<std::shared_ptr<Slot>> slots_;
    Waiters arrived_;
};

template <class F>
void emit_and_leave() {
    F flow;
    const auto subscriber = create_task(
        [&] {
            flow.subscribe();
            flow.next();
            flow.unsubscribe();
        },
        {.name = "subscriber"});
    const auto emit = [&] { flow.emit(1); };
    const auto first = create_task(emit, {.name = "emitter"});
    const auto second = create_task(emit, {.name = "emitter"});
    const auto third = create_task(emit, {.name = "emitter"});
    for (int i = 0; i < 4; ++i) {
        sleep(0s);
    }
    second.cancel();
    join(first, second, third);
    subscriber.cancel();  // it may have come too late for all of them
    join(subscriber);
}

}  // namespace

MISHAP_SCENARIO("KOT-03/buggy") { emit_and_leave<SharedFlow<Leaving::counts_emitters>>(); }
MISHAP_SCENARIO("KOT-03/fixed") { emit_and_leave<SharedFlow<Leaving::counts_slots>>(); }
