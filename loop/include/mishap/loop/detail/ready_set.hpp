#pragma once

// The ready entries of a loop, in the order in which they became ready, and the n-th of them at once.
//
// Problem: the calm schedule takes the oldest entry, every other schedule takes the n-th oldest. A ring gives
// the first cheaply, a tree the second; a search needs both in a few nanoseconds, for two entries as for ten
// thousand.
//
// Idea: slots in the order of arrival, never moved by a removal, and one bit a slot that says "can be
// picked". The n-th set bit is found by skipping words: a tree stores for each of a node's eight children how
// many set bits lie in the children before it. The eight numbers are lanes of two 64-bit words, so that one
// addition of a constant updates them and one subtraction compares all with the rank (rank_node.hpp). Three
// levels make a block of 2^15 slots, as much as a lane can count; blocks are skipped one by one. Up to 32
// entries there is one word and no tree. When the slots are used up, the survivors are moved together and the
// number of slots is chosen anew, at least twice the number of entries: so the cost of moving, spread over
// the pushes in between, is constant.
//
// Invariants:
// 1. slots grow in the order of arrival; entry.ready_slot is the entry's slot as long as it is in the set.
// 2. a selectable slot is occupied; tree and block counts are of exactly the selectable ones; one word needs
// neither.
// 3. no selectable slot lies in a word before first_word_.
// 4. the oldest entry is selectable. This one is the owner's duty, checked where an entry is picked in debug
// builds.

#include <array>
#include <bit>
#include <cassert>
#include <cstdint>
#include <vector>

#include <mishap/loop/detail/rank_node.hpp>
#include <mishap/loop/detail/select_bit.hpp>

namespace mishap::detail {

/// Knows its place in a ReadySet; to be embedded in whatever can become ready.
struct ReadyEntry {
    static constexpr std::uint32_t nowhere = ~std::uint32_t{0};
    std::uint32_t ready_slot = nowhere;
};

class ReadySet {
public:
    static constexpr std::uint32_t nowhere = ReadyEntry::nowhere;

    /// Appends an entry that is in no set. One that is not selectable keeps its place but cannot be picked
    /// yet.
    void push(ReadyEntry& entry, bool selectable = true);
    /// Allows an entry of the set to be picked, at the place it has always had.
    void make_selectable(ReadyEntry& entry);
    /// Finds the entry with `rank` older selectable ones before it; 0 is the oldest. `rank` is below
    /// `selectable()`.
    ReadyEntry& at(std::uint32_t rank) const { return *slots_[find(rank)]; }
    /// Removes what `at(rank)` finds.
    ReadyEntry& take(std::uint32_t rank);
    /// Removes an entry of the set, selectable or not.
    void remove(ReadyEntry& entry);

    /// Tells whether the entry is in this set; also right for entries that were in it when it was cleared.
    bool contains(const ReadyEntry& entry) const {
        return entry.ready_slot < tail_ && is_occupied(entry.ready_slot) &&
               slots_[entry.ready_slot] == &entry;
    }
    std::uint32_t size() const { return size_; }
    std::uint32_t selectable() const { return selectable_; }
    bool empty() const { return size_ == 0; }
    /// Forgets all entries and keeps the memory. Does not touch the entries: they may be gone already.
    void clear();

    /// Calls `f(entry)` for every selectable entry, oldest first. `f` must not change the set.
    template <class F>
    void for_each_selectable(F&& f) const;

    /// Makes a batch of all present entries; later ones do not belong to it.
    void begin_batch() {
        batch_end_ = tail_;
        batch_left_ = size_;
    }
    /// As `begin_batch` if nothing is left of the batch, else nothing; without a branch, because with random picks
    /// nobody can guess which it is.
    void begin_batch_if_over() {
        const std::uint32_t all_if_over = 0U - static_cast<std::uint32_t>(batch_left_ == 0);
        batch_end_ ^= (batch_end_ ^ tail_) & all_if_over;
        batch_left_ |= size_ & all_if_over;
    }
    /// Forgets the batch, not its entries.
    void end_batch() { batch_end_ = batch_left_ = 0; }
    /// Returns how many entries of the batch are still in the set.
    std::uint32_t batch_left() const { return batch_left_; }

private:
    static constexpr std::uint32_t levels_max = 3;
    static constexpr std::uint32_t block_words = 512;  // 8^levels_max

    struct Word {
        std::uint64_t occupied;
        std::uint64_t selectable;
    };

    bool is_occupied(std::uint32_t slot) const {
        return (words_[slot / 64].occupied >> (slot % 64) & 1) != 0;
    }
    std::uint32_t find(std::uint32_t rank) const;
    std::uint32_t find_in_word(std::uint32_t rank) const;
    std::uint32_t find_oldest_in_tree() const;
    template <class OnNode>
    std::uint32_t descend(std::uint32_t rank, OnNode&& on_node) const;
    ReadyEntry& take_from_tree(std::uint32_t rank);
    void vacate(Word& word, std::uint32_t slot);
    template <bool up>
    void count(std::uint32_t word);
    void make_room();
    void choose_shape(std::uint32_t entries);
    void move_together();

