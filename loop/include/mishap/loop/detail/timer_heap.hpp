#pragma once

// Which deadline is next, among many, when time never goes back.
//
// Idea: a radix heap. An anchor not later than any entry is kept; bucket b holds the entries whose highest
// bit that differs from the anchor is bit b - 1, bucket 0 those equal to it. All of a bucket are earlier than
// all of the next. To get at the earliest, the lowest bucket that is not empty is spread: its earliest
// deadline becomes the anchor and every entry falls into a lower bucket. So an entry moves at most 63 times,
// in practice a few, always sequentially through memory. Source: R. Ahuja, K. Mehlhorn, J. Orlin, R. Tarjan,
// "Faster Algorithms for the Shortest Path Problem" (1990), section 2.
//
// Differences to the source: entries are cancelled by making their slot's generation differ, and dropped when
// met, or all at once when they are many. Looking at the earliest deadline may have to move the anchor ahead
// of the time that has been reached (when the cached earliest of a bucket was cancelled); timers armed before
// the anchor after that go to a small binary heap of their own. In a simulation it stays empty; it bounds the
// cost in the real world.
//
// Invariants:
// 1. floor_ <= anchor_ <= every entry in a bucket; every entry in early_ < anchor_.
// 2. equal deadlines are in one bucket in the order of arming, or all in early_ and numbered: so they leave
// in that order.
// 3. a bucket's `earliest` is not later than any of its live entries.
// 4. an entry is live exactly if its generation is its slot's.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <mishap/loop/detail/timer_entries.hpp>

namespace mishap::detail {

/// Orders timers by deadline, then by the order of arming. Knows nothing of what they are for; see
/// TimerQueue.
class TimerHeap {
public:
    TimerId arm(std::int64_t when);
    bool cancel(TimerId id);
    bool is_armed(TimerId id) const {
        return id.slot < generations_.size() && generations_[id.slot] == id.generation && id.generation != 0;
    }
    bool empty() const { return live_ == 0; }
    std::size_t size() const { return live_; }
    /// Returns the earliest deadline of a heap that is not empty.
    std::int64_t earliest();
    /// Removes the next timer if its deadline is not after `limit`; false if there is none such.
    bool pop(std::int64_t limit, TimerEntry& popped);
    /// Finds the distinct deadlines from the earliest to `slack` after it, in order, at most `count_max` of
    /// them.
    const std::vector<std::int64_t>& distinct_deadlines(std::int64_t slack, std::uint32_t count_max);
    /// Disarms all and starts again at time zero. Keeps the memory; ids from before stay invalid.
    void clear();
    /// Returns a bound for the slots of all timers armed since the last `clear`.
    std::uint32_t slots_used() const { return slots_used_; }

private:
    struct Bucket {
        TimerEntries entries;
        TimerEntry earliest;
    };
    struct EarlyEntry {
        TimerEntry entry;
        std::uint64_t number;
    };

    bool is_live(const TimerEntry& entry) const { return generations_[entry.id.slot] == entry.id.generation; }
    TimerId take_slot();
    void release_slot(std::uint32_t slot);
    void push(const TimerEntry& entry);
    void push_early(const TimerEntry& entry);
    void pop_early();
    bool pop_from_early(std::int64_t limit, TimerEntry& popped);
    std::uint32_t lowest_bucket() const { return static_cast<std::uint32_t>(std::countr_zero(filled_)); }
    void spread(std::uint32_t bucket);
    void drop_stale(Bucket& bucket);
    void purge();
    void collect(const TimerEntry& entry, std::int64_t limit, std::uint32_t count_max);

    std::array<Bucket, 64> buckets_{};
    std::uint64_t filled_ = 0;  // bit b: bucket b has entries, live or stale
    std::int64_t anchor_ = 0;
    std::int64_t floor_ = 0;         // the deadline of the last timer that was popped
    std::vector<EarlyEntry> early_;  // a binary heap
    std::uint64_t early_count_ = 0;
    TimerChunkPool pool_;

    std::vector<std::uint32_t> generations_;
    std::vector<std::uint32_t> free_slots_;
    std::uint32_t slots_used_ = 0;
    std::size_t live_ = 0;
    std::size_t stale_ = 0;
    std::vector<std::int64_t> found_;
};

inline TimerId TimerHeap::take_slot() {
    if (!free_slots_.empty()) {
        const std::uint32_t slot = free_slots_.back();
        free_slots_.pop_back();
        return {slot, generations_[slot]};
    }
    const std::uint32_t slot = slots_used_++;
    if (slot == generations_.size()) generations_.push_back(1);
    return {slot, generations_[slot]};
}

inline void TimerHeap::release_slot(std::uint32_t slot) {
    if (++generations_[slot] == 0) generations_[slot] = 1;  // zero is in no valid id
    free_slots_.push_back(slot);
    --live_;
}

inline void TimerHeap::push(const TimerEntry& entry) {
    const auto difference = static_cast<std::uint64_t>(entry.when ^ anchor_);
    const auto index = static_cast<std::uint32_t>(std::bit_width(difference));
    Bucket& bucket = buckets_[index];
    if (bucket.entries.empty() || entry.when < bucket.earliest.when) bucket.earliest = entry;
    bucket.entries.push(entry, pool_);
    filled_ |= std::uint64_t{1} << index;
}

inline TimerId TimerHeap::arm(std::int64_t when) {
    const TimerEntry entry{when < floor_ ? floor_ : when, take_slot()};
    ++live_;
    if (entry.when < anchor_) [[unlikely]]
        push_early(entry);
    else
        push(entry);
    return entry.id;
}

inline bool TimerHeap::cancel(TimerId id) {
    if (!is_armed(id)) return false;
    release_slot(id.slot);
    ++stale_;
    if (stale_ > live_ && stale_ + live_ > 100) purge();
    return true;
}

inline bool TimerHeap::pop(std::int64_t limit, TimerEntry& popped) {
    for (;;) {
        if (!early_.empty()) [[unlikely]] {
            if (pop_from_early(limit, popped)) return true;
            if (!early_.empty()) return false;
        }
        if (filled_ == 0) return false;
        const std::uint32_t lowest = lowest_bucket();
        if (buckets_[lowest].earliest.when > limit) return false;
        if (lowest != 0) spread(lowest);
        Bucket& due = buckets_[0];
        popped = due.entries.pop_front(pool_);
        if (due.entries.empty()) filled_ &= ~std::uint64_t{1};
        if (is_live(popped)) break;
        --stale_;
    }
    floor_ = popped.when;
    release_slot(popped.id.slot);
    return true;
}

}  // namespace mishap::detail
