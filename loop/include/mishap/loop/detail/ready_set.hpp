#pragma once

// The ready entries of a loop, in the order in which they became ready, and the n-th of them at once.
//
// Problem: the calm schedule takes the oldest entry, every other schedule takes the n-th oldest. A ring gives
// the first cheaply, a tree the second; a search needs both in a few nanoseconds, for two entries as for ten
// thousand.
//
// Idea: slots in the order of arrival, never moved by a removal, and one bit a slot that says "can be
// picked". The n-th set bit is found by a tree whose nodes store for each of eight children how many set bits
// lie in the children before it (rank_node.hpp); the leaves are words. Three levels make a block of 2^15 slots,
// as much as a node can count; blocks are skipped one by one. What is appended lies in the last open word, which
// no node counts, so that only one push in 64 touches the tree. When the slots are used up, the survivors are
// moved together and the number of slots is chosen anew, at least twice the number of entries: so the cost of
// moving, spread over the pushes in between, is constant. Up to 16 entries, all selectable, need no tree
// (ready_few.hpp); a set that has shrunk to half of that goes back there, but not before 64 pushes.
//
// Invariants:
// 1. slots grow in the order of arrival; entry.ready_slot is the entry's slot as long as it is in the set.
// 2. a slot of the tree is occupied if its bit is set among the selectable or among the held ones, never both;
// node and block counts are of exactly the selectable ones; while the entries are few, all bits are clear.
// 3. words below open_end_ are open in every node above them, later ones in none.
// 4. the oldest entry is selectable. This one is the owner's duty, checked where an entry is picked in debug
// builds.

#include <array>
#include <bit>
#include <cassert>
#include <cstdint>
#include <vector>

#include <mishap/loop/detail/rank_node.hpp>
#include <mishap/loop/detail/ready_entry.hpp>
#include <mishap/loop/detail/ready_few.hpp>

namespace mishap::detail {

class ReadySet {
public:
    static constexpr std::uint32_t nowhere = ReadyEntry::nowhere;

    /// Appends an entry that is in no set. One that is not selectable keeps its place but cannot be picked
    /// yet. `soon` is where memory will be needed when the entry has been taken: a large set fetches it then.
    void push(ReadyEntry& entry, bool selectable = true, const void* soon = nullptr);
    /// Allows an entry of the set to be picked, at the place it has always had.
    void make_selectable(ReadyEntry& entry);
    /// Finds the entry with `rank` older selectable ones before it; 0 is the oldest. `rank` is below
    /// `selectable()`.
    ReadyEntry& at(std::uint32_t rank) const {
        assert(rank < selectable_);
        return are_few_ ? few_.at(rank) : *slots_[find(rank)].entry;
    }
    /// Removes what `at(rank)` finds.
    ReadyEntry& take(std::uint32_t rank);
    /// Removes an entry of the set, selectable or not.
    void remove(ReadyEntry& entry);

    /// Tells whether the entry is in this set; also right for entries that were in it when it was cleared.
    bool contains(const ReadyEntry& entry) const {
        if (are_few_) return few_.rank_of(entry, selectable_) != selectable_;
        return entry.ready_slot < tail_ && is_occupied(entry.ready_slot) && slots_[entry.ready_slot].entry == &entry;
    }
    std::uint32_t size() const { return selectable_ + held_; }
    std::uint32_t selectable() const { return selectable_; }
    bool empty() const { return size() == 0; }
    /// Forgets all entries and keeps the memory. Does not touch the entries: they may be gone already.
    void clear();

    /// Calls `f(entry)` for every selectable entry, oldest first. `f` must not change the set.
    template <class F>
    void for_each_selectable(F&& f) const;

    /// Makes a batch of all present entries; later ones do not belong to it.
    void begin_batch() {
        batch_end_ = tail_;
        batch_left_ = size();
    }
    /// As `begin_batch` if nothing is left of the batch, else nothing; without a branch, because with random picks
    /// nobody can guess which it is.
    void begin_batch_if_over() {
        const std::uint32_t all_if_over = 0U - static_cast<std::uint32_t>(batch_left_ == 0);
        batch_end_ ^= (batch_end_ ^ tail_) & all_if_over;
        batch_left_ |= size() & all_if_over;
    }
    /// Forgets the batch, not its entries.
    void end_batch() { batch_end_ = batch_left_ = 0; }
    /// Returns how many entries of the batch are still in the set.
    std::uint32_t batch_left() const { return batch_left_; }

private:
    static constexpr std::uint32_t levels_max = 3;
    static constexpr std::uint32_t block_slots = RankNode::members_max;  // 64 * 8^levels_max

    struct Slot {
        ReadyEntry* entry;
        const void* soon;
    };

