#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include <mishap/sim/detail/key_table.hpp>

namespace mishap::detail {

/// Estimates how much each entity has still to do in a run, and counts what it will create as its own work.
///
/// Work is whatever the strategy counts: steps, or accesses of one object. The estimate of an entity is the
/// most that it was told to be; it is kept across runs, under the entity's key. An entity that has not been met
/// in the running run is still work of the one that creates it, as are its own children.
///
/// Invariant: an ancestor of an entity met in the running run was met too.
class WorkTree {
public:
    static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

    /// Returns the index of the entity `key`, which `creator` made (0: not known, or nobody). Indices go up
    /// from 0 and stay.
    std::uint32_t find_or_add(std::uint64_t key, std::uint64_t creator);

    /// Begins a run: nobody has been met, nothing has been done.
    void begin_run() { ++run_; }

    /// Forgets all estimates, but not who created whom.
    void clear_estimates();

    /// Learns that the entity has at least `work` to do in a run.
    void raise(std::uint32_t entity, std::uint64_t work);

    /// Tells that the entity exists in this run.
    void meet(std::uint32_t entity);

    /// Tells how much of its own work the entity has done in this run.
    void set_done(std::uint32_t entity, std::uint64_t done);
    void add_done(std::uint32_t entity) { set_done(entity, done(entity) + 1); }

    /// Returns how much an entity has done in this run.
    std::uint64_t done(std::uint32_t entity) const;

    /// Returns how much is left to do for an entity that was met.
    std::uint64_t remaining(std::uint32_t entity) const;

private:
    struct Entity {
        std::uint32_t creator = none;
        std::uint64_t own = 0;    // estimate
        std::uint64_t total = 0;  // with that of all its descendants
        std::uint64_t run = 0;    // in which it was met; the rest is of that run
        std::uint64_t done = 0;
        std::uint64_t to_create = 0;  // totals of its children that have not been met
    };

    void adopt(std::uint32_t creator, std::uint32_t entity);
    void add_total(std::uint32_t entity, std::uint64_t more);

    KeyTable<std::uint32_t> indices_;  // plus one: 0 is new
    std::vector<Entity> entities_;
    std::uint64_t run_ = 1;
};

}  // namespace mishap::detail
