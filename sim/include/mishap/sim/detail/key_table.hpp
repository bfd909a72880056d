#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <mishap/sim/hash.hpp>

namespace mishap::detail {

/// Finds values by 64-bit keys. Clearing costs nothing, so that a table can be used anew in every run.
///
/// Open addressing with linear probing, at most half full. A slot is in use when it bears the table's
/// generation, which is why every key is allowed, 0 too. Slots move when the table grows: a reference is good
/// until the next new key. There is no iteration, since its order would be that of a hash.
template <class T>
class KeyTable {
public:
    KeyTable() : slots_(slots_min) {}

    /// Returns the value of `key`, made by default if it is new.
    T& operator[](std::uint64_t key) {
        Slot* slot = &find_slot(key);
        if (slot->generation != generation_) {
            if ((size_ + 1) * 2 > slots_.size()) {
                grow();
                slot = &find_slot(key);
            }
            ++size_;
            slot->key = key;
            slot->generation = generation_;
            slot->value = T();
        }
        return slot->value;
    }

    /// Returns the value of `key`, or null.
    T* find(std::uint64_t key) {
        Slot& slot = find_slot(key);
        return slot.generation == generation_ ? &slot.value : nullptr;
    }

    std::size_t size() const { return size_; }

    /// Forgets everything and keeps the memory.
    void clear() {
        ++generation_;
        size_ = 0;
    }

private:
    static constexpr std::size_t slots_min = 16;

    struct Slot {
        std::uint64_t key = 0;
        std::uint64_t generation = 0;
        T value{};
    };

    /// Returns the slot that holds `key`, or the one where it would go.
    Slot& find_slot(std::uint64_t key) {
        std::size_t place = scramble(key) & (slots_.size() - 1);
        while (slots_[place].generation == generation_ && slots_[place].key != key) {
            place = (place + 1) & (slots_.size() - 1);
        }
        return slots_[place];
    }

    void grow() {
        std::vector<Slot> old(slots_.size() * 2);
        old.swap(slots_);
        for (Slot& slot : old) {
            if (slot.generation == generation_) {
                find_slot(slot.key) = std::move(slot);
            }
        }
    }

    std::vector<Slot> slots_;
    std::uint64_t generation_ = 1;
    std::size_t size_ = 0;
};

}  // namespace mishap::detail
