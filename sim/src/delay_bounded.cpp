#include <mishap/sim/delay_bounded.hpp>

namespace mishap {

detail::BoundedSearch::Rule DelayBounded::rule_of(const Question& question) const {
    return {question.kind == ChoiceKind::schedule ? Costs::class_ : Costs::one, 0};
}

}  // namespace mishap
