#include <mishap/loop/detail/ready_set.hpp>

#include <algorithm>
#include <stdexcept>

namespace mishap::detail {

namespace {

constexpr std::uint32_t slots_min = 64;  // one word, no tree
constexpr std::uint32_t slots_doubled_from =
    1u << 18;  // below, growing by eight keeps the tree as full as its depth allows

std::uint32_t slots_for(std::uint32_t entries) {
    std::uint64_t slots = slots_min;
    while (slots / 2 < std::uint64_t{entries}) slots *= slots < slots_doubled_from ? 8 : 2;
    if (slots > ReadyEntry::nowhere) throw std::length_error("more ready entries than a loop can number");
    return static_cast<std::uint32_t>(slots);
}

}  // namespace

ReadyEntry& ReadySet::take_from_tree(std::uint32_t rank) {
    std::uint32_t slot = 0;
    if (rank == 0) {
        slot = find_oldest_in_tree();
        count<false>(slot / 64);
    } else {
        // Counting on the way down, not afterwards: the processor can then begin the next descent before this one ends.
        slot = descend(rank, [this](std::uint32_t node, std::uint32_t child) { nodes_[node].subtract_one(child); });
        --block_counts_[slot / 64 / block_words];
    }
    ReadyEntry& entry = *slots_[slot];
    --selectable_;
    vacate(words_[slot / 64], slot);
    return entry;
}

void ReadySet::make_room() {
    choose_shape(size_);
    move_together();
}

void ReadySet::choose_shape(std::uint32_t entries) {
    const std::uint32_t slots = slots_for(entries);
    const std::uint32_t words = slots / 64;
    if (slots > slots_.size()) slots_.resize(slots);
    if (words > words_.size()) words_.resize(words);

    std::uint32_t levels = 0;
    std::uint32_t nodes = 0;
    for (std::uint32_t children = words; children > 1 && levels < levels_max; ++levels) {
        children /= 8;  // words are a power of eight, or whole blocks of which every level divides evenly
        level_begin_[levels] = nodes;
        nodes += children;
    }
    const std::uint32_t blocks = words / block_words + 1;
    if (nodes > nodes_.size()) nodes_.resize(nodes);
    if (blocks > block_counts_.size()) block_counts_.resize(blocks);
    std::fill_n(nodes_.begin(), nodes, RankNode{});
    std::fill_n(block_counts_.begin(), blocks, 0);
    levels_ = levels;
    capacity_ = slots;
}

/// Moves every entry down to the first slots, in order, and counts anew.
void ReadySet::move_together() {
    const std::uint32_t words = (tail_ + 63) / 64;
    std::uint32_t to = 0;
    for (std::uint32_t word = 0; word < words; ++word) {
        const Word from = words_[word];
        words_[word] = {};  // `to` never overtakes the slot read, so what is written below is not lost
        for (std::uint64_t bits = from.occupied; bits != 0; bits &= bits - 1) {
            const auto bit = static_cast<std::uint32_t>(std::countr_zero(bits));
            slots_[to] = slots_[word * 64 + bit];
            slots_[to]->ready_slot = to;
            words_[to / 64].occupied |= std::uint64_t{1} << (to % 64);
            words_[to / 64].selectable |= (from.selectable >> bit & 1) << (to % 64);
            ++to;
        }
    }
    tail_ = to;
    batch_end_ = batch_left_;  // what is left of it is the oldest, so it lies at the bottom now
    first_word_ = 0;
    if (levels_ == 0) return;
    for (std::uint32_t slot = 0; slot < tail_; ++slot) {
        if ((words_[slot / 64].selectable >> (slot % 64) & 1) != 0) count<true>(slot / 64);
    }
}

void ReadySet::clear() {
    std::fill_n(words_.begin(), (tail_ + 63) / 64, Word{});
    tail_ = 0;
    batch_end_ = batch_left_ = 0;
    size_ = 0;
    selectable_ = 0;
    first_word_ = 0;
    if (!slots_.empty()) choose_shape(0);
}

}  // namespace mishap::detail
