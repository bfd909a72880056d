#include <mishap/sim/detail/wakeup_tree.hpp>

namespace mishap::detail {

bool Independence::is_never_initial(const PlannedStep& step, std::span<const PlannedStep> sequence) const {
    for (const PlannedStep& other : sequence) {
        if (other.entity == step.entity) {
            return step.answers != other.answers && step.has_sure_answers() && other.has_sure_answers();
        }
        const bool conflicts_surely = step.footprint != Footprints::unknown && other.footprint != Footprints::unknown &&
                                      footprints_.are_dependent(step.footprint_reading, step.entity,
                                                                other.footprint_reading, other.entity);
        if (conflicts_surely || (other.reverses != 0 && step.is_exact && other.reverses == step.hash)) {
            return true;
        }
    }
    return false;
}

bool WakeupTrees::insert(Branches& root, std::vector<PlannedStep>& sequence, const Independence& independence,
                         bool has_doubts, std::span<const PlannedStep> beside) {
    // Nodes may move while others are made, so a list of branches is named by the node that owns it.
    std::uint32_t owner = none;
    const auto branches = [&]() -> Branches& { return owner == none ? root : nodes_[owner].children; };
    path_.clear();
    while (!sequence.empty()) {
        std::uint32_t child = branches().first;
        std::size_t place = 0;
        for (; child != none; child = nodes_[child].next) {
            if (!independence.is_weak_initial(nodes_[child].step, sequence, place)) {
                continue;
            }
            if (!nodes_[child].children.empty()) {
                break;
            }
            // Everything that can follow a leaf will be explored, if the leaf is.
            path_.push_back(child);
            if (!has_doubts || (sequence.size() == 1 && place == 0) ||
                is_safe(root, path_, independence, beside)) {
                return true;
            }
            path_.pop_back();
        }
        if (child == none) {
            if (in_use_ + sequence.size() > nodes_max) {
                return false;
            }
            for (const PlannedStep& step : sequence) {
                const std::uint32_t added = make(step);
                append(branches(), added);
                owner = added;
            }
            return true;
        }
        if (place < sequence.size()) {
            sequence.erase(sequence.begin() + static_cast<std::ptrdiff_t>(place));
        }
        owner = child;
        path_.push_back(child);
    }
    return true;
}

/// Returns whether the leaf at the end of `path` is explored for sure when its turn comes.
bool WakeupTrees::is_safe(const Branches& root, std::span<const std::uint32_t> path, const Independence& independence,
                          std::span<const PlannedStep> beside) {
    steps_.clear();
    for (const std::uint32_t node : path) {
        steps_.push_back(nodes_[node].step);
    }
    for (const PlannedStep& step : beside) {
        if (!independence.is_never_initial(step, steps_)) {
            return false;
        }
    }
    std::uint32_t left = root.first;
    for (std::size_t depth = 0; depth < path.size(); ++depth) {
        for (; left != path[depth]; left = nodes_[left].next) {
            if (!independence.is_never_initial(nodes_[left].step, std::span<const PlannedStep>(steps_).subspan(depth))) {
                return false;
            }
        }
        left = nodes_[path[depth]].children.first;
    }
    return true;
}

WakeupTrees::Branches WakeupTrees::take_front(Branches& branches) {
    const std::uint32_t node = branches.first;
    const Branches children = nodes_[node].children;
    branches.first = nodes_[node].next;
    if (branches.first == none) {
        branches.last = none;
    }
    free_node(node);
    return children;
}

void WakeupTrees::first_path(const Branches& root, std::vector<PlannedStep>& path) const {
    path.clear();
    for (std::uint32_t node = root.first; node != none; node = nodes_[node].children.first) {
        path.push_back(nodes_[node].step);
    }
}

void WakeupTrees::remove_first_path(Branches& root) {
    path_.clear();
    for (std::uint32_t node = root.first; node != none; node = nodes_[node].children.first) {
        path_.push_back(node);
    }
    while (!path_.empty()) {
        path_.pop_back();
        Branches& branches = path_.empty() ? root : nodes_[path_.back()].children;
        take_front(branches);
        if (!branches.empty()) {
            return;
        }
    }
}

void WakeupTrees::release(Branches& root) {
    while (!root.empty()) {
        release_front(root);
    }
}

void WakeupTrees::release_front(Branches& root) {
    Branches children = take_front(root);
    release(children);
}

std::uint32_t WakeupTrees::make(const PlannedStep& step) {
    ++in_use_;
    if (free_ == none) {
        nodes_.push_back({step, {}, none});
        return static_cast<std::uint32_t>(nodes_.size() - 1);
    }
    const std::uint32_t node = free_;
    free_ = nodes_[node].next;
    nodes_[node] = {step, {}, none};
    return node;
}

void WakeupTrees::free_node(std::uint32_t node) {
    nodes_[node].next = free_;
    free_ = node;
    --in_use_;
}

void WakeupTrees::append(Branches& branches, std::uint32_t node) {
    if (branches.last == none) {
        branches.first = node;
    } else {
        nodes_[branches.last].next = node;
    }
    branches.last = node;
}

}  // namespace mishap::detail
