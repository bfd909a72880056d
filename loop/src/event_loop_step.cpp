// The inner loop: what goes next, and one step.

#include <mishap/loop/event_loop.hpp>

#include <algorithm>
#include <utility>

#include <mishap/sim/detail/clock_key.hpp>
#include <mishap/sim/detail/memory_key.hpp>
#include <mishap/sim/errors.hpp>

#include <fmt/format.h>

#include "step.hpp"

namespace mishap {

namespace {
constexpr std::uint64_t ready_set_key = detail::child_key(detail::outside_key, hash_text("ready set"), 0);
}

/// Returns false when nothing is ready and nothing can become ready.
bool EventLoop::begin_iteration() {
    if (!world_->is_simulated()) {
        wait_for_world();
        release_due_timers();
    } else {
        if (foreign_call_.load(std::memory_order_relaxed) && was_called_from_elsewhere()) [[unlikely]] {
            return false;
        }
        if (!timers_.empty()) {
            release_late_timers();
        }
        while (ready_.empty() && !is_stopping_) {
            if (timers_.empty()) {
                return false;
            }
            tick();
            if ((world_->has_failed() || world_->choices().is_abandoned()) && !world_->is_tearing_down()) {
                return false;
            }
        }
    }
    ready_.begin_batch();
    return true;
}

/// Lets the operating system tell what is ready, and sleeps until then when nothing else is to be done.
void EventLoop::wait_for_world() {
    drain_threadsafe();
    std::optional<std::chrono::nanoseconds> timeout;
    if (!ready_.empty() || is_stopping_) {
        timeout = std::chrono::nanoseconds(0);
    } else if (!timers_.empty()) {
        timeout = std::chrono::nanoseconds(std::max<std::int64_t>(timers_.earliest() - world_->now_ns(), 0));
    }
    selected_.clear();
    const std::int64_t began_ns = is_debug_ ? world_->now_ns() : 0;
    world_->selector().select(timeout, selected_);
    if (is_debug_ && timeout != std::chrono::nanoseconds(0)) {
        log_selector(timeout.value_or(std::chrono::nanoseconds::max()), began_ns);
    }
    drain_threadsafe();
}

/// Does, before a step, what few runs want.
void EventLoop::prepare_step(detail::TaskBase& task) {
    if (is_debug_) {
        note_step_begins("task " + task.path());
    }
    maybe_inject_cancellation(task);
}

void EventLoop::run_task(detail::TaskBase& task) { step_task<Watched::yes>(task); }

template <EventLoop::Watched watched>
[[gnu::always_inline]] inline bool EventLoop::step() {
    const bool may_pass = watched == Watched::yes && may_pass_ && may_time_pass();
    std::uint32_t entries = watched == Watched::no || is_any_order_ ? ready_.selectable() : 1;
    std::uint32_t rank_held_back = detail::ReadyEntry::nowhere;
    if (held_back_ != nullptr) [[unlikely]] {
        rank_held_back = rank_of_held_back();
        if (rank_held_back != detail::ReadyEntry::nowhere) {
            --entries;
            ++world_->activity().spins;
        }
    }
    std::uint32_t taken = 0;
    if constexpr (watched == Watched::yes) {
        taken = world_->choices().schedule(entries + (may_pass ? 1 : 0), *this);
        if (world_->choices().is_abandoned() && !world_->is_tearing_down()) [[unlikely]] {
            return false;
        }
    } else if (entries > 1) {
        taken = world_->choices().schedule_plainly(entries, *this);
        if (taken == Choices::abandoned) [[unlikely]] {
            return false;
        }
    }
    if (may_pass && taken == entries) [[unlikely]] {
        let_time_pass();
        return true;
    }
    held_back_ = nullptr;
    auto& entry = static_cast<detail::Ready&>(ready_.take(taken + (taken >= rank_held_back ? 1 : 0)));
    if (entry.is_task_entry) [[likely]] {
        auto& task = static_cast<detail::TaskBase&>(entry);
        begin_step<watched>(task.entity, entry.wake, entry.enabled_by, taken);
        step_task<watched>(task);
    } else {
        auto& handle = static_cast<detail::HandleBase&>(entry);
        begin_step<watched>(handle.lane->entity, entry.wake, entry.enabled_by, taken);
        run_handle(handle);
    }
    if (world_->steps() > steps_look_) [[unlikely]] {
        look_at_step();
    }
    return !world_->has_failed() && !world_->choices().is_abandoned();
}

// The switch stands in this function itself, and everything on the way to it is inlined: a return on the hub's side
// between two switches would meet the processor's prediction of the task's return, and the other way round, which costs
// twenty cycles each time.
EventLoop::Outcome EventLoop::run_some() {
    const bool is_simulated = world_->is_simulated();
    is_watched_ = !is_any_order_ || may_pass_ || prepares_steps_ || sweep_ != Sweep::off || counts_overtaking_ ||
                  world_->is_observed() || !world_->choices().is_plain();
    for (bool first = true;; first = false) {
        // Most steps of a search: a strategy chooses, and nobody looks.
        while (!is_watched_ && timers_.empty() && !is_stopping_ && !ready_.empty()) [[likely]] {
            ready_.begin_batch_if_over();
            if (!step<Watched::no>()) {
                return Outcome::verdict;
            }
            first = false;
        }
        if (threads_.is_active()) [[unlikely]] {
            if (const std::optional<Outcome> outcome = step_with_threads(first)) {
                return *outcome;
            }
            continue;
        }
        // An iteration that begins with entries ready and no timers is nothing but its bounds. This is asked first: with
        // random picks nobody can guess when a batch is over.
        const bool is_plain = is_simulated && timers_.empty() && !is_stopping_ && !ready_.empty();
        if (!is_plain && ready_.batch_left() == 0) {
            if (is_stopping_ && !first) {
                return Outcome::stopped;
            }
            if (!begin_iteration()) {
                return world_->has_failed() ? Outcome::verdict : Outcome::stuck;
            }
            if (ready_.batch_left() == 0) {
                continue;
            }
        }
        ready_.begin_batch_if_over();
        if (!step<Watched::yes>()) {
            return Outcome::verdict;
        }
    }
}

bool EventLoop::pick_and_step() { return step<Watched::yes>(); }

void EventLoop::fail_over_steps() {
    world_->fail({.kind = FindingKind::over_budget,
                  .what = fmt::format("the run needs more than {} steps; if that is right and it does end, raise steps_max",
                                      steps_allowed_),
                  .label = "steps_max"});
}

/// Remembers who would have gone calmly, for the trace: once the step has begun the candidates are others.
void EventLoop::keep_calm(std::uint32_t taken) {
    if (world_->is_tracing() && taken != 0) [[unlikely]] {
        calm_ = candidates().front();
    }
}

void EventLoop::trace_step(WakeReason wake, EntityStep enabled_by, std::uint32_t taken) {
    if (taken != 0) {
        if (!threads_.is_active()) {
            calm_ = candidates().front();  // who was overtaken is still there
        }
        world_->tell({.kind = TraceEventKind::mishap, .other = {calm_.key, calm_.step}, .value = taken});
    }
    world_->tell({.kind = TraceEventKind::step, .other = enabled_by, .value = static_cast<std::int64_t>(wake)});
}

void EventLoop::report_step(const detail::EntityState& entity, EntityKind kind, WakeReason wake, StepEnd end) {
    if (guest_run_ != nullptr) {
        // Once its thread has gone on, it could not have been made.
        world_->footprint().push_back({key_, Access::read, Relation::conflict, 0, false});
        let_guest_return();
    }
    if (kind != EntityKind::thread && is_sharing_unknown_) {
        // What tasks and callbacks share beside tracked objects nobody sees: as if each wrote one and the same cell.
        world_->footprint().push_back({detail::unknown_memory_key, Access::write, Relation::conflict, 0, false});
    }
    if (!is_any_order_ && (kind != EntityKind::thread || !world_->enabled().empty())) {
        // In asyncio's order it matters who became ready first.
        world_->footprint().push_back({ready_set_key, Access::write, Relation::conflict, 0, false});
    }
    world_->strategy()->after_step({.entity = {entity.key, entity.step},
                                    .kind = kind,
                                    .wake = wake,
                                    .end = end,
                                    .footprint = world_->footprint(),
                                    .created = world_->created(),
                                    .enabled = world_->enabled(),
                                    .disabled = world_->disabled(),
                                    .data_classes = world_->choices().data_classes(),
                                    .timers = timers_that_may_pass(),
                                    .is_pending_known = announced_.has_value(),
                                    .pending = announced_.has_value() ? announced_->span() : std::span<const Operation>()});
    announced_.reset();
    world_->clear_step();
}

void EventLoop::run_handle(detail::HandleBase& handle) {
    detail::Lane& lane = *handle.lane;
    const WakeReason wake = handle.wake;
    const EntityKind kind = wake == WakeReason::deadline ? EntityKind::timer : EntityKind::lane;
    lane.first = handle.next_in_lane;
    if (lane.first != nullptr) {
        ready_.make_selectable(*lane.first);
    } else {
        lane.last = nullptr;
    }
    handle.is_scheduled = false;
    world_->touch_as(handle.cell, {.access = Access::write, .relation = Relation::conflict}, "");
    current_handle_ = &handle;
    if (is_debug_) [[unlikely]] {
        note_step_begins("a callback");
    }
    // The other place where the library catches what user code throws.
    try {
        handle.invoke();
    } catch (const detail::TaskAbandoned&) {
        // A check failed in a callback: the world has its verdict.
    } catch (...) {
        call_exception_handler({"Exception in callback", std::current_exception()});
    }
    current_handle_ = nullptr;
    end_step<Watched::yes>(lane.entity, kind, wake, StepEnd::finished);
    detail::Ref<detail::HandleBase>::drop(&handle);
}

std::span<const Candidate> EventLoop::candidates() {
    if (threads_.is_active()) {
        return candidates_with_threads();
    }
    candidates_.clear();
    std::uint32_t left_out = rank_of_held_back();
    ready_.for_each_selectable([&](const detail::ReadyEntry& entry) {
        if (left_out-- == 0) {
            return;
        }
        candidates_.push_back(candidate(static_cast<const detail::Ready&>(entry),
                                        static_cast<std::uint32_t>(candidates_.size())));
    });
    if (may_time_pass()) {
        candidates_.push_back({.key = detail::clock_key,
                               .kind = EntityKind::time,
                               .wake = WakeReason::time_passes,
                               .calm_rank = static_cast<std::uint32_t>(candidates_.size()),
                               .step = ticks_ + 1});
    }
    return candidates_;
}

Candidate EventLoop::candidate(const detail::Ready& entry, std::uint32_t rank) const {
    const bool is_task = entry.is_task_entry;
    const detail::EntityState& entity = is_task ? static_cast<const detail::TaskBase&>(entry).entity
                                                : static_cast<const detail::HandleBase&>(entry).lane->entity;
    EntityKind kind = EntityKind::task;
    if (!is_task) {
        kind = entry.wake == WakeReason::deadline ? EntityKind::timer : EntityKind::lane;
    }
    return {.key = entity.key,
            .creator = entity.creator,
            .kind = kind,
            .wake = entry.wake,
            .calm_rank = rank,
            .step = entity.step + 1,
            .enabled_by = entry.enabled_by};
}

}  // namespace mishap
