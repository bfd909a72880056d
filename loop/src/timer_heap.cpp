#include <mishap/loop/detail/timer_heap.hpp>

#include <algorithm>
#include <limits>

namespace mishap::detail {

namespace {

/// Orders a binary heap so that the earliest deadline, and of equal ones the first armed, is on top.
constexpr auto leaves_later = [](const auto& a, const auto& b) {
    return a.entry.when != b.entry.when ? a.entry.when > b.entry.when : a.number > b.number;
};

}  // namespace

void TimerChunkPool::grow() {
    slabs_.push_back(std::make_unique<TimerChunk[]>(next_slab_chunks_));
    for (std::size_t i = next_slab_chunks_; i-- > 0;) give_back(&slabs_.back()[i]);
    next_slab_chunks_ = std::min<std::size_t>(next_slab_chunks_ * 2, 4096);
}

void TimerHeap::push_early(const TimerEntry& entry) {
    early_.push_back({entry, early_count_++});
    std::push_heap(early_.begin(), early_.end(), leaves_later);
}

void TimerHeap::pop_early() {
    std::pop_heap(early_.begin(), early_.end(), leaves_later);
    early_.pop_back();
}

/// Drops cancelled entries from the top, then pops the top if it is due.
bool TimerHeap::pop_from_early(std::int64_t limit, TimerEntry& popped) {
    for (; !early_.empty(); --stale_) {
        popped = early_.front().entry;
        const bool live = is_live(popped);
        if (live && popped.when > limit) return false;
        pop_early();
        if (!live) continue;
        floor_ = popped.when;
        release_slot(popped.id.slot);
        return true;
    }
    return false;
}

/// Makes the earliest deadline of the lowest bucket the anchor, so that its entries fall into lower buckets.
void TimerHeap::spread(std::uint32_t bucket) {
    TimerEntries entries = buckets_[bucket].entries;
    buckets_[bucket].entries = {};
    filled_ &= ~(std::uint64_t{1} << bucket);
    anchor_ = buckets_[bucket].earliest.when;
    while (!entries.empty()) push(entries.pop_front(pool_));
}

void TimerHeap::drop_stale(Bucket& bucket) {
    TimerEntries entries = bucket.entries;
    bucket.entries = {};
    while (!entries.empty()) {
        const TimerEntry entry = entries.pop_front(pool_);
        if (!is_live(entry)) {
            --stale_;
            continue;
        }
        if (bucket.entries.empty() || entry.when < bucket.earliest.when) bucket.earliest = entry;
        bucket.entries.push(entry, pool_);
    }
    if (bucket.entries.empty()) filled_ &= ~(std::uint64_t{1} << (&bucket - buckets_.data()));
}

void TimerHeap::purge() {
    for (std::uint64_t left = filled_; left != 0; left &= left - 1) {
        drop_stale(buckets_[static_cast<std::size_t>(std::countr_zero(left))]);
    }
    const auto stale_from = std::remove_if(early_.begin(), early_.end(),
                                           [this](const EarlyEntry& early) { return !is_live(early.entry); });
    stale_ -= static_cast<std::size_t>(early_.end() - stale_from);
    early_.erase(stale_from, early_.end());
    std::make_heap(early_.begin(), early_.end(), leaves_later);
}

std::int64_t TimerHeap::earliest() {
    while (!early_.empty() && !is_live(early_.front().entry)) {
        pop_early();
        --stale_;
    }
    if (!early_.empty()) return early_.front().entry.when;
    for (;;) {
        const std::uint32_t lowest = lowest_bucket();
        Bucket& bucket = buckets_[lowest];
        if (is_live(bucket.earliest)) return bucket.earliest.when;
        drop_stale(bucket);
        // Spread what is left: were it only searched, every cancelled earliest would cost a search of the
        // whole bucket.
        if (!bucket.entries.empty() && lowest != 0) spread(lowest);
    }
}

const std::vector<std::int64_t>& TimerHeap::distinct_deadlines(std::int64_t slack, std::uint32_t count_max) {
    found_.clear();
    if (empty() || count_max == 0) return found_;
    const std::int64_t first = earliest();
    found_.push_back(first);
    if (slack <= 0 || count_max == 1) return found_;
    const std::int64_t limit = first + std::min(slack, std::numeric_limits<std::int64_t>::max() - first);
    // Afterwards the deadlines near the first are in small buckets, and the next call need not look at all
    // the others again.
    if (early_.empty() && lowest_bucket() != 0) spread(lowest_bucket());

    for (const EarlyEntry& early : early_) collect(early.entry, limit, count_max);
    for (std::uint64_t left = filled_; left != 0 && found_.size() < count_max; left &= left - 1) {
        const Bucket& bucket = buckets_[static_cast<std::size_t>(std::countr_zero(left))];
        if (bucket.earliest.when > limit) break;
        bucket.entries.for_each([&](const TimerEntry& entry) { collect(entry, limit, count_max); });
    }
    return found_;
}

/// Inserts a live deadline not after the limit among those found, if it is new and belongs to the first
/// `count_max`.
void TimerHeap::collect(const TimerEntry& entry, std::int64_t limit, std::uint32_t count_max) {
    if (entry.when > limit || (found_.size() == count_max && entry.when >= found_.back()) || !is_live(entry))
        return;
    const auto place = std::lower_bound(found_.begin(), found_.end(), entry.when);
    if (place != found_.end() && *place == entry.when) return;
    found_.insert(place, entry.when);
    if (found_.size() > count_max) found_.pop_back();
}

void TimerHeap::clear() {
    for (std::uint64_t left = filled_; left != 0; left &= left - 1) {
        buckets_[static_cast<std::size_t>(std::countr_zero(left))].entries.clear(pool_);
    }
    filled_ = 0;
    early_.clear();
    anchor_ = 0;
    floor_ = 0;
    for (std::uint32_t slot = 0; slot < slots_used_; ++slot) {
        if (++generations_[slot] == 0) generations_[slot] = 1;
    }
    free_slots_.clear();
    slots_used_ = 0;
    live_ = 0;
    stale_ = 0;
}

}  // namespace mishap::detail
