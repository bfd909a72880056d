#pragma once

// The steps of the run in flight, and which of them happens before which.
//
// A step depends on the step before it of its entity, on the steps that created, enabled or disabled its entity, and on
// those with which its footprint conflicts. Happens-before is the transitive closure. For each step the set of steps
// before it is kept as bits: row j has j bits. A step's hash is that of its own label and of the hashes of its immediate
// predecessors, so steps of two runs have equal hashes exactly if they do the same after the same past.

#include <cstdint>
#include <span>
#include <vector>

#include <mishap/sim/detail/footprints.hpp>

namespace mishap::detail {

class Execution {
public:
    static constexpr std::uint32_t none = 0xffff'ffffU;
    static constexpr std::uint32_t events_max = 1U << 15U;  // 64 MiB of bits

    explicit Execution(const Footprints& footprints) : footprints_(footprints) {}

    /// What a step is when it comes.
    struct Arrival {
        std::uint32_t entity = 0;
        std::uint64_t entity_key = 0;
        std::uint32_t footprint = 0;
        std::uint32_t answers = 0;
        std::uint32_t questions = 0;  // how many classes each had, as `Answers`
        std::uint32_t timers = 0;     // for which time could pass after it
        std::uint32_t announced = Footprints::unknown;  // what it had announced, as a footprint
        std::uint32_t announced_reading = Footprints::unknown;  // the same, if its updates turn out reads
        std::span<const std::uint32_t> blocking;        // the objects that it might have had to wait for
        std::span<const std::uint32_t> created;         // entities
        std::span<const std::uint32_t> enabled;
        std::span<const std::uint32_t> disabled;
    };

    struct Event {
        std::uint32_t entity = 0;
        std::uint32_t footprint = 0;
        std::uint32_t answers = 0;
        std::uint32_t questions = 0;
        std::uint32_t timers = 0;
        std::uint32_t announced = 0;
        std::uint32_t announced_reading = 0;
        std::uint32_t previous = none;  // of the same entity
        std::uint32_t causes = none;    // links, latest first
        std::uint32_t first_use = 0;
        std::uint32_t first_link = 0;
        std::uint32_t first_blocking = 0;
        std::uint32_t blocking = 0;
        std::uint32_t barrier = none;  // the last barrier before
        std::uint64_t hash = 0;
        std::uint64_t chain = 0;       // `chain_of` it
        std::uint64_t spent = 0;       // budgets, before it: the sum of their hashes
    };

    /// Two steps that conflict, with nothing between them in happens-before.
    struct Race {
        std::uint32_t first = 0;
        std::uint32_t second = 0;
    };

    /// A step that was not made, or might have been made elsewhere: what is needed to place it earlier.
    struct Next {
        std::uint32_t entity = 0;
        std::uint32_t event = none;  // if it was made in this run
        std::uint32_t previous = none;
        std::uint32_t causes = none;
        std::span<const std::uint32_t> blocking;
    };

    enum class LinkKind : std::uint8_t { created, enabled, disabled };
    /// One step's effect on another entity's next step.
    struct Link {
        std::uint32_t event = 0;
        std::uint32_t entity = 0;
        std::uint32_t next = none;      // the one before, of the same entity
        std::uint32_t consumer = none;  // the step that it affected
        LinkKind kind = LinkKind::created;
    };

    std::uint32_t size() const { return static_cast<std::uint32_t>(events_.size()); }
    const Event& event(std::uint32_t number) const { return events_[number]; }
    std::uint32_t append(const Arrival& arrival);
    /// Forgets all steps from `size` on.
    void truncate(std::uint32_t size);

    bool happens_before(std::uint32_t first, std::uint32_t second) const {
        return first < second && (bits_[row(second) + (first >> 6U)] >> (first & 63U) & 1U) != 0;
    }

    /// The races, by their second steps.
    std::span<const Race> races() const { return races_; }
    std::span<const Link> links() const { return links_; }
    std::uint32_t disabling_links() const { return disabling_links_; }
    std::span<const std::uint32_t> blocking(const Event& event) const {
        return {blocking_.data() + event.first_blocking, event.blocking};
    }
    Next next_of(std::uint32_t event) const;
    Next next_of_entity(std::uint32_t entity) const;

    enum class Verdict : std::uint8_t { no, perhaps, yes };
    /// Returns whether `next` could be made in place of step `first`, after all that `first` is not before: whether it is
    /// enabled there and the objects are free that it may have to wait for.
    Verdict may_come_before(std::uint32_t first, const Next& next) const;
    /// Calls `found(first, verdict)` for the steps that took an object which `next` had to wait for (or waits for still),
    /// if it could be made in their place.
    template <class F>
    void for_each_taker(const Next& next, F found) const;