    static std::uint64_t bit_of(std::uint32_t slot) { return std::uint64_t{1} << (slot % 64); }
    bool is_occupied(std::uint32_t slot) const {
        return ((words_[slot / 64] | held_words_[slot / 64]) & bit_of(slot)) != 0;
    }
    bool has_selectable_oldest() const;
    RankNode& node(std::uint32_t level, std::uint32_t unit) { return nodes_[level_begin_[level] + unit / 8]; }
    void append(ReadyEntry& entry, bool selectable, const void* soon);
    [[gnu::noinline]] void push_with_room(ReadyEntry& entry, bool selectable, const void* soon);
    std::uint32_t find(std::uint32_t rank) const;
    ReadyEntry& take_from_tree(std::uint32_t rank);
    ReadyEntry& vacate(std::uint32_t slot);
    void count_one_more(std::uint32_t slot);
    void count_one_less(std::uint32_t slot);
    void open_word();
    void choose_shape(std::uint32_t entries);
    void few_to_tree();
    void tree_to_few();
    void move_together();
    template <class F>
    void take_all_from_tree(F&& f);

    bool are_few_ = true;
    std::uint32_t selectable_ = 0;
    std::uint32_t held_ = 0;
    std::uint32_t tail_ = 0;      // the next slot to be used
    std::uint32_t open_end_ = 0;  // the slots that can be used before the tree must hear of it
    // The batch is what lies below batch_end_, as slots are in the order of arrival; of few, the oldest batch_left_.
    std::uint32_t batch_end_ = 0;
    std::uint32_t batch_left_ = 0;
    std::uint32_t levels_ = 0;
    std::uint32_t capacity_ = 0;  // slots in use by the present shape, at most slots_.size()
    ReadyFew few_;
    std::vector<Slot> slots_;
    std::vector<std::uint64_t> words_;       // a bit a slot: selectable
    std::vector<std::uint64_t> held_words_;  // a bit a slot: occupied, but not selectable
    std::vector<RankNode> nodes_;
    std::vector<std::uint32_t> block_counts_;              // far above every rank: the last block in use
    std::array<std::uint32_t, levels_max> level_begin_{};  // in nodes_; level 0 is the one above the words
};

inline void ReadySet::push(ReadyEntry& entry, bool selectable, const void* soon) {
    assert(!contains(entry));
    if (are_few_ && selectable && selectable_ < ReadyFew::entries_max) [[likely]] {
        few_.push(entry, selectable_);
        ++selectable_;
    } else if (are_few_ || tail_ == open_end_) [[unlikely]] {
        push_with_room(entry, selectable, soon);
    } else {
        append(entry, selectable, soon);
    }
}

/// Appends to the last open word.
inline void ReadySet::append(ReadyEntry& entry, bool selectable, const void* soon) {
    const std::uint32_t slot = tail_++;
    entry.ready_slot = slot;
    slots_[slot] = {&entry, soon};
    if (selectable) [[likely]] {
        words_[slot / 64] |= bit_of(slot);
        ++selectable_;
    } else {
        held_words_[slot / 64] |= bit_of(slot);
        ++held_;
    }
}

inline void ReadySet::make_selectable(ReadyEntry& entry) {
    assert(contains(entry));
    const std::uint32_t slot = entry.ready_slot;
    if (are_few_ || (held_words_[slot / 64] & bit_of(slot)) == 0) return;
    held_words_[slot / 64] ^= bit_of(slot);
    words_[slot / 64] |= bit_of(slot);
    --held_;
    ++selectable_;
    count_one_more(slot);
}

inline ReadyEntry& ReadySet::take(std::uint32_t rank) {
    assert(rank < selectable_);
    assert(are_few_ || held_ == 0 || has_selectable_oldest());
    if (!are_few_) return take_from_tree(rank);
    --selectable_;
    batch_left_ -= static_cast<std::uint32_t>(rank < batch_left_);
    return few_.take(rank);
}

/// Empties a selectable slot whose bit is cleared and that the tree no longer counts.
inline ReadyEntry& ReadySet::vacate(std::uint32_t slot) {
    ReadyEntry& entry = *slots_[slot].entry;
    entry.ready_slot = nowhere;
    --selectable_;
    batch_left_ -= static_cast<std::uint32_t>(slot < batch_end_);
    return entry;
}

template <class F>
void ReadySet::for_each_selectable(F&& f) const {
    if (are_few_) {
        for (std::uint32_t rank = 0; rank < selectable_; ++rank) f(few_.at(rank));
        return;
    }
    const std::uint32_t words = (tail_ + 63) / 64;
    for (std::uint32_t word = 0; word < words; ++word) {
        for (std::uint64_t bits = words_[word]; bits != 0; bits &= bits - 1) {
            f(*slots_[word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits))].entry);
        }
    }
}

}  // namespace mishap::detail
