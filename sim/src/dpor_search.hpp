#pragma once

// The state of optimal DPOR between its runs. dpor.cpp leads the runs, dpor_reversal.cpp learns from them.

#include <cstdint>
#include <vector>

#include <mishap/sim/detail/step_memory.hpp>
#include <mishap/sim/dpor.hpp>

namespace mishap {

/// A depth-first search over nodes. Node n is the state after n steps of the run in flight; a run is in three parts.
///
/// - The replay repeats the answers of the last run up to the deepest node that has a branch left, `branch_`.
/// - The planned part follows the first path of that node's wakeup tree to its leaf.
/// - From there on the run is calm: class 0.
///
/// Invariant: where the calm part begins nothing sleeps, if all footprints on the path were known. So no run is redundant.
class Dpor::Search {
public:
    bool begin_run();
    std::uint32_t pick(const Question& question);
    void after_step(const Step& step);
    void end_run(const Summary& summary);

    bool is_exhausted() const { return exhausted_ && !is_incomplete_ && !diverged_; }
    bool has_diverged() const { return diverged_; }
    const Counts& counts() const { return counts_; }

private:
    using PlannedStep = detail::PlannedStep;
    using Next = detail::Execution::Next;
    using Verdict = detail::Execution::Verdict;

    /// A state on the way of the run in flight.
    struct Node {
        detail::WakeupTrees::Branches branches;  // still to be explored, beside the step that was made
        std::uint32_t first_sleeper = 0;         // what sleeps here begins there, and ends where the next node's begins
        std::uint32_t first_pick = 0;            // questions that were answered before
        bool was_asked = false;                  // more than one could go
    };
    /// An answered question.
    struct Pick {
        std::uint32_t classes = 0;
        std::uint32_t taken = 0;
        std::uint32_t digest = 0;  // low half
        ChoiceKind kind = ChoiceKind::schedule;
        Budget budget;

        bool is_data() const { return kind != ChoiceKind::schedule; }
        /// Returns whether any answer but the calm one uses a budget.
        bool uses_budget() const { return budget.left != 0; }
    };

    // dpor.cpp
    std::uint32_t replay(const Question& question);
    std::uint32_t pick_entity(const Question& question);
    std::uint32_t pick_answer(const Question& question);
    std::uint32_t place_of(std::uint32_t first_pick, std::uint32_t pick) const;
    std::uint32_t entity_of(std::uint64_t key, EntityKind kind);
    void list_entities(std::span<const std::uint64_t> keys, std::vector<std::uint32_t>& numbers);
    detail::Execution::Arrival arrival_of(const Step& step);
    void follow(const Step& step, std::uint32_t number);
    void give_plan_up(Node& node);
    void note_surprise();
    bool is_asleep(std::uint32_t node, std::uint32_t entity, std::uint32_t answers) const;
    void leave_node(std::uint32_t node);
    bool find_branch(std::uint32_t node);
    PlannedStep made_step(std::uint32_t event) const;
    std::span<const PlannedStep> sleepers(std::uint32_t node) const;

    // dpor_reversal.cpp
    bool is_ended_amid_tasks(std::uint32_t main) const;
    void reverse_races();
    void reverse_waits(const Summary& summary);
    void let_time_pass();
    void reverse_disablings(const Summary& summary);
    void give_other_answers(std::uint32_t event);
    void plan_independent(std::uint32_t first);
    bool is_within_budget(const Pick& pick);
    bool may_time_pass_instead(std::uint32_t first) const;
    void reverse(std::uint32_t first, const Next& next, bool is_guess);
    void insert(std::uint32_t node);
    bool is_redundant(std::uint32_t node, std::span<const PlannedStep> sequence);

    detail::Footprints footprints_;
    detail::Answers answers_;
    detail::Independence independence_{footprints_};
    detail::Execution execution_{footprints_};
    detail::WakeupTrees trees_;
    detail::StepMemory memory_{footprints_, answers_};
    detail::KeyIndex entities_;
    std::vector<EntityKind> kinds_;  // by entity

    std::vector<Node> nodes_;  // one more than steps
    std::vector<PlannedStep> sleepers_;
    std::vector<Pick> picks_;

    // The run in flight.
    std::uint32_t position_ = 0;      // steps made
    std::uint32_t picked_ = 0;        // questions answered
    std::uint32_t replay_steps_ = 0;  // to be repeated
    std::uint32_t replay_picks_ = 0;
    Pick branch_pick_;                // the question at the branch, as it was asked before
    std::uint32_t branch_ = 0;
    std::uint32_t step_answers_ = detail::Answers::calm;
    std::uint32_t step_classes_ = detail::Answers::calm;  // of each question
    bool is_redundant_ = false;
    bool is_too_long_ = false;
    std::uint32_t announced_ = detail::Footprints::unknown;  // of the blocked step that is looked at
    std::uint32_t announced_reading_ = detail::Footprints::unknown;

    bool begun_ = false;
    bool exhausted_ = false;
    bool diverged_ = false;
    bool is_incomplete_ = false;
    bool asks_data_ = false;
    Counts counts_;

    bool has_doubts_ = false;  // a step was planned of which it was not known what it would touch

    std::vector<PlannedStep> sequence_;  // scratch
    std::vector<PlannedStep> beside_;
    std::vector<std::uint32_t> created_;
    std::vector<std::uint32_t> enabled_;
    std::vector<std::uint32_t> disabled_;
    std::vector<std::uint32_t> blocking_;
};

}  // namespace mishap
