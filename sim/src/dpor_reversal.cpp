// What a run teaches: for each race another order of its two steps, as a sequence to be explored.

#include <algorithm>

#include "dpor_search.hpp"

namespace mishap {

using detail::Answers;
using detail::Execution;
using detail::Footprints;

void Dpor::Search::end_run(const Summary& summary) {
    if (position_ < replay_steps_ && !diverged_) {
        diverged_ = true;  // the run ended before it had come to where the last one was
    }
    is_incomplete_ = is_incomplete_ || is_too_long_ || summary.over_budget || summary.sampled_amounts;
    if (diverged_) {
        return;
    }
    if (is_redundant_) {
        ++counts_.redundant;
        return;
    }
    ++counts_.interleavings;
    for (std::uint32_t event = branch_; event < execution_.size(); ++event) {
        memory_.learn(execution_, event);
    }
    reverse_races();
    reverse_waits(summary);
    if (execution_.disabling_links() != 0) {
        reverse_disablings(summary);
    }
    for (std::uint32_t event = 0; event < execution_.size(); ++event) {
        give_other_answers(event);
    }
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
        if (verdict != Verdict::no) {
            const bool is_clock = footprints_.is_barrier(execution_.event(race.second).footprint);
            reverse(race.first, next, is_clock || verdict == Verdict::perhaps);
        }
    }
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
    std::uint32_t place = 0;
    for (std::uint32_t i = nodes_[number].first_pick; i < end; ++i) {
        const Pick pick = picks_[i];
        if (!pick.is_data) {
            continue;
        }
        for (std::uint32_t answer = 0; answer < pick.classes; ++answer) {
            if (answer != pick.taken) {
                plan_independent(number);
                PlannedStep& step = sequence_.emplace_back();
                step.entity = event.entity;
                step.answers = answers_.with(before, place, answer);
                step.footprint = event.announced;
                step.footprint_reading = event.announced_reading;
                step.hash = event.chain;
                insert(number);
            }
        }
        before = answers_.with(before, place++, pick.taken);
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
