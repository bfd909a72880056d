#include <mishap/sim/sweep_strategy.hpp>

namespace mishap {

bool SweepStrategy::begin_run(const RunInfo& run) {
    asked_ = 0;
    return others_ != nullptr ? others_->begin_run(run) : run.number == 0;
}

std::uint32_t SweepStrategy::pick(const Question& question) {
    if (question.kind == ChoiceKind::sweep) {
        ++asked_;
        has_reached_ = has_reached_ || asked_ == n_;
        return asked_ == n_ ? 1 : 0;
    }
    return others_ != nullptr ? others_->pick(question) : 0;
}

void SweepStrategy::after_step(const Step& step) {
    if (others_ != nullptr) {
        others_->after_step(step);
    }
}

void SweepStrategy::end_run(const Summary& summary) {
    if (others_ != nullptr) {
        others_->end_run(summary);
    }
}

}  // namespace mishap