    std::vector<ReadyEntry*> slots_;
    std::vector<Word> words_;
    std::vector<RankNode> nodes_;
    std::vector<std::uint32_t> block_counts_;
    std::array<std::uint32_t, levels_max> level_begin_{};  // in nodes_; level 0 is the one above the words
    std::uint32_t levels_ = 0;
    std::uint32_t tail_ = 0;      // the next slot to be used
    std::uint32_t capacity_ = 0;  // slots in use by the present shape, at most slots_.size()
    std::uint32_t size_ = 0;
    std::uint32_t selectable_ = 0;
    mutable std::uint32_t first_word_ = 0;  // a lower bound that moves on as the oldest is looked for
    // The batch is what lies below batch_end_: slots are in the order of arrival.
    std::uint32_t batch_end_ = 0;
    std::uint32_t batch_left_ = 0;
};

inline void ReadySet::push(ReadyEntry& entry, bool selectable) {
    assert(!contains(entry));
    if (tail_ == capacity_) [[unlikely]] make_room();
    const std::uint32_t slot = tail_++;
    entry.ready_slot = slot;
    slots_[slot] = &entry;
    ++size_;
    Word& word = words_[levels_ == 0 ? 0 : slot / 64];
    const std::uint64_t bit = std::uint64_t{1} << (slot % 64);
    word.occupied |= bit;
    if (!selectable) return;
    word.selectable |= bit;
    ++selectable_;
    if (levels_ != 0) count<true>(slot / 64);
}

inline void ReadySet::make_selectable(ReadyEntry& entry) {
    assert(contains(entry));
    const std::uint32_t slot = entry.ready_slot;
    Word& word = words_[slot / 64];
    const std::uint64_t bit = std::uint64_t{1} << (slot % 64);
    if ((word.selectable & bit) != 0) return;
    word.selectable |= bit;
    ++selectable_;
    if (slot / 64 < first_word_) first_word_ = slot / 64;
    if (levels_ != 0) count<true>(slot / 64);
}

inline ReadyEntry& ReadySet::take(std::uint32_t rank) {
    assert(rank < selectable_);
    if (levels_ != 0) return take_from_tree(rank);
    const std::uint32_t slot = find_in_word(rank);
    ReadyEntry& entry = *slots_[slot];
    --selectable_;
    vacate(words_[0], slot);
    return entry;
}

inline std::uint32_t ReadySet::find(std::uint32_t rank) const {
    assert(rank < selectable_);
    if (levels_ == 0) return find_in_word(rank);
    return rank == 0 ? find_oldest_in_tree() : descend(rank, [](std::uint32_t, std::uint32_t) {});
}

inline std::uint32_t ReadySet::find_in_word(std::uint32_t rank) const {
    const std::uint64_t bits = words_[0].selectable;
    assert(std::countr_zero(words_[0].occupied) == std::countr_zero(bits));
    if (selectable_ == 1) return static_cast<std::uint32_t>(__builtin_ctzll(bits));
    return rank < 4 ? select_low_bit(bits, rank) : select_bit(bits, rank);
}

inline std::uint32_t ReadySet::find_oldest_in_tree() const {
    while (words_[first_word_].selectable == 0) ++first_word_;
    return first_word_ * 64 + static_cast<std::uint32_t>(std::countr_zero(words_[first_word_].selectable));
}

/// Finds the slot of the entry with this rank; calls `on_node(node, child)` for every node on the way.
template <class OnNode>
std::uint32_t ReadySet::descend(std::uint32_t rank, OnNode&& on_node) const {
    std::uint32_t word = 0;  // first a block, then a node of each level, at last a word
    for (; rank >= block_counts_[word]; ++word) rank -= block_counts_[word];
    for (std::uint32_t level = levels_; level-- > 0;) {
        const std::uint32_t index = level_begin_[level] + word;
        const std::uint32_t child = nodes_[index].find(rank);
        rank -= nodes_[index].before(child);
        on_node(index, child);
        word = word * 8 + child;
    }
    return word * 64 + select_bit(words_[word].selectable, rank);
}

/// Empties a slot that the counts no longer include.
inline void ReadySet::vacate(Word& word, std::uint32_t slot) {
    const std::uint64_t bit = std::uint64_t{1} << (slot % 64);
    assert((word.occupied & bit) != 0);
    word.occupied &= ~bit;
    word.selectable &= ~bit;
    slots_[slot]->ready_slot = nowhere;
    --size_;
    batch_left_ -= static_cast<std::uint32_t>(slot < batch_end_);
}

inline void ReadySet::remove(ReadyEntry& entry) {
    assert(contains(entry));
    const std::uint32_t slot = entry.ready_slot;
    Word& word = words_[slot / 64];
    if ((word.selectable >> (slot % 64) & 1) != 0) {
        --selectable_;
        if (levels_ != 0) count<false>(slot / 64);
    }
    vacate(word, slot);
}

template <bool up>
void ReadySet::count(std::uint32_t word) {
    if (up)
        ++block_counts_[word / block_words];
    else
        --block_counts_[word / block_words];
    for (std::uint32_t level = 0; level < levels_; ++level) {
        RankNode& node = nodes_[level_begin_[level] + word / 8];
        if (up)
            node.add_one(word % 8);
        else
            node.subtract_one(word % 8);
        word /= 8;
    }
}

template <class F>
void ReadySet::for_each_selectable(F&& f) const {
    const std::uint32_t words = (tail_ + 63) / 64;
    for (std::uint32_t word = 0; word < words; ++word) {
        for (std::uint64_t bits = words_[word].selectable; bits != 0; bits &= bits - 1) {
            f(*slots_[word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits))]);
        }
    }
}

}  // namespace mishap::detail
