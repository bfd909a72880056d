#include <mishap/sim/dpor.hpp>

#include "dpor_search.hpp"

namespace mishap {

using detail::Answers;
using detail::Execution;
using detail::Footprints;

Dpor::Dpor() : search_(std::make_unique<Search>()) {}
Dpor::~Dpor() = default;

bool Dpor::begin_run(const RunInfo&) { return search_->begin_run(); }
std::uint32_t Dpor::pick(const Question& question) { return search_->pick(question); }
void Dpor::after_step(const Step& step) { search_->after_step(step); }
void Dpor::end_run(const Summary& summary) { search_->end_run(summary); }
bool Dpor::is_exhausted() const { return search_->is_exhausted(); }
bool Dpor::has_diverged() const { return search_->has_diverged(); }
const Dpor::Counts& Dpor::counts() const { return search_->counts(); }

// ---- between runs -------------------------------------------------------------------------------------------------

bool Dpor::Search::begin_run() {
    if (diverged_ || exhausted_) {
        return false;
    }
    position_ = 0;
    picked_ = 0;
    step_answers_ = Answers::calm;
    step_classes_ = Answers::calm;
    is_redundant_ = false;
    is_too_long_ = false;
    branch_pick_ = {};
    if (!begun_) {
        begun_ = true;
        nodes_.push_back({});
        return true;
    }
    trees_.release(nodes_.back().branches);  // of a run that ended before its path did
    while (execution_.size() > 0) {
        const std::uint32_t node = execution_.size() - 1;
        leave_node(node + 1);
        if (find_branch(node)) {
            branch_ = replay_steps_ = node;
            replay_picks_ = nodes_[node].first_pick;
            branch_pick_ = nodes_[node].was_asked ? picks_[replay_picks_] : Pick{};
            picks_.resize(replay_picks_);
            return true;
        }
    }
    exhausted_ = true;
    return false;
}

/// Takes the last step back: all that can follow it has been explored, so it sleeps in the node before.
void Dpor::Search::leave_node(std::uint32_t node) {
    const std::uint32_t step = node - 1;
    const bool has_branches = !nodes_[step].branches.empty();
    const PlannedStep made = made_step(step);
    execution_.truncate(step);
    sleepers_.resize(nodes_[node].first_sleeper);
    nodes_.pop_back();
    if (has_branches) {
        sleepers_.push_back(made);
    }
}

/// Finds the first path of the wakeup tree of `node`, the deepest one, that is not redundant.
bool Dpor::Search::find_branch(std::uint32_t node) {
    detail::WakeupTrees::Branches& branches = nodes_[node].branches;
    while (!branches.empty()) {
        trees_.first_path(branches, sequence_);
        memory_.complete(sequence_.back(), execution_, std::span<const PlannedStep>(sequence_).first(sequence_.size() - 1));
        if (!is_redundant(node, sequence_)) {
            return true;
        }
        trees_.remove_first_path(branches);
    }
    return false;
}

detail::PlannedStep Dpor::Search::made_step(std::uint32_t number) const {
    const Execution::Event& event = execution_.event(number);
    PlannedStep step;
    step.entity = event.entity;
    step.answers = event.answers;
    step.footprint = step.footprint_reading = event.footprint;
    step.hash = event.hash;
    step.is_exact = true;
    return step;
}

std::span<const detail::PlannedStep> Dpor::Search::sleepers(std::uint32_t node) const {
    const std::size_t begin = nodes_[node].first_sleeper;
    const std::size_t end = node + 1 < nodes_.size() ? nodes_[node + 1].first_sleeper : sleepers_.size();
    return std::span<const PlannedStep>(sleepers_).subspan(begin, end - begin);
}

bool Dpor::Search::is_asleep(std::uint32_t node, std::uint32_t entity, std::uint32_t answers) const {
    for (const PlannedStep& sleeper : sleepers(node)) {
        if (sleeper.entity == entity && sleeper.answers == answers) {
            return true;
        }
    }
    return false;
}

// ---- within a run -------------------------------------------------------------------------------------------------

std::uint32_t Dpor::Search::pick(const Question& question) {
    if (picked_ < replay_picks_) {
        return replay(question);
    }
    if (is_too_long_) {
        return 0;
    }
    const auto digest = static_cast<std::uint32_t>(question.digest);
    if (picked_ == replay_picks_ && branch_pick_.classes != 0 &&
        (branch_pick_.classes != question.classes || branch_pick_.digest != digest)) {
        diverged_ = true;
        return abandon;
    }
    const bool is_data = question.kind != ChoiceKind::schedule;
    picks_.push_back({question.classes, 0, digest, question.kind, is_data ? question.budget : Budget()});
    const std::uint32_t taken = is_data ? pick_answer(question) : pick_entity(question);
    if (taken == abandon) {
        picks_.pop_back();
        return abandon;
    }
    picks_[picked_++].taken = taken;
    return taken;
}

std::uint32_t Dpor::Search::replay(const Question& question) {
    const Pick& pick = picks_[picked_];
    if (pick.classes != question.classes || pick.digest != static_cast<std::uint32_t>(question.digest)) {
        diverged_ = true;
        return abandon;
    }
    ++picked_;
    return pick.taken;
}

std::uint32_t Dpor::Search::pick_entity(const Question& question) {
    if (is_redundant_) {
        return abandon;
    }
    Node& node = nodes_[position_];
    node.was_asked = true;
    if (node.branches.empty() && sleepers(position_).empty()) {
        return 0;
    }
    const std::span<const Candidate> candidates = question.candidates();
    for (; !node.branches.empty(); give_plan_up(node)) {
        const std::uint32_t planned = trees_.front(node.branches).entity;
        for (std::uint32_t taken = 0; taken < candidates.size(); ++taken) {
            if (candidates[taken].key == entities_.key_of(planned)) {
                return taken;
            }
        }
    }
    for (std::uint32_t taken = 0; taken < candidates.size(); ++taken) {
        if (!is_asleep(position_, entities_.find(candidates[taken].key), Answers::calm)) {
            return taken;
        }
    }
    is_redundant_ = true;
    return abandon;
}

std::uint32_t Dpor::Search::pick_answer(const Question& question) {
    const Node& node = nodes_[position_];
    const std::uint32_t place = place_of(node.first_pick, picked_);
    std::uint32_t taken = 0;
    if (!node.branches.empty()) {
        taken = answers_.at(trees_.front(node.branches).answers, place);
        taken = taken < question.classes ? taken : 0;
    }
    asks_data_ = true;
    step_classes_ = answers_.with(step_classes_, place, question.classes);
    step_answers_ = answers_.with(step_answers_, place, taken);
    return taken;
}

/// Returns the place of a data question among those of its step.
std::uint32_t Dpor::Search::place_of(std::uint32_t first_pick, std::uint32_t pick) const {
    const auto group = [this](std::uint32_t i) {
        return picks_[i].uses_budget() ? static_cast<std::uint32_t>(picks_[i].kind) : 0;
    };
    std::uint32_t before = 0;
    for (std::uint32_t i = first_pick; i < pick; ++i) {
        before += picks_[i].is_data() && group(i) == group(pick) ? 1U : 0U;
    }
    return group(pick) * Answers::places_max + before;
}

/// The planned step cannot be made. That is no harm if it was a guess: it was the last of its path, and the run goes on
/// as one that planned no more than the steps before it. Else something is missing in the footprints.
void Dpor::Search::give_plan_up(Node& node) {
    is_incomplete_ = is_incomplete_ || !trees_.front(node.branches).is_guess;
    ++counts_.impossible;
    trees_.release_front(node.branches);
}

/// A step did not do what it did before after the same past: the footprints do not tell all that steps share.
void Dpor::Search::note_surprise() {
    ++counts_.surprising;
    is_incomplete_ = true;
}

std::uint32_t Dpor::Search::entity_of(std::uint64_t key, EntityKind kind) {
    const std::uint32_t entity = entities_.number_of(key);
    if (entity >= kinds_.size()) {
        kinds_.resize(entity + 1, EntityKind::thread);
        execution_.set_owner(footprints_.object(key), entity);
    }
    kinds_[entity] = kind;
    return entity;
}

void Dpor::Search::list_entities(std::span<const std::uint64_t> keys, std::vector<std::uint32_t>& numbers) {
    numbers.clear();
    for (const std::uint64_t key : keys) {
        numbers.push_back(entities_.number_of(key));
    }
}

Execution::Arrival Dpor::Search::arrival_of(const Step& step) {
    list_entities(step.created, created_);
    list_entities(step.enabled, enabled_);
    list_entities(step.disabled, disabled_);
    const bool is_thread = step.kind == EntityKind::thread;
    Execution::Arrival arrival;
    arrival.entity = entity_of(step.entity.entity, step.kind);
    arrival.entity_key = step.entity.entity;
    arrival.answers = step_answers_;
    arrival.questions = step_classes_;
    arrival.timers = step.timers;
    blocking_.clear();
    if (step.kind == EntityKind::time) {
        // It depends on everything anyway; whether it was a mishap, which uses a budget up, is no difference.
        arrival.footprint = footprints_.intern({.touches = {}, .disabled = {}, .is_barrier = true});
        arrival.announced = arrival.announced_reading = arrival.footprint;
        // When timers that were due before they were armed become ready depends on how many steps there were.
        is_incomplete_ = is_incomplete_ || step.wake == WakeReason::deadline;
    } else {
        arrival.footprint = footprints_.intern(
            {.touches = step.footprint, .disabled = is_thread ? std::span<const std::uint32_t>() : disabled_});
    }
    if (step.is_pending_known) {
        arrival.announced = footprints_.intern(step.pending, false);
        arrival.announced_reading = footprints_.intern(step.pending, true);
        for (const Operation& operation : step.pending) {
            if (operation.may_block) {
                blocking_.push_back(footprints_.object(operation.object));
            }
        }
    }
    arrival.blocking = blocking_;
    arrival.created = created_;
    arrival.enabled = enabled_;
    arrival.disabled = disabled_;
    return arrival;
}

void Dpor::Search::after_step(const Step& step) {
    if (position_ < replay_steps_) {
        const std::uint32_t entity = execution_.event(position_).entity;
        ++position_;
        diverged_ = diverged_ || entities_.key_of(entity) != step.entity.entity;
        return;
    }
    if (position_ >= Execution::events_max) {
        is_too_long_ = true;
    }
    if (!is_too_long_ && !diverged_) {
        follow(step, position_);
        ++position_;
    }
    step_answers_ = step_classes_ = Answers::calm;
}

/// Adds the step to the run, and the node behind it.
void Dpor::Search::follow(const Step& step, std::uint32_t number) {
    const Execution::Arrival arrival = arrival_of(step);
    Node next;
    bool was_planned = false;
    PlannedStep expected;
    for (Node& node = nodes_[number]; !node.branches.empty() && !was_planned;) {
        const PlannedStep& planned = trees_.front(node.branches);
        // What a step asks is not known before it is made; it was given what of the planned answers it asked for.
        was_planned = planned.entity == arrival.entity && (!planned.is_exact || planned.answers == arrival.answers);
        if (was_planned) {
            expected = planned;
            next.branches = trees_.take_front(node.branches);
        } else {
            give_plan_up(node);
        }
    }
    is_redundant_ = is_redundant_ || is_asleep(number, arrival.entity, arrival.answers);
    execution_.append(arrival);
    const PlannedStep made = made_step(number);
    if (expected.is_exact && expected.hash != made.hash) {
        note_surprise();
    }
    const std::size_t asleep = sleepers_.size();
    for (std::size_t i = nodes_[number].first_sleeper; i < asleep; ++i) {
        const PlannedStep sleeper = sleepers_[i];
        if (sleeper.entity != made.entity && !independence_.are_dependent(sleeper, made)) {
            sleepers_.push_back(sleeper);
        }
    }
    next.first_sleeper = static_cast<std::uint32_t>(asleep);
    next.first_pick = picked_;
    nodes_.push_back(next);
}

}  // namespace mishap
