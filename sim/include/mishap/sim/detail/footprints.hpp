#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <mishap/sim/detail/key_index.hpp>
#include <mishap/sim/entity.hpp>

namespace mishap::detail {

/// One object of a footprint, by its dense number.
struct ObjectUse {
    std::uint32_t object = 0;
    Access access = Access::read;
    std::uint8_t commuting_class = 0;

    friend bool operator==(const ObjectUse&, const ObjectUse&) = default;
};

/// Returns whether two uses of one object depend on each other.
inline bool do_conflict(const ObjectUse& a, const ObjectUse& b) {
    return (a.access != Access::read || b.access != Access::read) &&
           (a.commuting_class == 0 || a.commuting_class != b.commuting_class);
}

/// Footprints of steps, each distinct one kept once and named by a small number.
///
/// Besides objects a footprint names the entities that the step disabled: their next steps depend on it even if they
/// share no object with it. (A step that created or enabled an entity need not be told apart here: without it the entity
/// could not go.) Equal numbers mean equal footprints, for the whole search.
class Footprints {
public:
    /// Stands for a footprint that nobody knows: it depends on everything.
    static constexpr std::uint32_t unknown = 0xffff'ffffU;

    /// What a step is made of, as a strategy is told.
    struct Parts {
        std::span<const Touch> touches;
        std::span<const std::uint32_t> disabled;  // entities
        bool is_barrier = false;                  // depends on every step: the clock
    };

    Footprints();

    std::uint32_t intern(const Parts& parts);
    /// As `intern`, of what an entity has announced. `is_reading` takes every update for a read, as a compare-exchange
    /// that fails turns out to be.
    std::uint32_t intern(std::span<const Operation> operations, bool is_reading);

    std::span<const ObjectUse> uses(std::uint32_t footprint) const {
        const Entry& entry = entries_[footprint];
        return {uses_.data() + entry.first_use, entry.uses};
    }
    bool is_barrier(std::uint32_t footprint) const { return entries_[footprint].is_barrier; }
    /// Returns 0, or, if a step with it uses up what others might have used (it is an injected mishap), a hash of the budget.
    std::uint64_t budget(std::uint32_t footprint) const { return entries_[footprint].budget; }
    std::uint32_t object(std::uint64_t key) { return objects_.number_of(key); }
    std::uint64_t object_key(std::uint32_t object) const { return objects_.key_of(object); }
    std::uint32_t objects() const { return objects_.size(); }

    /// Returns whether steps of two different entities depend on each other.
    bool are_dependent(std::uint32_t a, std::uint32_t entity_a, std::uint32_t b, std::uint32_t entity_b) const {
        if (a == unknown || b == unknown) [[unlikely]] {
            return true;
        }
        const Entry& one = entries_[a];
        const Entry& other = entries_[b];
        if (one.is_plain && other.is_plain) [[likely]] {
            return one.only.object == other.only.object && do_conflict(one.only, other.only);
        }
        return are_dependent_slowly(one, entity_a, other, entity_b);
    }

private:
    struct Entry {
        std::uint32_t first_use = 0;
        std::uint32_t uses = 0;
        std::uint32_t first_entity = 0;
        std::uint32_t entities = 0;
        ObjectUse only;         // the one use of a plain footprint
        bool is_plain = false;  // one object, nothing else
        bool is_barrier = false;
        std::uint64_t budget = 0;
    };

    void add_use(std::uint64_t key, Access access, std::uint8_t commuting_class);
    std::uint32_t intern_scratch(std::span<const std::uint32_t> entities, bool is_barrier);
    bool is_scratch(const Entry& entry, std::span<const std::uint32_t> entities, bool is_barrier) const;
    bool are_dependent_slowly(const Entry& a, std::uint32_t entity_a, const Entry& b, std::uint32_t entity_b) const;
    bool affects(const Entry& entry, std::uint32_t entity) const;

    KeyIndex objects_;
    KeyIndex by_content_;                 // hash of the content, made unique by probing, to the footprint
    std::vector<Entry> entries_;
    std::vector<ObjectUse> uses_;
    std::vector<std::uint32_t> entities_;
    std::vector<ObjectUse> scratch_;      // sorted by object
};

}  // namespace mishap::detail
