#include <mishap/sim/detail/key_index.hpp>

#include <bit>

namespace mishap::detail {

std::uint32_t KeyIndex::find(std::uint64_t key) const {
    if (slots_.empty()) {
        return none;
    }
    for (std::size_t slot = start(key);; slot = (slot + 1) & mask_) {
        const Slot& entry = slots_[slot];
        if (entry.number == none || entry.key == key) {
            return entry.number;
        }
    }
}

void KeyIndex::clear() {
    slots_.assign(slots_.size(), {});
    keys_.clear();
}

std::uint32_t KeyIndex::add(std::uint64_t key) {
    const auto number = static_cast<std::uint32_t>(keys_.size());
    keys_.push_back(key);
    if (slots_.size() < 2 * keys_.size()) {
        const std::size_t size = slots_.empty() ? 16 : slots_.size() * 2;
        slots_.assign(size, {});
        mask_ = size - 1;
        shift_ = 64 - static_cast<unsigned>(std::countr_zero(size));
        for (std::uint32_t old = 0; old < number; ++old) {
            place(keys_[old], old);
        }
    }
    place(key, number);
    return number;
}

void KeyIndex::place(std::uint64_t key, std::uint32_t number) {
    std::size_t slot = start(key);
    while (slots_[slot].number != none) {
        slot = (slot + 1) & mask_;
    }
    slots_[slot] = {key, number};
}

}  // namespace mishap::detail
