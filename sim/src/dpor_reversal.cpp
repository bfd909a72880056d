// What a run teaches: for each race another order of its two steps, as a sequence to be explored.

#include <algorithm>

#include <mishap/sim/detail/clock_key.hpp>

#include "dpor_search.hpp"

namespace mishap {

using detail::Answers;
using detail::Execution;
using detail::Footprints;

void Dpor::Search::end_run(const Summary& summary) {
    if (position_ < replay_steps_ && !diverged_) {
        diverged_ = true;  // the run ended before it had come to where the last one was
    }
    is_incomplete_ = is_incomplete_ || is_too_long_ || summary.over_budget || summary.sampled_amounts || summary.left_ready;
    if (summary.cut_short) {
        is_incomplete_ = true;  // what came before is as long as it is pointless
        return;
    }
    if (diverged_) {
        return;
    }
    if (!is_redundant_ && summary.ended_by != 0) {
        is_incomplete_ = is_incomplete_ || is_ended_amid_tasks(entities_.number_of(summary.ended_by));
    }
    if (is_redundant_) {
        ++counts_.redundant;
        return;
    }
    ++counts_.interleavings;
    for (std::uint32_t event = branch_; event < execution_.size(); ++event) {
        if (!memory_.learn(execution_, event, asks_data_)) {
            note_surprise();
        }
    }
    reverse_races();
    reverse_waits(summary);
    let_time_pass();
    if (execution_.disabling_links() != 0) {
        reverse_disablings(summary);
    }
    for (std::uint32_t event = 0; event < execution_.size(); ++event) {
        give_other_answers(event);
    }
}

/// Returns whether some step of a task is in no order with the last one of `main`, which ended the run: the step might as well
/// never have come, and no footprint tells.
bool Dpor::Search::is_ended_amid_tasks(std::uint32_t main) const {
    const auto is_others = [&](std::uint32_t event) {
        const std::uint32_t entity = execution_.event(event).entity;
        return entity != main && kinds_[entity] == EntityKind::task;
    };
    std::uint32_t end = execution_.size();
    while (end != 0 && execution_.event(end - 1).entity != main) {
        if (is_others(--end)) {
            return true;  // after main's last step, and before the loop has noticed
        }
    }
    for (std::uint32_t event = 0; event + 1 < end; ++event) {
        if (is_others(event) && !execution_.happens_before(event, end - 1)) {
            return true;
        }
    }
    return false;
}

/// Reverses the races, those of the replayed part, too: what came after them has changed, and with it what goes before the
/// second step when it takes the place of the first.
void Dpor::Search::reverse_races() {
    for (const Execution::Race& race : execution_.races()) {
        if (!nodes_[race.first].was_asked) {
            continue;
        }
        const Next next = execution_.next_of(race.second);
        const Verdict verdict = execution_.may_come_before(race.first, next);
        const bool is_clock = footprints_.is_barrier(execution_.event(race.second).footprint);
        if (verdict != Verdict::no && (!is_clock || may_time_pass_instead(race.first))) {
            reverse(race.first, next, is_clock || verdict == Verdict::perhaps);
        }
    }
}

/// Returns whether the clock may move in place of step `first`: whether a timer is armed by then. After the last step of the
/// clock, where it is looked for, each step armed and took back as many timers as it would after any other past.
bool Dpor::Search::may_time_pass_instead(std::uint32_t first) const {
    std::uint32_t before = first == 0 ? 0 : execution_.event(first - 1).timers;
    std::uint32_t armed = before;
    for (std::uint32_t event = first; event < execution_.size() && !footprints_.is_barrier(execution_.event(event).footprint);
         ++event) {
        const std::uint32_t after = execution_.event(event).timers;
        if (event != first && !execution_.happens_before(first, event)) {
            armed += after - before;  // modulo 2^32: it may be fewer
        }
        before = after;
    }
    return armed != 0;
}

/// Lets time pass before the steps that took timers back: the clock may not have moved after them at all.
void Dpor::Search::let_time_pass() {
    for (std::uint32_t event = 1; event < execution_.size(); ++event) {
        const Execution::Event& step = execution_.event(event);
        if (step.timers < execution_.event(event - 1).timers && !footprints_.is_barrier(step.footprint) &&
            nodes_[event].was_asked && may_time_pass_instead(event)) {
            Next clock;
            clock.entity = entity_of(detail::clock_key, EntityKind::time);
            clock.previous = step.barrier;
            announced_ = announced_reading_ = footprints_.intern({.touches = {}, .disabled = {}, .is_barrier = true});
            reverse(event, clock, true);
        }
    }
    announced_ = announced_reading_ = Footprints::unknown;
}

/// Reverses the races of steps that may have to wait with those that took what they wait for.
void Dpor::Search::reverse_waits(const Summary& summary) {
    const auto reverse_all = [this](const Next& next) {
        execution_.for_each_taker(next, [&](std::uint32_t first, Verdict verdict) {
            reverse(first, next, verdict == Verdict::perhaps);
        });
    };
    for (std::uint32_t event = 0; event < execution_.size(); ++event) {
        if (execution_.event(event).blocking != 0) {
            reverse_all(execution_.next_of(event));
        }
    }
    for (const Blocked& blocked : summary.blocked) {
        const std::uint32_t entity = entities_.number_of(blocked.entity);
        if (entity < kinds_.size() && kinds_[entity] != EntityKind::thread) {
            continue;  // what tasks wait for is handed to them: they are enabled by a step, or not at all
        }
        Next next = execution_.next_of_entity(entity);
        blocking_.clear();
        for (const Operation& operation : blocked.pending) {
            if (operation.may_block) {
                blocking_.push_back(footprints_.object(operation.object));
            }
        }
        next.blocking = blocking_;
        announced_ = footprints_.intern(blocked.pending, false);
        announced_reading_ = footprints_.intern(blocked.pending, true);
        reverse_all(next);
    }
    announced_ = announced_reading_ = Footprints::unknown;
}

/// Lets what a step disabled, a cancelled callback, go before that step. Threads that wait are `reverse_waits`' business.
void Dpor::Search::reverse_disablings(const Summary& summary) {
    for (const Execution::Link& link : execution_.links()) {
        if (link.kind != Execution::LinkKind::disabled) {
            continue;
        }
        const bool is_blocked = std::any_of(summary.blocked.begin(), summary.blocked.end(), [&](const Blocked& blocked) {
            return blocked.entity == entities_.key_of(link.entity);
        });
        const bool was_made = link.consumer != Execution::none;
        if ((was_made && execution_.event(link.consumer).blocking != 0) || (!was_made && is_blocked)) {
            continue;
        }
        Next next = was_made ? execution_.next_of(link.consumer) : execution_.next_of_entity(link.entity);
        // Causes that came later enabled the step anew; the earlier ones did when it was still to come.
        while (next.causes != Execution::none && execution_.links()[next.causes].event >= link.event) {
            next.causes = execution_.links()[next.causes].next;
        }
        next.event = Execution::none;
        reverse(link.event, next, false);
    }
}

/// Explores the same step with each answer that it was not given: as if the answers raced to be the first.
void Dpor::Search::give_other_answers(std::uint32_t number) {
    const Execution::Event& event = execution_.event(number);
    const std::uint32_t end = number + 1 < nodes_.size() ? nodes_[number + 1].first_pick
                                                         : static_cast<std::uint32_t>(picks_.size());
    std::uint32_t before = Answers::calm;
    for (std::uint32_t i = nodes_[number].first_pick; i < end; ++i) {
        const Pick pick = picks_[i];
        if (!pick.is_data()) {
            continue;
        }
        const std::uint32_t place = place_of(nodes_[number].first_pick, i);
        for (std::uint32_t answer = 0; answer < pick.classes; ++answer) {
            if (answer == pick.taken) {
                continue;
            }
            plan_independent(number);
            if (answer == 0 || !pick.uses_budget() || is_within_budget(pick)) {
                PlannedStep& step = sequence_.emplace_back();
                step.entity = event.entity;
                step.answers = answers_.with(before, place, answer);
                step.footprint = event.announced;
                step.footprint_reading = event.announced_reading;
                step.hash = event.chain;
                insert(number);
            }
        }
        before = answers_.with(before, place, pick.taken);
    }
}

/// Begins `sequence_` with the steps that come after step `first` and do not depend on it.
void Dpor::Search::plan_independent(std::uint32_t first) {
    sequence_.clear();
    for (std::uint32_t event = first + 1; event < execution_.size(); ++event) {
        if (!execution_.happens_before(first, event)) {
            sequence_.push_back(made_step(event));
        }
    }
}

/// Returns whether enough is left for `pick` to use its budget after `sequence_`. If not, nothing is lost: some of those that
/// use it there are calm in other runs, and in those it is planned.
bool Dpor::Search::is_within_budget(const Pick& pick) {
    const std::uint32_t budget = footprints_.object(pick.budget.object);
    const auto users = std::count_if(sequence_.begin(), sequence_.end(), [&](const PlannedStep& step) {
        const std::span<const detail::ObjectUse> uses = footprints_.uses(step.footprint);
        return std::any_of(uses.begin(), uses.end(), [&](const detail::ObjectUse& use) { return use.object == budget; });
    });
    return users < static_cast<std::ptrdiff_t>(pick.budget.left);
}

/// Plans a run in which `next` comes where `first` came in this one: after everything that does not depend on `first`.
void Dpor::Search::reverse(std::uint32_t first, const Next& next, bool is_guess) {
    if (!nodes_[first].was_asked) {
        return;  // nothing else could go
    }
    plan_independent(first);
    PlannedStep& last = sequence_.emplace_back();
    last.entity = next.entity;
    last.is_guess = is_guess;
    last.reverses = execution_.event(first).hash;
    last.footprint = announced_;
    last.footprint_reading = announced_reading_;
    if (next.event != Execution::none) {
        last.footprint = execution_.event(next.event).announced;
        last.footprint_reading = execution_.event(next.event).announced_reading;
        // A clock that moves while something is ready asks nothing.
        last.answers = footprints_.is_barrier(execution_.event(next.event).footprint) ? Answers::calm
                                                                                      : execution_.event(next.event).answers;
        last.hash = execution_.event(next.event).chain;
    } else {
        last.hash = execution_.chain_of(next, entities_.key_of(next.entity));
    }
    insert(first);
}

/// Inserts `sequence_` into the wakeup tree of `node`, unless something that sleeps there begins it.
void Dpor::Search::insert(std::uint32_t node) {
    if (is_redundant(node, sequence_)) {
        return;
    }
    has_doubts_ = has_doubts_ || sequence_.back().is_doubtful();
    beside_.clear();
    if (has_doubts_) {
        const std::span<const PlannedStep> asleep = sleepers(node);
        beside_.assign(asleep.begin(), asleep.end());
        beside_.push_back(made_step(node));
    }
    const bool fits = trees_.insert(nodes_[node].branches, sequence_, independence_, has_doubts_, beside_);
    is_incomplete_ = is_incomplete_ || !fits;
}

bool Dpor::Search::is_redundant(std::uint32_t node, std::span<const PlannedStep> sequence) {
    std::size_t place = 0;
    const std::span<const PlannedStep> asleep = sleepers(node);
    return std::any_of(asleep.begin(), asleep.end(), [&](const PlannedStep& sleeper) {
        return independence_.is_weak_initial(sleeper, sequence, place);
    });
}

}  // namespace mishap
