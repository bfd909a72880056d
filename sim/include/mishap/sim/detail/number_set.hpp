#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mishap::detail {

/// A set of small numbers that is walked in ascending order at the cost of what is in it, not of how large they are.
///
/// A bit a number, and a bit for every 64 of them that says whether any is set: finding the next number looks at one word for
/// each 4096 numbers in between.
class NumberSet {
public:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    void insert(std::size_t number) {
        if (number / bits >= words_.size()) {
            words_.resize(number / bits + 1);
            summaries_.resize(number / (bits * bits) + 1);
        }
        words_[number / bits] |= bit(number);
        summaries_[number / (bits * bits)] |= bit(number / bits);
    }
    void erase(std::size_t number) {
        if (number / bits >= words_.size()) return;
        std::uint64_t& word = words_[number / bits];
        word &= ~bit(number);
        if (word == 0) summaries_[number / (bits * bits)] &= ~bit(number / bits);
    }
    bool contains(std::size_t number) const {
        return number / bits < words_.size() && (words_[number / bits] & bit(number)) != 0;
    }
    /// Returns the smallest number that is at least `number`, or `none`.
    std::size_t next(std::size_t number) const {
        std::size_t word = number / bits;
        if (word >= words_.size()) return none;
        if (const std::uint64_t rest = words_[word] & from(number)) return word * bits + lowest(rest);
        ++word;
        std::uint64_t mask = from(word);
        for (std::size_t summary = word / bits; summary < summaries_.size(); ++summary, mask = ~std::uint64_t{0}) {
            if (const std::uint64_t rest = summaries_[summary] & mask) {
                word = summary * bits + lowest(rest);
                return word * bits + lowest(words_[word]);
            }
        }
        return none;
    }
    /// Forgets all numbers, keeps the memory.
    void clear() {
        words_.clear();
        summaries_.clear();
    }

private:
    static constexpr std::size_t bits = 64;
    static std::uint64_t bit(std::size_t index) { return std::uint64_t{1} << (index % bits); }
    /// The bits from that of `index` upwards.
    static std::uint64_t from(std::size_t index) { return ~std::uint64_t{0} << (index % bits); }
    static std::size_t lowest(std::uint64_t word) { return static_cast<std::size_t>(__builtin_ctzll(word)); }

    std::vector<std::uint64_t> words_;
    std::vector<std::uint64_t> summaries_;  // a bit a word: it is not zero
};

}  // namespace mishap::detail
