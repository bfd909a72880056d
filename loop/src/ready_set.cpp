#include <mishap/loop/detail/ready_set.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <mishap/loop/detail/select_bit.hpp>

namespace mishap::detail {

namespace {

constexpr std::uint32_t slots_min = 512;  // one level
constexpr std::uint32_t few_again = ReadyFew::entries_max / 2;
constexpr std::uint32_t slots_doubled_from =
    1u << 18;  // below, growing by eight keeps the tree as full as its depth allows
constexpr std::uint32_t last_block_count = 1u << 31;  // above every rank, however often it is counted down

// Asked once. Both ways give the same answer, so it does not matter if a set is used before this is initialised.
const bool deposits = has_fast_deposit();

std::uint32_t select(std::uint64_t word, std::uint32_t rank) {
    return deposits ? select_bit_by_deposit(word, rank) : select_bit(word, rank);
}

std::uint32_t slots_for(std::uint32_t entries) {
    std::uint64_t slots = slots_min;
    while (slots / 2 < std::uint64_t{entries}) slots *= slots < slots_doubled_from ? 8 : 2;
    if (slots > ReadyEntry::nowhere) throw std::length_error("more ready entries than a loop can number");
    return static_cast<std::uint32_t>(slots);
}

/// Where an entry is: its word, and how many others come before it there.
struct Found {
    std::uint32_t word;
    std::uint32_t rank;
};

/// Finds the entry with `rank` before it in the tree below `unit`, a node of the topmost level; `choose(node, rank)` returns
/// the child of a node in which it is.
template <std::uint32_t levels, class Node, class Choose>
[[gnu::always_inline]] inline Found descend(Node* nodes, const std::uint32_t* level_begin, std::uint32_t unit,
                                            std::uint32_t rank, Choose&& choose) {
    for (std::uint32_t level = levels; level-- > 0;) {
        Node& node = nodes[level_begin[level] + unit];
        const std::uint32_t child = choose(node, rank);
        rank -= node.before(child);
        unit = unit * 8 + child;
    }
    return {unit, rank};
}

/// Calls `descend` for the number of levels that there are.
template <class Node, class Choose>
[[gnu::always_inline]] inline Found descend(std::uint32_t levels, Node* nodes, const std::uint32_t* level_begin,
                                            std::uint32_t block, std::uint32_t rank, Choose&& choose) {
    switch (levels) {
        case 1:
            return descend<1>(nodes, level_begin, 0, rank, choose);
        case 2:
            return descend<2>(nodes, level_begin, 0, rank, choose);
        default:
            return descend<3>(nodes, level_begin, block, rank, choose);
    }
}

}  // namespace

std::uint32_t ReadySet::find(std::uint32_t rank) const {
    std::uint32_t block = 0;
    for (; rank >= block_counts_[block]; ++block) rank -= block_counts_[block];
    const Found found =
        descend(levels_, nodes_.data(), level_begin_.data(), block, rank,
                [](const RankNode& node, std::uint32_t left) { return node.find(left); });
    return found.word * 64 + select(words_[found.word], found.rank);
}

ReadyEntry& ReadySet::take_from_tree(std::uint32_t rank) {
    std::uint32_t block = 0;
    if (levels_ == levels_max) [[unlikely]] {  // with fewer levels there is one block, and nobody asks for its count
        for (; rank >= block_counts_[block]; ++block) rank -= block_counts_[block];
        --block_counts_[block];
    }
    // Where is written has to be known as early as can be, or the processor lets the next descent wait for it: hence
    // nodes are counted down on the way, and the bit is cleared in the word found, not by the number of the slot.
    const Found found = descend(levels_, nodes_.data(), level_begin_.data(), block, rank,
                                [](RankNode& node, std::uint32_t left) { return node.take(left); });
    std::uint64_t& word = words_[found.word];
    const std::uint32_t bit = select(word, found.rank);
    word &= ~(std::uint64_t{1} << bit);
    // Two lines of the stack on which the task is suspended, say: they come while those of the entry do, not after them.
    const auto* const soon = static_cast<const char*>(slots_[found.word * 64 + bit].soon);
    __builtin_prefetch(soon);
    __builtin_prefetch(soon + 64);
    return vacate(found.word * 64 + bit);
}

void ReadySet::count_one_more(std::uint32_t slot) {
    ++block_counts_[slot / block_slots];
    std::uint32_t unit = slot / 64;
    for (std::uint32_t level = 0; level < levels_; ++level, unit /= 8) node(level, unit).add_one(unit % 8);
}

void ReadySet::count_one_less(std::uint32_t slot) {
    --block_counts_[slot / block_slots];
    std::uint32_t unit = slot / 64;
    for (std::uint32_t level = 0; level < levels_; ++level, unit /= 8) node(level, unit).subtract_one(unit % 8);
}

void ReadySet::push_with_room(ReadyEntry& entry, bool selectable, const void* soon) {
    if (are_few_) {
        few_to_tree();
    } else if (held_ == 0 && selectable_ <= few_again) {
        tree_to_few();
        push(entry, selectable, soon);
        return;
    } else if (tail_ == capacity_) {
        move_together();
    }
    if (tail_ == open_end_) open_word();
    append(entry, selectable, soon);
}

/// Opens the word that begins at the tail in all nodes above it: what came before is counted from here on.
void ReadySet::open_word() {
    const std::uint32_t block = tail_ / block_slots;
    std::uint32_t before = 0;
    for (std::uint32_t i = 0; i + 1 < block; ++i) before += block_counts_[i];
    if (block != 0) {
        if (tail_ % block_slots == 0) block_counts_[block - 1] = selectable_ - before;
        before += block_counts_[block - 1];
    }
    const std::uint32_t word = tail_ / 64;
    for (std::uint32_t level = levels_; level-- > 0;) {
        const std::uint32_t unit = word >> (3 * level);
        const std::uint32_t child = unit % 8;
        if (child != 0 && unit << (3 * level) == word) node(level, unit).open(child, selectable_ - before);
        before += node(level, unit).before(child);
    }
    open_end_ = tail_ + 64;
}

void ReadySet::choose_shape(std::uint32_t entries) {
    const std::uint32_t slots = slots_for(entries);
    const std::uint32_t words = slots / 64;
    if (slots > slots_.size()) slots_.resize(slots);
    if (words > words_.size()) {
        words_.resize(words);
        held_words_.resize(words);
    }
    std::uint32_t levels = 0;
    std::uint32_t nodes = 0;
    for (std::uint32_t children = slots / 64; children > 1 && levels < levels_max; ++levels) {
        children /= 8;  // words are a power of eight, or whole blocks of which every level divides evenly
        level_begin_[levels] = nodes;
        nodes += children;
    }
    const std::uint32_t blocks = slots / block_slots + 1;
    if (nodes > nodes_.size()) nodes_.resize(nodes);
    if (blocks > block_counts_.size()) block_counts_.resize(blocks);
    std::fill_n(nodes_.begin(), nodes, RankNode{});
    std::fill_n(block_counts_.begin(), blocks, last_block_count);
    levels_ = levels;
    capacity_ = slots;
    tail_ = open_end_ = 0;
    selectable_ = held_ = 0;
    are_few_ = false;
}

void ReadySet::few_to_tree() {
    const std::uint32_t entries = selectable_;
    choose_shape(ReadyFew::entries_max + 1);
    for (std::uint32_t rank = 0; rank < entries; ++rank) {
        if (tail_ == open_end_) open_word();
        append(few_.at(rank), true, nullptr);
    }
    batch_end_ = batch_left_;  // what is left of the batch is the oldest, so it lies at the bottom now
}

/// Empties the tree, and calls `f(slot, is_selectable)` for each entry, oldest first. `f` may append to the tree.
template <class F>
void ReadySet::take_all_from_tree(F&& f) {
    const std::uint32_t words = (tail_ + 63) / 64;
    const std::uint32_t entries = size();
    choose_shape(entries);
    for (std::uint32_t word = 0; word < words; ++word) {
        const std::uint64_t held = std::exchange(held_words_[word], 0);  // what is appended never overtakes what is read
        for (std::uint64_t bits = std::exchange(words_[word], 0) | held; bits != 0; bits &= bits - 1) {
            const auto bit = static_cast<std::uint32_t>(std::countr_zero(bits));
            f(slots_[word * 64 + bit], (held >> bit & 1) == 0);
        }
    }
}

void ReadySet::tree_to_few() {
    std::uint32_t entries = 0;
    take_all_from_tree([&](Slot slot, bool) { few_.push(*slot.entry, entries++); });
    selectable_ = entries;
    are_few_ = true;
}

/// Moves every entry down to the first slots of a shape that fits, in order, and counts anew.
void ReadySet::move_together() {
    take_all_from_tree([this](Slot slot, bool selectable) {
        if (tail_ == open_end_) open_word();
        append(*slot.entry, selectable, slot.soon);
    });
    batch_end_ = batch_left_;
}

void ReadySet::remove(ReadyEntry& entry) {
    assert(contains(entry));
    const std::uint32_t slot = entry.ready_slot;
    if (are_few_) {
        take(few_.rank_of(entry, selectable_));
    } else if ((words_[slot / 64] & bit_of(slot)) != 0) {
        count_one_less(slot);
        words_[slot / 64] &= ~bit_of(slot);
        vacate(slot);
    } else {
        held_words_[slot / 64] ^= bit_of(slot);
        entry.ready_slot = nowhere;
        --held_;
        batch_left_ -= static_cast<std::uint32_t>(slot < batch_end_);
    }
}

/// Returns whether the owner has done its duty.
bool ReadySet::has_selectable_oldest() const {
    std::uint32_t word = 0;
    while (words_[word] == 0 && held_words_[word] == 0) ++word;
    return std::countr_zero(words_[word]) < std::countr_zero(held_words_[word]);
}

void ReadySet::clear() {
    const std::uint32_t words = (tail_ + 63) / 64;
    std::fill_n(words_.begin(), words, 0);
    std::fill_n(held_words_.begin(), words, 0);
    tail_ = 0;
    batch_end_ = batch_left_ = 0;
    selectable_ = held_ = 0;
    are_few_ = true;
}

}  // namespace mishap::detail
