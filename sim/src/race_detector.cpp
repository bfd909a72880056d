#include <mishap/sim/race_detector.hpp>

#include <algorithm>

namespace mishap {

void RaceDetector::begin_run() {
    if (is_active_) {
        is_active_ = false;
        threads_.clear();
        objects_.clear();
        variables_.clear();
    }
    running_ = 0;
}

RaceDetector::Clock& RaceDetector::clock_of(std::uint32_t thread) {
    if (thread >= threads_.size()) {
        const std::size_t known = threads_.size();
        threads_.resize(thread + 1);
        for (std::size_t i = known; i < threads_.size(); ++i) {
            threads_[i].assign(i + 1, 0);
            threads_[i][i] = 1;  // time 0 lies before everything
        }
    }
    return threads_[thread];
}

void RaceDetector::join(Clock& into, const Clock& from) {
    if (into.size() < from.size()) {
        into.resize(from.size(), 0);
    }
    for (std::size_t i = 0; i < from.size(); ++i) {
        into[i] = std::max(into[i], from[i]);
    }
}

void RaceDetector::fork(std::uint32_t child) {
    clock_of(std::max(child, running_));  // both exist from here on, so neither moves
    Clock& maker = threads_[running_];
    join(threads_[child], maker);
    ++maker[running_];
}

void RaceDetector::synchronise(std::uint64_t object, Access access) {
    Clock& mine = clock_of(running_);
    Clock& known = objects_[object];
    join(mine, known);
    if (access != Access::read) {
        join(known, mine);
        ++mine[running_];
    }
}

bool RaceDetector::is_before_now(const Epoch& epoch) {
    const Clock& mine = clock_of(running_);
    return epoch.thread < mine.size() && epoch.time <= mine[epoch.thread];
}

std::optional<RacyAccess> RaceDetector::access(std::uint64_t variable, const RacyAccess& access) {
    Variable& known = variables_[variable];
    const auto unordered = [&](const std::vector<Epoch>& epochs) -> const Epoch* {
        for (const Epoch& epoch : epochs) {
            if (!is_before_now(epoch)) {
                return &epoch;
            }
        }
        return nullptr;
    };
    const bool writes = access.access != Access::read;
    const Epoch* other = known.write.has_value() && !is_before_now(*known.write) ? &*known.write : nullptr;
    if (other == nullptr && !access.is_atomic) {
        other = unordered(known.atomic_writes);
    }
    if (other == nullptr && writes) {
        other = unordered(known.reads);
    }
    if (other == nullptr && writes && !access.is_atomic) {
        other = unordered(known.atomic_reads);
    }
    if (other != nullptr) {
        return other->access;
    }
    const Epoch now{running_, clock_of(running_)[running_], access};
    const auto put = [&](std::vector<Epoch>& epochs) {
        const auto mine = std::find_if(epochs.begin(), epochs.end(),
                                       [&](const Epoch& epoch) { return epoch.thread == running_; });
        if (mine != epochs.end()) {
            *mine = now;
        } else {
            epochs.push_back(now);
        }
    };
    if (!writes) {
        put(access.is_atomic ? known.atomic_reads : known.reads);
    } else if (access.is_atomic) {
        put(known.atomic_writes);
    } else {
        known.write = now;
        known.atomic_writes.clear();
        known.reads.clear();
        known.atomic_reads.clear();
    }
    return std::nullopt;
}

}  // namespace mishap
