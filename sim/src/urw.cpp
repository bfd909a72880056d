#include <mishap/sim/urw.hpp>

#include <algorithm>

#include <mishap/sim/detail/draw_class.hpp>

namespace mishap {

Urw::Urw(std::uint64_t seed, std::uint32_t profile_runs)
    : seed_(seed), profile_runs_left_(profile_runs), is_profiling_(profile_runs != 0), prng_(seed) {}

bool Urw::begin_run(const RunInfo& run) {
    prng_ = Prng(mix(seed_, run.number));
    steps_.begin_run();
    is_profiling_ = profile_runs_left_ != 0;
    profile_runs_left_ -= is_profiling_ ? 1 : 0;
    return true;
}

std::uint32_t Urw::pick(const Question& question) {
    if (question.kind != ChoiceKind::schedule) {
        return detail::draw_class(prng_, question);
    }
    const std::span<const Candidate> candidates = question.candidates();
    for (const Candidate& candidate : candidates) {
        const std::uint32_t entity = steps_.find_or_add(candidate.key, candidate.creator);
        steps_.set_done(entity, candidate.step - 1);
        steps_.raise(entity, candidate.step);  // at least the step that it could make now
    }
    if (is_profiling_) {
        return prng_.below(question.classes);
    }
    // Now that all candidates were met, nobody's work is counted twice.
    weights_.clear();
    for (const Candidate& candidate : candidates) {
        weights_.push_back(steps_.remaining(steps_.find_or_add(candidate.key, candidate.creator)));
    }
    return detail::draw_by_weight(prng_, weights_);
}

void Urw::after_step(const Step& step) {
    steps_.raise(steps_.find_or_add(step.entity.entity, 0), step.entity.step);
    for (const std::uint64_t created : step.created) {
        steps_.find_or_add(created, step.entity.entity);
    }
}

}  // namespace mishap
