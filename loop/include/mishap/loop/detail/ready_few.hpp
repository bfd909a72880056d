#pragma once

#include <array>
#include <cstdint>

#include <mishap/loop/detail/ready_entry.hpp>

namespace mishap::detail {

/// Up to 16 entries in the order of arrival, and the n-th of them at once: what a ReadySet is while it is small.
///
/// The order is a permutation of the sixteen slots, four bits each in one word, the oldest entry's lowest; behind those
/// of the entries come the free ones. To take an entry out of the middle of the order costs two shifts and a mask, no
/// branch, and moves nothing. How many entries there are, the owner knows.
class ReadyFew {
public:
    static constexpr std::uint32_t entries_max = 16;

    /// Appends an entry to `count` others.
    void push(ReadyEntry& entry, std::uint32_t count) {
        const std::uint32_t slot = slot_at(count);
        entry.ready_slot = slot;
        entries_[slot] = &entry;
    }
    /// Returns the entry with `rank` older ones before it.
    ReadyEntry& at(std::uint32_t rank) const { return *entries_[slot_at(rank)]; }
    /// Removes what `at(rank)` returns.
    ReadyEntry& take(std::uint32_t rank) {
        const std::uint32_t slot = slot_at(rank);
        const std::uint64_t older = (std::uint64_t{1} << (rank * 4)) - 1;
        order_ = (order_ & older) | (order_ >> 4 & ~older) | std::uint64_t{slot} << 60;
        ReadyEntry& entry = *entries_[slot];
        entry.ready_slot = ReadyEntry::nowhere;
        return entry;
    }
    /// Returns the rank of an entry among `count`, or `count` when it is not there.
    std::uint32_t rank_of(const ReadyEntry& entry, std::uint32_t count) const {
        std::uint32_t rank = 0;
        while (rank < count && &at(rank) != &entry) ++rank;
        return rank;
    }

private:
    std::uint32_t slot_at(std::uint32_t rank) const {
        return static_cast<std::uint32_t>(order_ >> (rank * 4)) & 15;
    }

    std::uint64_t order_ = 0xfedc'ba98'7654'3210;
    std::array<ReadyEntry*, entries_max> entries_{};
};

}  // namespace mishap::detail
