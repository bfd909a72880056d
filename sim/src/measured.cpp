#include <mishap/sim/measured.hpp>

#include <algorithm>

namespace mishap {

bool Measured::begin_run(const RunInfo& run) {
    depth_ = 0;
    return inner().begin_run(run);
}

std::uint32_t Measured::pick(const Question& question) {
    const std::uint32_t taken = inner().pick(question);
    ++depth_;
    ++measures_.questions;
    measures_.classes += question.classes;
    measures_.mishaps += taken != 0 && taken != abandon ? 1 : 0;
    return taken;
}

void Measured::end_run(const Summary& summary) {
    ++measures_.runs;
    measures_.failed += summary.failed ? 1 : 0;
    measures_.abandoned += summary.abandoned ? 1 : 0;
    measures_.steps += summary.steps;
    measures_.depth_max = std::max(measures_.depth_max, depth_);
    if (!summary.abandoned) {
        fingerprints_.insert(summary.fingerprint);
        measures_.interleavings = fingerprints_.size();
    }
    inner().end_run(summary);
}

}  // namespace mishap
