#include <mishap/sim/exhaustive.hpp>

namespace mishap {

Exhaustive::Exhaustive(std::uint32_t mishaps_max, bool footprints)
    : mishaps_max_(mishaps_max), footprints_(footprints) {}

bool Exhaustive::begin_run(const RunInfo&) {
    if (diverged_ || depth_ != path_.size()) {
        diverged_ = true;  // the last run ended, or was given up, before it had asked what it must ask
        return false;
    }
    depth_ = 0;
    if (!begun_) {
        begun_ = true;
        return true;
    }
    // The deepest answer that has a next class and, if that makes a mishap of a calm answer, may afford one.
    while (!path_.empty()) {
        Answer& last = path_.back();
        const bool is_affordable = last.taken != 0 || mishaps_ < mishaps_max_;
        if (last.taken + 1 < last.classes && is_affordable) {
            mishaps_ += last.taken == 0 ? 1 : 0;
            ++last.taken;
            return true;
        }
        mishaps_ -= last.taken != 0 ? 1 : 0;
        path_.pop_back();
    }
    exhausted_ = true;
    return false;
}

std::uint32_t Exhaustive::pick(const Question& question) {
    if (depth_ == path_.size()) {
        path_.push_back({question.classes, 0, static_cast<std::uint32_t>(question.digest)});
    }
    const Answer& answer = path_[depth_];
    if (answer.classes != question.classes || answer.digest != static_cast<std::uint32_t>(question.digest)) {
        diverged_ = true;
        return abandon;
    }
    ++depth_;
    return answer.taken;
}

}  // namespace mishap
