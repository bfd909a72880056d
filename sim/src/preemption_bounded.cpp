#include <mishap/sim/preemption_bounded.hpp>

namespace mishap {

detail::BoundedSearch::Rule PreemptionBounded::rule_of(const Question& question) const {
    if (question.kind != ChoiceKind::schedule) {
        return {Costs::one, 0};
    }
    // A simulated thread never gives way of its own accord: if it is ready, it could go on.
    const std::span<const Candidate> candidates = question.candidates();
    for (std::uint32_t i = 0; i < candidates.size(); ++i) {
        if (candidates[i].key == question.previous.entity && candidates[i].kind == EntityKind::thread) {
            return {Costs::one, i};
        }
    }
    return {Costs::none, 0};
}

}  // namespace mishap
