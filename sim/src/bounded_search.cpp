#include <mishap/sim/detail/bounded_search.hpp>

#include <algorithm>

namespace mishap::detail {

bool BoundedSearch::begin_run(const RunInfo&) {
    if (diverged_ || next_deviation_ != path_.size()) {
        diverged_ = true;  // the last run ended, or was given up, before it had asked what it must ask
        return false;
    }
    if (bound_exhausted_ || runs_.size() >= memory_.runs_max) {
        return false;
    }
    if (!begun_) {
        begun_ = true;
        runs_.push_back({no_run, 0, 0});
    } else if (!take_next_fork()) {
        bound_exhausted_ = true;
        return false;
    }
    next_deviation_ = 0;
    depth_ = 0;
    return true;
}

/// Chooses the next run, deepest place first, and lays down its path; returns whether there is one.
bool BoundedSearch::take_next_fork() {
    std::uint32_t cost = bound_;
    while (cost < rounds_.size() && rounds_[cost].empty()) {
        std::vector<Fork>().swap(rounds_[cost]);  // a round that is over needs no memory
        ++cost;
    }
    if (cost >= rounds_.size()) {
        return false;
    }
    if (cost != bound_) {
        waiting_ -= rounds_[cost].size();
        bound_ = cost;
    }
    Fork fork = rounds_[bound_].back();
    rounds_[bound_].pop_back();
    path_.clear();
    path_.push_back({fork.run, fork.depth, fork.next});
    for (std::uint32_t run = fork.run; runs_[run].base != no_run; run = runs_[run].base) {
        path_.push_back(runs_[run]);
    }
    std::reverse(path_.begin(), path_.end());
    branch_classes_ = fork.classes;
    branch_digest_ = fork.digest;
    runs_.push_back(path_.back());

    // Its other answers: at once if they cost no more than this one did, or one round later.
    ++fork.next;
    if (fork.costs != Costs::class_ && fork.next == fork.free_class) {
        ++fork.next;
    }
    if (fork.next < fork.classes) {
        defer(fork, bound_ + (fork.costs == Costs::class_ ? 1 : 0));
    }
    return true;
}

void BoundedSearch::defer(const Fork& fork, std::uint32_t cost) {
    if (cost > bound_max_) {
        ++deferred_;
        return;
    }
    // What belongs to this round is no more than a few runs ask: depth first it is soon over.
    if (cost > bound_) {
        if (waiting_ >= memory_.forks_max) {
            has_forgotten_ = true;
            return;
        }
        ++waiting_;
    }
    if (rounds_.size() <= cost) {
        rounds_.resize(cost + 1);
    }
    rounds_[cost].push_back(fork);
}

std::uint32_t BoundedSearch::pick(const Question& question) {
    const std::uint32_t depth = depth_++;
    const bool is_new = next_deviation_ == path_.size();
    if (!is_new && path_[next_deviation_].depth == depth) {
        const Deviation& deviation = path_[next_deviation_++];
        const bool is_branch = next_deviation_ == path_.size();
        if (deviation.taken >= question.classes ||
            (is_branch && (branch_classes_ != question.classes ||
                           branch_digest_ != static_cast<std::uint32_t>(question.digest)))) {
            diverged_ = true;
            return abandon;
        }
        return deviation.taken;
    }
    const Rule rule = rule_of(question);
    if (is_new) {
        Fork fork;
        fork.run = static_cast<std::uint32_t>(runs_.size() - 1);
        fork.depth = depth;
        fork.classes = question.classes;
        fork.digest = static_cast<std::uint32_t>(question.digest);
        fork.next = rule.free_class == 0 ? 1 : 0;
        fork.free_class = rule.free_class;
        fork.costs = rule.costs;
        defer(fork, bound_ + (rule.costs == Costs::none ? 0 : 1));
    }
    return rule.free_class;
}

}  // namespace mishap::detail
