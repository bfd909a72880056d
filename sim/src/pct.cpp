#include <mishap/sim/pct.hpp>

#include <algorithm>

#include <mishap/sim/detail/draw_class.hpp>
#include <mishap/sim/errors.hpp>

namespace mishap {

namespace {

// Drawn priorities have the highest bit, those of change points have not: 1 to depth - 1.
constexpr std::uint64_t drawn_priority = std::uint64_t{1} << 63U;

}  // namespace

Pct::Pct(std::uint32_t depth, std::uint64_t seed, std::uint32_t profile_runs)
    : depth_(depth), seed_(seed), profile_runs_left_(profile_runs), prng_(seed) {
    if (depth == 0) {
        throw UsageError("the depth of a bug is the number of its ordering constraints; give Pct 1 or more");
    }
}

bool Pct::begin_run(const RunInfo& run) {
    prng_ = Prng(mix(seed_, run.number));
    entities_.clear();
    steps_ = 0;
    is_profiling_ = profile_runs_left_ != 0;
    if (is_profiling_) {
        --profile_runs_left_;
    } else {
        draw_change_points();
    }
    return true;
}

void Pct::draw_change_points() {
    change_points_.clear();
    next_point_ = 0;
    for (std::uint32_t i = 1; i < depth_; ++i) {
        change_points_.push_back({1 + prng_.below64(steps_longest_), i});
    }
    std::sort(change_points_.begin(), change_points_.end(), [](const ChangePoint& a, const ChangePoint& b) {
        return a.step != b.step ? a.step < b.step : a.priority < b.priority;
    });
}

std::uint32_t Pct::pick(const Question& question) {
    if (is_profiling_ || question.kind != ChoiceKind::schedule) {
        return detail::draw_class(prng_, question);
    }
    const std::span<const Candidate> candidates = question.candidates();
    count_steps(question.previous.entity, question.previous.step);
    for (const Candidate& candidate : candidates) {
        if (candidate.kind != EntityKind::time) {  // its own number counts ticks
            count_steps(candidate.key, candidate.step - 1);
        }
        Entity& entity = entities_[candidate.key];
        if (entity.priority == 0) {
            entity.priority = prng_.next() | drawn_priority;
        }
    }
    while (next_point_ < change_points_.size() && change_points_[next_point_].step <= steps_) {
        lower(question.previous.entity, change_points_[next_point_++]);
    }
    ++steps_;
    while (next_point_ < change_points_.size() && change_points_[next_point_].step == steps_) {
        lower(candidates[highest(candidates)].key, change_points_[next_point_++]);
    }
    const std::uint32_t taken = highest(candidates);
    ++entities_[candidates[taken].key].steps;
    return taken;
}

/// Learns that the entity `key` has made `steps` steps.
void Pct::count_steps(std::uint64_t key, std::uint32_t steps) {
    if (steps == 0) {
        return;
    }
    Entity& entity = entities_[key];
    if (steps > entity.steps) {
        steps_ += steps - entity.steps;
        entity.steps = steps;
    }
}

void Pct::lower(std::uint64_t key, const ChangePoint& point) { entities_[key].priority = point.priority; }

std::uint32_t Pct::highest(std::span<const Candidate> candidates) {
    std::uint32_t best = 0;
    std::uint64_t best_priority = 0;
    for (std::uint32_t i = 0; i < candidates.size(); ++i) {
        const std::uint64_t priority = entities_[candidates[i].key].priority;
        if (priority > best_priority) {
            best = i;
            best_priority = priority;
        }
    }
    return best;
}

void Pct::end_run(const Summary& summary) { steps_longest_ = std::max({steps_longest_, steps_, summary.steps}); }

}  // namespace mishap
