#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mishap::detail {

/// Gives keys dense numbers, in the order in which they first come, and keeps them for the whole search.
///
/// An open-addressed table whose iteration order nobody can see.
class KeyIndex {
public:
    static constexpr std::uint32_t none = 0xffff'ffffU;

    /// Returns the number of `key`, a new one if it never came before.
    std::uint32_t number_of(std::uint64_t key) {
        if (!slots_.empty()) {
            for (std::size_t slot = start(key);; slot = (slot + 1) & mask_) {
                const Slot& entry = slots_[slot];
                if (entry.number == none) {
                    break;
                }
                if (entry.key == key) {
                    return entry.number;
                }
            }
        }
        return add(key);
    }
    /// Returns the number of `key`, or `none`.
    std::uint32_t find(std::uint64_t key) const;
    std::uint64_t key_of(std::uint32_t number) const { return keys_[number]; }
    std::uint32_t size() const { return static_cast<std::uint32_t>(keys_.size()); }
    void clear();

private:
    struct Slot {
        std::uint64_t key = 0;
        std::uint32_t number = none;
    };

    std::size_t start(std::uint64_t key) const { return (key * 0x9e37'79b9'7f4a'7c15U) >> shift_; }
    std::uint32_t add(std::uint64_t key);
    void place(std::uint64_t key, std::uint32_t number);

    std::vector<Slot> slots_;  // at most half full
    std::size_t mask_ = 0;
    unsigned shift_ = 0;
    std::vector<std::uint64_t> keys_;
};

}  // namespace mishap::detail
