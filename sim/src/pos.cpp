#include <mishap/sim/pos.hpp>

#include <algorithm>

#include <mishap/sim/detail/draw_class.hpp>

namespace mishap {

namespace {

bool may_race(const Candidate& one, const Candidate& other) {
    if (!one.is_pending_known || !other.is_pending_known) {
        return true;
    }
    return std::any_of(one.pending.begin(), one.pending.end(), [&](const Operation& mine) {
        return std::any_of(other.pending.begin(), other.pending.end(), [&](const Operation& theirs) {
            return mine.object == theirs.object && (mine.access != Access::read || theirs.access != Access::read);
        });
    });
}

}  // namespace

bool Pos::begin_run(const RunInfo& run) {
    prng_ = Prng(mix(seed_, run.number));
    entities_.clear();
    return true;
}

std::uint32_t Pos::pick(const Question& question) {
    if (question.kind != ChoiceKind::schedule) {
        return detail::draw_class(prng_, question);
    }
    const std::span<const Candidate> candidates = question.candidates();
    std::uint32_t best = 0;
    std::uint64_t best_priority = 0;
    for (std::uint32_t i = 0; i < candidates.size(); ++i) {
        PendingStep& pending = entities_[candidates[i].key];
        if (pending.step != candidates[i].step) {
            pending = {prng_.next(), candidates[i].step};
        }
        if (i == 0 || pending.priority > best_priority) {
            best = i;
            best_priority = pending.priority;
        }
    }
    // Only what was beaten here is known to be low. A step that could not go at this question drew when it was
    // last beaten by what it races with, or draws when it can go; and where there is nothing to choose, nothing
    // is beaten.
    for (std::uint32_t i = 0; i < candidates.size(); ++i) {
        if (i != best && may_race(candidates[i], candidates[best])) {
            entities_[candidates[i].key].step = 0;
        }
    }
    return best;
}

}  // namespace mishap
