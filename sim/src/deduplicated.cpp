#include <mishap/sim/deduplicated.hpp>

#include <mishap/sim/hash.hpp>

namespace mishap {

bool Deduplicated::begin_run(const RunInfo& run) {
    path_.clear();
    return !is_all_made_ && !is_stale() && inner().begin_run(run);
}

std::uint32_t Deduplicated::pick(const Question& question) {
    const std::uint32_t taken = inner().pick(question);
    if (taken == abandon) {
        return abandon;
    }
    // The answer before is part of the place: questions of one step may share a digest.
    const std::uint64_t before = path_.empty() ? 0 : mix(path_.back().place, path_.back().taken);
    const std::uint64_t place = mix(before, question.digest);
    if (made_.contains(mix(place, taken))) {
        ++repeats_;
        return abandon;
    }
    path_.push_back({place, question.classes, taken});
    return taken;
}

void Deduplicated::end_run(const Summary& summary) {
    inner().end_run(summary);
    const bool is_new = !summary.abandoned && fingerprints_.insert(summary.fingerprint).second;
    stale_runs_ = is_new ? 0 : stale_runs_ + 1;
    if (!summary.abandoned) {
        mark_made();
    }
}

void Deduplicated::mark_made() {
    while (!path_.empty()) {
        const Answer last = path_.back();
        path_.pop_back();
        made_.insert(mix(last.place, last.taken));
        if (++made_at_[last.place] < last.classes) {
            return;
        }
    }
    is_all_made_ = true;
}

}  // namespace mishap