    /// Returns the hash of the last step that wrote `object`, or 0.
    std::uint64_t last_write(std::uint32_t object) const { return last_write_before(object, size()); }
    /// As `last_write`, among the steps before `limit`.
    std::uint64_t last_write_before(std::uint32_t object, std::uint32_t limit) const;

    /// Returns the sum of the hashes of the budgets that were used, one for each use.
    std::uint64_t spent() const {
        return events_.empty() ? 0 : events_.back().spent + footprints_.budget(events_.back().footprint);
    }
    /// Tells that `object` is the control cell of `entity`.
    void set_owner(std::uint32_t object, std::uint32_t entity);
    /// Returns the entity of which `object` is the control cell, or `none`.
    std::uint32_t owner_of(std::uint32_t object) const { return object < owners_.size() ? owners_[object] : none; }
    /// Returns the hash of the last step of `entity` among those before `limit`, or 0.
    std::uint64_t last_step_before(std::uint32_t entity, std::uint32_t limit) const;

    /// Returns the hash of the clock's last step, or 0; `barrier` is that of an event, or that of all there are.
    std::uint64_t clock_before(std::uint32_t barrier) const { return barrier == none ? 0 : events_[barrier].hash; }
    std::uint64_t clock() const { return clock_before(last_barrier_); }

    /// Returns the hash of what the entity of `next` knows before it: its own step before, who created and enabled it.
    std::uint64_t chain_of(const Next& next, std::uint64_t entity_key) const;

private:
    struct Use {
        ObjectUse use;
        std::uint32_t event = 0;
        std::uint32_t previous = none;        // use of the object
        std::uint32_t previous_write = none;  // that is no read
        bool takes = false;                   // the step might have had to wait for the object
    };
    // Why a step depends on an earlier one; of several reasons the last in this list counts.
    enum class Reason : std::uint8_t {
        wait,      // it would have had to wait: `for_each_taker` finds with whom it races
        conflict,  // a race, if nothing is between
        order,     // of the same entity, or a cause
    };
    struct Predecessor {
        std::uint32_t event = 0;
        Reason reason = Reason::order;
    };

    static std::size_t row(std::uint32_t event) {
        const std::size_t block = event >> 6U;
        return 32 * block * (block + 1) + (event & 63U) * (block + 1);
    }
    void collect_predecessors(const Arrival& arrival, const Event& event);
    void add_conflicts(const ObjectUse& use, bool takes);
    void sort_predecessors();
    void link(std::span<const std::uint32_t> entities, LinkKind kind, std::uint32_t self);
    bool is_necessary(const Link& cause, const Next& next) const;
    bool is_at_or_before(std::uint32_t first, std::uint32_t second) const {
        return first == second || happens_before(first, second);
    }
    std::uint32_t last_use(std::uint32_t object, std::uint32_t limit) const;

    const Footprints& footprints_;
    std::vector<Event> events_;
    std::vector<std::uint64_t> bits_;
    std::vector<Use> uses_;
    std::vector<Link> links_;
    std::vector<std::uint32_t> blocking_;
    std::vector<Race> races_;
    std::vector<std::uint32_t> last_use_;    // by object
    std::vector<std::uint32_t> last_event_;  // by entity
    std::vector<std::uint32_t> owners_;      // by object
    std::vector<std::uint32_t> causes_;      // by entity: the first link that no step has consumed
    std::uint32_t last_barrier_ = none;
    std::uint32_t disabling_links_ = 0;
    std::vector<Predecessor> predecessors_;
};

template <class F>
void Execution::for_each_taker(const Next& next, F found) const {
    const std::uint32_t limit = next.event == none ? size() : next.event;
    for (const std::uint32_t object : next.blocking) {
        for (std::uint32_t number = last_use(object, limit); number != none; number = uses_[number].previous_write) {
            const Use& use = uses_[number];
            if (use.use.access == Access::read) {
                continue;
            }
            if (events_[use.event].entity == next.entity ||
                (next.previous != none && is_at_or_before(use.event, next.previous))) {
                break;  // the step itself comes after it
            }
            // A step that took the object found it free. What gave it back found it taken, and of an update that is
            // neither (a failed try, a counter) nobody knows: it is tried.
            if (use.takes || use.use.access == Access::update) {
                const Verdict verdict = may_come_before(use.event, next);
                if (verdict != Verdict::no) {
                    found(use.event, verdict);
                }
            }
            if (use.takes) {
                break;
            }
        }
    }
}

}  // namespace mishap::detail
