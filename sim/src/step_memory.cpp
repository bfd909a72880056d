#include <mishap/sim/detail/step_memory.hpp>

#include <algorithm>

#include <mishap/sim/hash.hpp>

namespace mishap::detail {

namespace {

/// A hash of the values that the objects of a footprint have; `value(object)` names the last write.
template <class F>
std::uint64_t values_of(std::span<const ObjectUse> uses, F value) {
    std::uint64_t sum = 0;
    for (const ObjectUse& use : uses) {
        sum += mix(use.object, value(use.object));
    }
    return sum;
}

constexpr std::uint64_t fact_of(std::uint64_t chain, std::uint32_t footprint, std::uint32_t answers, std::uint64_t values) {
    return mix(mix(chain, (std::uint64_t{answers} << 32U) | footprint), values);
}

bool only_reads(std::span<const ObjectUse> uses, std::uint32_t object) {
    const auto found =
        std::find_if(uses.begin(), uses.end(), [object](const ObjectUse& use) { return use.object == object; });
    return found == uses.end() || found->access == Access::read;
}

}  // namespace

void StepMemory::learn(const Execution& execution, std::uint32_t number) {
    const Execution::Event& event = execution.event(number);
    std::uint32_t shape = event.footprint;
    if (event.announced != Footprints::unknown) {
        if (event.announced == event.announced_reading) {
            return;
        }
        const std::span<const ObjectUse> uses = footprints_.uses(event.footprint);
        for (const ObjectUse& use : footprints_.uses(event.announced)) {
            if (use.access == Access::update && !only_reads(uses, use.object)) {
                return;  // as announced
            }
        }
        shape = event.announced_reading;
    }
    if (size() > size_max) {
        facts_.clear();
        chains_.clear();
        heads_.clear();
        footprints_seen_.clear();
    }
    const std::uint64_t values = values_of(footprints_.uses(shape), [&](std::uint32_t object) {
        return execution.last_write_before(object, number);
    });
    facts_.number_of(fact_of(event.chain, shape, event.announced != Footprints::unknown ? 0 : event.answers, values));
    if (event.announced != Footprints::unknown) {
        return;
    }
    const std::uint32_t chain = chains_.number_of(event.chain);
    if (chain == heads_.size()) {
        heads_.push_back(KeyIndex::none);
    }
    for (std::uint32_t seen = heads_[chain]; seen != KeyIndex::none; seen = footprints_seen_[seen].next) {
        if (footprints_seen_[seen].footprint == shape && footprints_seen_[seen].answers == event.answers) {
            return;
        }
    }
    footprints_seen_.push_back({shape, event.answers, heads_[chain]});
    heads_[chain] = static_cast<std::uint32_t>(footprints_seen_.size() - 1);
}

std::uint32_t StepMemory::footprint_of(const PlannedStep& step, const Execution& execution,
                                       std::span<const PlannedStep> before) {
    if (step.is_exact || (step.footprint != Footprints::unknown && step.footprint == step.footprint_reading)) {
        return step.footprint;
    }
    const auto value = [&](std::uint32_t object) {
        for (auto other = before.rbegin(); other != before.rend(); ++other) {
            if (other->is_exact && !only_reads(footprints_.uses(other->footprint), object)) {
                return other->hash;
            }
        }
        return execution.last_write(object);
    };
    if (step.footprint != Footprints::unknown) {
        const std::uint64_t values = values_of(footprints_.uses(step.footprint_reading), value);
        const bool is_reading =
            facts_.find(fact_of(step.hash, step.footprint_reading, 0, values)) != KeyIndex::none;
        return is_reading ? step.footprint_reading : step.footprint;
    }
    const std::uint32_t chain = chains_.find(step.hash);
    for (std::uint32_t seen = chain == KeyIndex::none ? chain : heads_[chain]; seen != KeyIndex::none;
         seen = footprints_seen_[seen].next) {
        const Seen& candidate = footprints_seen_[seen];
        if (candidate.answers == step.answers) {
            const std::uint64_t values = values_of(footprints_.uses(candidate.footprint), value);
            if (facts_.find(fact_of(step.hash, candidate.footprint, candidate.answers, values)) != KeyIndex::none) {
                return candidate.footprint;
            }
        }
    }
    return Footprints::unknown;
}

}  // namespace mishap::detail
