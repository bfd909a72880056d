#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <mishap/loop/detail/timer_heap.hpp>

namespace mishap::detail {

/// Holds timers with what is to be handed over when they are due; a `Payload` is default constructible and
/// movable.
///
/// Times are nanoseconds from zero on and do not go back: a timer armed for a time before the last one handed
/// over is due at the time of that one. Timers leave by deadline, equal deadlines in the order of arming.
/// Once warm, nothing is allocated.
template <class Payload>
class TimerQueue {
public:
    /// Arms a timer. Pointers from `find` become invalid.
    TimerId arm(std::int64_t when, Payload payload) {
        const TimerId id = heap_.arm(when);
        if (id.slot >= payloads_.size()) payloads_.resize(id.slot + 1);
        payloads_[id.slot] = std::move(payload);
        return id;
    }

    /// Disarms a timer and destroys its payload; false if it is not armed (any more).
    bool cancel(TimerId id) {
        if (!heap_.cancel(id)) return false;
        // Destroyed last, because its destructor may come back here.
        [[maybe_unused]] const Payload dropped = std::exchange(payloads_[id.slot], Payload{});
        return true;
    }

    bool armed(TimerId id) const { return heap_.is_armed(id); }
    /// Returns the payload of an armed timer, nullptr if it is not armed. Valid until the next change.
    Payload* find(TimerId id) { return heap_.is_armed(id) ? &payloads_[id.slot] : nullptr; }
    bool empty() const { return heap_.empty(); }
    /// Counts the armed timers.
    std::size_t size() const { return heap_.size(); }
    /// Returns the earliest deadline. The queue is not empty.
    std::int64_t earliest() { return heap_.earliest(); }

    /// Hands over every timer with a deadline not after `limit`: disarms it and calls `f(when,
    /// std::move(payload))`. `f` may arm and cancel timers; one it arms for a time not after `limit` is
    /// handed over by the same call.
    template <class F>
    void pop_until(std::int64_t limit, F&& f) {
        TimerEntry entry{};
        while (heap_.pop(limit, entry)) f(entry.when, std::exchange(payloads_[entry.id.slot], Payload{}));
    }

    /// Calls `f(when)` for the distinct deadlines from the earliest to `slack` after it, in order, at most
    /// `count_max` of them. Nothing is removed. `f` does not change the queue.
    template <class F>
    void distinct_deadlines(std::int64_t slack, std::uint32_t count_max, F&& f) {
        for (const std::int64_t when : heap_.distinct_deadlines(slack, count_max)) f(when);
    }

    /// Destroys all payloads and starts again at time zero. Keeps the memory; ids from before stay invalid.
    void clear() {
        const std::uint32_t slots = heap_.slots_used();
        heap_.clear();
        for (std::uint32_t slot = 0; slot < slots; ++slot) payloads_[slot] = Payload{};
    }

private:
    TimerHeap heap_;
    std::vector<Payload> payloads_;  // by slot
};

}  // namespace mishap::detail
