#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <mishap/sim/detail/answers.hpp>
#include <mishap/sim/detail/footprints.hpp>

namespace mishap::detail {

/// A step that is to be made, or sleeps, or is a candidate for either: who makes it, and what is known about it.
struct PlannedStep {
    std::uint32_t entity = 0;
    std::uint32_t answers = Answers::calm;                   // to its data questions: if they are asked
    std::uint32_t footprint = Footprints::unknown;           // at most this
    std::uint32_t footprint_reading = Footprints::unknown;   // at least this: if all its updates turn out to be reads
    std::uint64_t hash = 0;      // of the step, if exact; else of what its entity knows before it
    std::uint64_t reverses = 0;  // hash of the step whose place it takes: the two are dependent, or 0
    bool is_exact = false;       // it has been made after the same past: the footprint is the one that it will have
    bool is_guess = false;       // it may turn out that it cannot be made

    bool is_doubtful() const {
        return footprint == Footprints::unknown || footprint != footprint_reading || !has_sure_answers();
    }
    /// Calm answers are those that a step gets for questions that it does not ask, too.
    bool has_sure_answers() const { return is_exact || answers == Answers::calm; }
};

/// Decides which steps come first without changing anything: the relations of sections 3 and 4 of the source.
class Independence {
public:
    explicit Independence(const Footprints& footprints) : footprints_(footprints) {}

    bool are_dependent(const PlannedStep& a, const PlannedStep& b) const {
        return footprints_.are_dependent(a.footprint, a.entity, b.footprint, b.entity);
    }
    /// Returns whether `step` is a weak initial of `sequence`: some continuation of the sequence can begin with it.
    /// `place` is then that of the step within, or the size if it is not within.
    bool is_weak_initial(const PlannedStep& step, std::span<const PlannedStep> sequence, std::size_t& place) const {
        for (place = 0; place < sequence.size(); ++place) {
            const PlannedStep& other = sequence[place];
            if (other.entity == step.entity) {
                return step.answers == other.answers;
            }
            if (are_dependent(step, other)) {
                return false;
            }
        }
        return true;
    }
    /// Returns whether `step` is no weak initial of `sequence`, whatever the doubtful steps of both turn out to do.
    bool is_never_initial(const PlannedStep& step, std::span<const PlannedStep> sequence) const;

private:
    const Footprints& footprints_;
};

/// The wakeup trees of all nodes of a search: ordered trees of sequences that are still to be explored.
///
/// Nodes come from one pool and return to it as soon as they are explored, so the memory is that of the open branches.
/// Source: Abdulla, Aronis, Jonsson, Sagonas, "Optimal Dynamic Partial Order Reduction" (POPL 2014), section 6.
class WakeupTrees {
public:
    static constexpr std::uint32_t none = 0xffff'ffffU;
    static constexpr std::size_t nodes_max = std::size_t{1} << 21U;  // 112 MiB

    /// The ordered children of a node.
    struct Branches {
        std::uint32_t first = none;
        std::uint32_t last = none;
        bool empty() const { return first == none; }
    };

    /// Adds `sequence`, unless what is there covers it already: follows the first branch that is a weak initial of what is
    /// left of the sequence, ends where that is a leaf, and else adds the rest behind all branches. Uses `sequence` up.
    ///
    /// A leaf that may turn out to be redundant covers nothing longer than itself. It may if what has been explored beside
    /// it, or will be before it, may be one of its weak initials: `beside`, the steps explored at the root, and the
    /// branches before it. Where nothing was ever in doubt (`has_doubts`) that cannot be.
    ///
    /// Returns false, and adds nothing, if there are too many nodes: the branches of long runs take memory with the square
    /// of their length.
    bool insert(Branches& root, std::vector<PlannedStep>& sequence, const Independence& independence, bool has_doubts,
                std::span<const PlannedStep> beside);

    const PlannedStep& front(const Branches& branches) const { return nodes_[branches.first].step; }
    /// Takes the first branch away and returns what follows it.
    Branches take_front(Branches& branches);
    /// Writes the path to the first leaf into `path`.
    void first_path(const Branches& root, std::vector<PlannedStep>& path) const;
    /// Removes the first leaf, and what only led to it.
    void remove_first_path(Branches& root);
    void release(Branches& root);
    void release_front(Branches& root);

    /// Returns how many nodes were ever needed at one time.
    std::size_t capacity() const { return nodes_.size(); }

private:
    struct Node {
        PlannedStep step;
        Branches children;
        std::uint32_t next = none;
    };

    std::uint32_t make(const PlannedStep& step);
    void free_node(std::uint32_t node);
    void append(Branches& branches, std::uint32_t node);
    bool is_safe(const Branches& root, std::span<const std::uint32_t> path, const Independence& independence,
                 std::span<const PlannedStep> beside);

    std::vector<Node> nodes_;
    std::uint32_t free_ = none;
    std::size_t in_use_ = 0;
    std::vector<std::uint32_t> path_;  // scratch
    std::vector<PlannedStep> steps_;
};

}  // namespace mishap::detail
