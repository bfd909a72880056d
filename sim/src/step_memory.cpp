#include <mishap/sim/detail/step_memory.hpp>

#include <algorithm>

#include <mishap/sim/hash.hpp>

namespace mishap::detail {

namespace {

/// A hash of the time, and of the values that the objects of a footprint have.
template <class F>
std::uint64_t values_of(std::span<const ObjectUse> uses, std::uint64_t clock, F value) {
    std::uint64_t sum = clock;
    for (const ObjectUse& use : uses) {
        sum += mix(use.object, value(use));
    }
    return sum;
}

constexpr std::uint64_t fact_of(std::uint64_t chain, std::uint32_t footprint, std::uint32_t answers, std::uint64_t values) {
    return mix(mix(chain, (std::uint64_t{answers} << 32U) | footprint), values);
}

/// The same, of a step that asked `questions`: whether it asks depends on what is left of the budgets, too.
constexpr std::uint64_t asked_fact_of(std::uint64_t fact, std::uint32_t questions, std::uint64_t spent) {
    return mix(fact + questions, scramble(spent) + 1);
}

/// The fact that the updates which a step announced turn out to be reads.
constexpr std::uint64_t reading_fact_of(std::uint64_t chain, std::uint32_t announced_reading, std::uint64_t values) {
    return fact_of(chain, announced_reading, 0xffff'ffffU, values);
}

bool only_reads(std::span<const ObjectUse> uses, std::uint32_t object) {
    const auto found =
        std::find_if(uses.begin(), uses.end(), [object](const ObjectUse& use) { return use.object == object; });
    return found == uses.end() || found->access == Access::read;
}

/// Returns the entity whose control cell a step of `self` writes, or none.
std::uint32_t met_by(const ObjectUse& use, const Execution& execution, std::uint32_t self) {
    const std::uint32_t owner = use.access == Access::read ? Execution::none : execution.owner_of(use.object);
    return owner == self ? Execution::none : owner;
}

}  // namespace

bool StepMemory::learn(const Execution& execution, std::uint32_t number, bool asks_data) {
    const Execution::Event& event = execution.event(number);
    const bool is_announced = event.announced != Footprints::unknown;
    if (size() > size_max) {
        facts_.clear();
        chains_.clear();
        heads_.clear();
        footprints_seen_.clear();
    }
    const auto values = [&](std::uint32_t footprint) {
        return values_of(footprints_.uses(footprint), execution.clock_before(event.barrier),
                         [&](const ObjectUse& use) {
                             // Who cancels a task meets what it is doing, which it does not write anywhere.
                             const std::uint32_t owner = met_by(use, execution, event.entity);
                             return execution.last_write_before(use.object, number) +
                                    (owner == Execution::none ? 0 : execution.last_step_before(owner, number));
                         });
    };
    if (is_announced && event.announced != event.announced_reading) {
        const std::span<const ObjectUse> uses = footprints_.uses(event.footprint);
        const std::span<const ObjectUse> announced = footprints_.uses(event.announced);
        const bool is_as_announced = std::any_of(announced.begin(), announced.end(), [&](const ObjectUse& use) {
            return use.access == Access::update && !only_reads(uses, use.object);
        });
        if (!is_as_announced) {
            facts_.number_of(reading_fact_of(event.chain, event.announced_reading, values(event.announced_reading)));
        }
    }
    if (footprints_.is_barrier(event.footprint) || (is_announced && !asks_data)) {
        return true;
    }
    const std::uint64_t fact = fact_of(event.chain, event.footprint, event.answers, values(event.footprint));
    facts_.number_of(fact);
    facts_.number_of(asked_fact_of(fact, event.questions, event.spent));
    const std::uint32_t chain = chains_.number_of(event.chain);
    if (chain == heads_.size()) {
        heads_.push_back(KeyIndex::none);
    }
    bool is_consistent = true;
    for (std::uint32_t seen = heads_[chain]; seen != KeyIndex::none; seen = footprints_seen_[seen].next) {
        const Seen& other = footprints_seen_[seen];
        if (other.footprint == event.footprint && other.answers == event.answers && other.questions == event.questions) {
            return is_consistent;
        }
        is_consistent = is_consistent && (is_announced || other.answers != event.answers ||
                                          other.footprint == event.footprint ||
                                          facts_.find(fact_of(event.chain, other.footprint, other.answers,
                                                              values(other.footprint))) == KeyIndex::none);
    }
    footprints_seen_.push_back({event.footprint, event.answers, event.questions, heads_[chain]});
    heads_[chain] = static_cast<std::uint32_t>(footprints_seen_.size() - 1);
    return is_consistent;
}

void StepMemory::complete(PlannedStep& step, const Execution& execution, std::span<const PlannedStep> before) {
    const bool is_announced = step.footprint != Footprints::unknown;
    if (step.is_exact || (step.answers == Answers::calm && is_announced && step.footprint == step.footprint_reading)) {
        return;
    }
    std::uint64_t clock = execution.clock();
    std::uint64_t spent = execution.spent();
    for (const PlannedStep& other : before) {
        spent += other.is_exact ? footprints_.budget(other.footprint) : 0;
        clock = other.is_exact && footprints_.is_barrier(other.footprint) ? other.hash : clock;
    }
    const auto values = [&](std::uint32_t footprint) {
        return values_of(footprints_.uses(footprint), clock, [&](const ObjectUse& use) {
            const std::uint32_t owner = met_by(use, execution, step.entity);
            std::uint64_t write = execution.last_write(use.object);
            std::uint64_t last_step = owner == Execution::none ? 0 : execution.last_step_before(owner, Execution::none);
            for (const PlannedStep& other : before) {
                if (other.is_exact && !only_reads(footprints_.uses(other.footprint), use.object)) {
                    write = other.hash;
                }
                if (other.is_exact && other.entity == owner) {
                    last_step = other.hash;
                }
            }
            return write + last_step;
        });
    };
    const std::uint32_t chain = chains_.find(step.hash);
    for (std::uint32_t seen = chain == KeyIndex::none ? chain : heads_[chain]; seen != KeyIndex::none;
         seen = footprints_seen_[seen].next) {
        const Seen& candidate = footprints_seen_[seen];
        if (answers_.given(step.answers, candidate.questions) != candidate.answers) {
            continue;
        }
        const std::uint64_t fact = fact_of(step.hash, candidate.footprint, candidate.answers, values(candidate.footprint));
        // A mishap is planned only where its budget allows it. That a step does not ask for one may be for want of budget, but
        // not while nothing is spent.
        const bool is_known =
            step.answers == candidate.answers
                ? facts_.find(fact) != KeyIndex::none
                : facts_.find(asked_fact_of(fact, candidate.questions, spent)) != KeyIndex::none ||
                      facts_.find(asked_fact_of(fact, candidate.questions, 0)) != KeyIndex::none;
        if (is_known) {
            step.answers = candidate.answers;
            step.footprint = step.footprint_reading = candidate.footprint;
            return;
        }
    }
    if (is_announced && step.footprint != step.footprint_reading &&
        facts_.find(reading_fact_of(step.hash, step.footprint_reading, values(step.footprint_reading))) != KeyIndex::none) {
        step.footprint = step.footprint_reading;
    }
}

}  // namespace mishap::detail
