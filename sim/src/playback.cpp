#include <mishap/sim/playback.hpp>

#include <algorithm>

namespace mishap {

bool StrictPlayback::begin_run(const RunInfo& run) {
    depth_ = 0;
    mismatch_.reset();
    return run.number == 0;
}

std::uint32_t StrictPlayback::pick(const Question& question) {
    const Choice actual{static_cast<std::uint32_t>(question.digest), question.classes, 0, question.kind};
    if (depth_ == tape_.size()) {
        mismatch_ = TapeMismatch{question.depth, Choice{}, actual};
        return abandon;
    }
    const Choice& expected = tape_[depth_];
    if (expected.kind != actual.kind || expected.classes != actual.classes || expected.digest != actual.digest) {
        mismatch_ = TapeMismatch{question.depth, expected, actual};
        return abandon;
    }
    ++depth_;
    return expected.taken;
}

MishapPlayback::MishapPlayback(MishapList mishaps, Match match, std::span<const Choice> prefix)
    : mishaps_(std::move(mishaps)), match_(match), prefix_(prefix.begin(), prefix.end()) {}

bool MishapPlayback::begin_run(const RunInfo& run) {
    is_played_.assign(mishaps_.size(), false);
    matched_ = 0;
    return run.number == 0;
}

std::uint32_t MishapPlayback::pick(const Question& question) {
    if (question.depth < prefix_.size()) {
        return std::min(prefix_[question.depth].taken, question.classes - 1);
    }
    if (matched_ == mishaps_.size()) {
        return 0;
    }
    return question.kind == ChoiceKind::schedule ? pick_candidate(question) : pick_class(question);
}

std::uint32_t MishapPlayback::pick_candidate(const Question& question) {
    const std::span<const Candidate> candidates = question.candidates();
    for (std::size_t m = 0; m < mishaps_.size(); ++m) {
        const Mishap& mishap = mishaps_[m];
        if (is_played_[m] || mishap.kind != ChoiceKind::schedule) {
            continue;
        }
        const Candidate& calm = candidates.front();
        const bool is_calm_right = match_ == Match::anywhere || (calm.key == mishap.calm.entity &&
                                   (match_ == Match::entity || calm.step == mishap.calm.step));
        if (is_calm_right) {
            for (std::uint32_t c = 1; c < candidates.size(); ++c) {
                if (candidates[c].key == mishap.who.entity &&
                    (match_ == Match::entity || candidates[c].step == mishap.who.step)) {
                    is_played_[m] = true;
                    ++matched_;
                    return c;
                }
            }
        }
        if (match_ == Match::entity) {
            return 0;  // without step numbers only the order of the mishaps tells them apart
        }
    }
    return 0;
}

std::uint32_t MishapPlayback::pick_class(const Question& question) {
    for (std::size_t m = 0; m < mishaps_.size(); ++m) {
        const Mishap& mishap = mishaps_[m];
        const bool fits = !is_played_[m] && mishap.kind == question.kind && mishap.who.entity == question.asker &&
                          (match_ == Match::entity || mishap.who.step == question.asker_step) &&
                          mishap.ordinal == question.ordinal && mishap.label == question.key;
        if (fits) {
            is_played_[m] = true;
            ++matched_;
            return std::min(mishap.taken, question.classes - 1);
        }
    }
    return 0;
}

}  // namespace mishap
