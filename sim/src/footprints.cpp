#include <mishap/sim/detail/footprints.hpp>

#include <algorithm>

#include <mishap/sim/hash.hpp>

namespace mishap::detail {

namespace {

/// One step's use of an object, from two of its uses: what conflicts with either conflicts with it.
ObjectUse both(const ObjectUse& a, const ObjectUse& b) {
    ObjectUse result = a;
    if (a.access != b.access) {
        result.access = Access::update;
    }
    if (a.commuting_class != b.commuting_class) {
        result.commuting_class = 0;
        result.access = Access::update;  // a class commutes with itself only: together they conflict with everything
    }
    return result;
}

std::uint64_t word_of(const ObjectUse& use) {
    return (std::uint64_t{use.object} << 16U) | (std::uint64_t{use.commuting_class} << 8U) |
           static_cast<std::uint64_t>(use.access);
}

}  // namespace

Footprints::Footprints() = default;

std::uint32_t Footprints::intern(const Parts& parts) {
    scratch_.clear();
    std::uint64_t budget = 0;
    for (const Touch& touch : parts.touches) {
        if (touch.relation != Relation::synchronisation) {
            add_use(touch.object, touch.access, touch.commuting_class);
            budget += touch.is_budget ? scramble(touch.object) : 0;
        }
    }
    const std::uint32_t footprint = intern_scratch(parts.disabled, parts.is_barrier);
    entries_[footprint].budget = budget;  // a budget is one to everybody
    return footprint;
}

std::uint32_t Footprints::intern(std::span<const Operation> operations, bool is_reading) {
    scratch_.clear();
    for (const Operation& operation : operations) {
        const bool becomes_read = is_reading && operation.access == Access::update;
        add_use(operation.object, becomes_read ? Access::read : operation.access, 0);
    }
    return intern_scratch({}, false);
}

void Footprints::add_use(std::uint64_t key, Access access, std::uint8_t commuting_class) {
    const ObjectUse use{objects_.number_of(key), access, commuting_class};
    auto place = scratch_.end();
    while (place != scratch_.begin() && (place - 1)->object >= use.object) {
        --place;
    }
    if (place != scratch_.end() && place->object == use.object) {
        *place = both(*place, use);
    } else {
        scratch_.insert(place, use);
    }
}

std::uint32_t Footprints::intern_scratch(std::span<const std::uint32_t> entities, bool is_barrier) {
    std::uint64_t hash = is_barrier ? 1 : 0;
    for (const ObjectUse& use : scratch_) {
        hash = mix(hash, word_of(use));
    }
    for (const std::uint32_t entity : entities) {
        hash = mix(hash, ~std::uint64_t{entity});
    }
    for (;; ++hash) {  // two contents of one hash get neighbouring ones
        const std::uint32_t number = by_content_.number_of(hash);
        if (number == entries_.size()) {
            Entry entry;
            entry.first_use = static_cast<std::uint32_t>(uses_.size());
            entry.uses = static_cast<std::uint32_t>(scratch_.size());
            entry.first_entity = static_cast<std::uint32_t>(entities_.size());
            entry.entities = static_cast<std::uint32_t>(entities.size());
            entry.is_barrier = is_barrier;
            entry.is_plain = scratch_.size() == 1 && entities.empty() && !is_barrier;
            entry.only = entry.is_plain ? scratch_.front() : ObjectUse{};
            uses_.insert(uses_.end(), scratch_.begin(), scratch_.end());
            entities_.insert(entities_.end(), entities.begin(), entities.end());
            entries_.push_back(entry);
            return number;
        }
        if (is_scratch(entries_[number], entities, is_barrier)) {
            return number;
        }
    }
}

bool Footprints::is_scratch(const Entry& entry, std::span<const std::uint32_t> entities, bool is_barrier) const {
    return entry.is_barrier == is_barrier &&
           std::equal(scratch_.begin(), scratch_.end(), uses_.begin() + entry.first_use,
                      uses_.begin() + entry.first_use + entry.uses) &&
           std::equal(entities.begin(), entities.end(), entities_.begin() + entry.first_entity,
                      entities_.begin() + entry.first_entity + entry.entities);
}

bool Footprints::affects(const Entry& entry, std::uint32_t entity) const {
    for (std::uint32_t i = 0; i < entry.entities; ++i) {
        if (entities_[entry.first_entity + i] == entity) {
            return true;
        }
    }
    return false;
}

bool Footprints::are_dependent_slowly(const Entry& a, std::uint32_t entity_a, const Entry& b,
                                      std::uint32_t entity_b) const {
    if (a.is_barrier || b.is_barrier || affects(a, entity_b) || affects(b, entity_a)) {
        return true;
    }
    std::uint32_t i = a.first_use;
    std::uint32_t j = b.first_use;
    while (i < a.first_use + a.uses && j < b.first_use + b.uses) {
        const ObjectUse& one = uses_[i];
        const ObjectUse& other = uses_[j];
        if (one.object == other.object && do_conflict(one, other)) {
            return true;
        }
        i += one.object <= other.object ? 1U : 0U;
        j += other.object <= one.object ? 1U : 0U;
    }
    return false;
}

}  // namespace mishap::detail
