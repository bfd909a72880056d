#include <mishap/sim/surw.hpp>

#include <algorithm>

#include <mishap/sim/detail/draw_class.hpp>

namespace mishap {

Surw::Surw(std::uint64_t seed, std::uint32_t profile_runs)
    : seed_(seed), profile_runs_left_(profile_runs), prng_(seed) {}

bool Surw::begin_run(const RunInfo& run) {
    prng_ = Prng(mix(seed_, run.number));
    profile_.begin_run();
    accesses_.begin_run();
    is_profiling_ = profile_runs_left_ != 0 || profile_.shared_objects().empty();
    profile_runs_left_ -= profile_runs_left_ != 0 ? 1 : 0;
    if (!is_profiling_) {
        choose_object();
    }
    return true;
}

void Surw::choose_object() {
    const std::span<const std::uint64_t> shared = profile_.shared_objects();
    object_ = shared[prng_.below64(shared.size())];
    is_waited_for_ = waited_for_.find(object_) != nullptr;
    has_drawn_ = false;
    accesses_.clear_estimates();
    access_steps_.clear();
    for (const detail::AccessProfile::Accessor& accessor : profile_.accessors(object_)) {
        accesses_.raise(accesses_.find_or_add(accessor.entity, 0), accessor.steps_most);
        access_steps_[accessor.entity] = accessor.steps;
    }
}

std::uint32_t Surw::pick(const Question& question) {
    if (question.kind != ChoiceKind::schedule) {
        return detail::draw_class(prng_, question);
    }
    const std::span<const Candidate> candidates = question.candidates();
    if (is_profiling_) {
        for (const Candidate& candidate : candidates) {
            for (const Operation& operation : candidate.pending) {
                if (operation.may_block) {
                    waited_for_[operation.object] = true;
                }
            }
        }
        return prng_.below(question.classes);
    }
    look_at(candidates);
    draw_next_accessor(candidates);
    weights_.clear();
    for (std::uint32_t i = 0; i < candidates.size(); ++i) {
        const bool is_drawn = has_drawn_ && candidates[i].key == drawn_;
        if (contenders_[i].is_about_to_access && !is_drawn) {
            weights_.push_back(0);
        } else {
            weights_.push_back(is_waited_for_ ? 1 : std::max<std::uint64_t>(contenders_[i].weight, 1));
        }
    }
    return detail::draw_by_weight(prng_, weights_);
}

void Surw::look_at(std::span<const Candidate> candidates) {
    for (const Candidate& candidate : candidates) {
        accesses_.meet(accesses_.find_or_add(candidate.key, candidate.creator));
    }
    // Now that all candidates were met, nobody's work is counted twice.
    contenders_.clear();
    for (const Candidate& candidate : candidates) {
        const std::uint32_t entity = accesses_.find_or_add(candidate.key, candidate.creator);
        const bool is_about_to_access = will_access(candidate);
        if (is_about_to_access) {
            accesses_.raise(entity, accesses_.done(entity) + 1);
        }
        contenders_.push_back({accesses_.remaining(entity), is_about_to_access});
    }
}

/// Draws who may access the object next, if nobody is drawn who can go.
void Surw::draw_next_accessor(std::span<const Candidate> candidates) {
    has_drawn_ = has_drawn_ && std::any_of(candidates.begin(), candidates.end(), [&](const Candidate& candidate) {
                     return candidate.key == drawn_;
                 });
    if (has_drawn_) {
        return;
    }
    weights_.clear();
    std::uint64_t total = 0;
    for (const Contender& contender : contenders_) {
        weights_.push_back(is_waited_for_ && !contender.is_about_to_access ? 0 : contender.weight);
        total += weights_.back();
    }
    if (total != 0) {
        drawn_ = candidates[detail::draw_by_weight(prng_, weights_)].key;
        has_drawn_ = true;
    }
}

bool Surw::will_access(const Candidate& candidate) {
    if (candidate.is_pending_known) {
        return std::any_of(candidate.pending.begin(), candidate.pending.end(),
                           [&](const Operation& operation) { return operation.object == object_; });
    }
    const std::span<const std::uint32_t>* const steps = access_steps_.find(candidate.key);
    return steps != nullptr && std::binary_search(steps->begin(), steps->end(), candidate.step);
}

void Surw::after_step(const Step& step) {
    const std::uint32_t entity = accesses_.find_or_add(step.entity.entity, 0);
    for (const std::uint64_t created : step.created) {
        accesses_.find_or_add(created, step.entity.entity);
    }
    if (is_profiling_) {
        profile_.learn(step);
        return;
    }
    const bool has_accessed = std::any_of(step.footprint.begin(), step.footprint.end(), [&](const Touch& touch) {
        return touch.object == object_ && detail::is_access(touch);
    });
    if (has_accessed) {
        accesses_.add_done(entity);
        has_drawn_ = has_drawn_ && step.entity.entity != drawn_;
    }
}

}  // namespace mishap
