#include <mishap/sim/portfolio.hpp>

#include <algorithm>

#include <mishap/sim/exhaustive.hpp>
#include <mishap/sim/random_walk.hpp>

namespace mishap {

Portfolio::Portfolio(std::vector<std::unique_ptr<Strategy>> members)
    : members_(std::move(members)) {}

Strategy::Needs Portfolio::needs() const {
    Needs all;
    for (const std::unique_ptr<Strategy>& member : members_) {
        all.steps = all.steps || member->needs().steps;
        all.footprints = all.footprints || member->needs().footprints;
    }
    return all;
}

bool Portfolio::begin_run(const RunInfo& run) {
    // Members take turns by the number of the run and are told that number, so that run n of a member is the same run
    // whoever makes the others, and can be made again by that member alone.
    for (std::size_t tried = 0; tried < members_.size(); ++tried) {
        current_ = (run.number + tried) % members_.size();
        if (current().begin_run(run)) {
            return true;
        }
        if (is_exhausted() || has_diverged()) {
            return false;
        }
    }
    return false;
}

bool Portfolio::is_exhausted() const {
    return std::any_of(members_.begin(), members_.end(), [](const auto& member) { return member->is_exhausted(); });
}

bool Portfolio::has_diverged() const {
    return std::any_of(members_.begin(), members_.end(), [](const auto& member) { return member->has_diverged(); });
}

std::unique_ptr<Strategy> make_strategy(Strategy::Kind kind, std::uint64_t seed, std::uint64_t first_run) {
    if (kind == Strategy::random || (kind == Strategy::automatic && first_run != 0)) {
        return std::make_unique<RandomWalk>(seed);
    }
    if (kind == Strategy::exhaustive) {
        return std::make_unique<Exhaustive>();
    }
    std::vector<std::unique_ptr<Strategy>> members;
    members.push_back(std::make_unique<Exhaustive>());
    members.push_back(std::make_unique<RandomWalk>(seed));
    return std::make_unique<Portfolio>(std::move(members));
}

}  // namespace mishap
