// The loop's clock in a simulated world: what becomes due, and when time moves.

#include <mishap/loop/event_loop.hpp>

#include <algorithm>

#include <mishap/sim/detail/clock_key.hpp>

#include <fmt/format.h>

#include "step.hpp"

namespace mishap {

void EventLoop::release_due_timers() {
    timers_.pop_until(world_->now_ns(), [&](std::int64_t, detail::HandleBase* handle) {
        handle->lane = &handle->own_lane;
        handle->own_lane.first = handle->own_lane.last = handle;
        handle->next_in_lane = nullptr;
        handle->wake = WakeReason::deadline;
        handle->enabled_by = world_->running();
        ready_.push(*handle);
        if (world_->wants_steps()) {
            world_->enabled().push_back(handle->own_lane.entity.key);
        }
    });
}

/// Makes timers ready that were armed when their deadline had come: in the next iteration, as in asyncio. Nobody's footprint
/// tells when that is, so it is told as a step of the clock.
void EventLoop::release_late_timers() {
    release_due_timers();
    if (!world_->enabled().empty() && (!is_sharing_unknown_ || root_->threads_.is_active())) [[unlikely]] {
        ++ticks_;
        world_->observe_clock();
        report_clock_step(WakeReason::deadline);
    }
}

void EventLoop::tick() {
    const std::int64_t now = choose_deadline();
    if (now > world_->options().time_max.count() && !world_->is_tearing_down()) {
        fail_over_time();
        return;
    }
    ++ticks_;
    if (now > world_->now_ns()) {
        world_->move_clock(now);
    }
    release_due_timers();
    world_->observe_clock();
    if (world_->wants_steps()) [[unlikely]] {
        report_clock_step(WakeReason::time_passes);
    }
}

void EventLoop::fail_over_time() {
    world_->fail({.kind = FindingKind::over_budget,
                  .what = fmt::format("the run needs more than {} s of virtual time; raise time_max if that is right",
                                      world_->options().time_max.count() / 1'000'000'000),
                  .label = "time_max"});
}

/// Tells the strategy that the clock has moved, and what came due: it is nobody else's step.
void EventLoop::report_clock_step(WakeReason wake) {
    world_->strategy()->after_step({.entity = {detail::clock_key, ticks_},
                                    .kind = EntityKind::time,
                                    .wake = wake,
                                    .footprint = world_->footprint(),
                                    .enabled = world_->enabled(),
                                    .data_classes = world_->choices().data_classes(),
                                    .timers = timers_that_may_pass()});
    world_->clear_step();
}

/// Returns how many timers time may still pass for while something is ready.
std::uint32_t EventLoop::timers_that_may_pass() const {
    if (!root_->may_pass_ || world_->spent().time_passes >= world_->options().time_passes) {
        return 0;
    }
    std::size_t count = root_->timers_.size() + root_->threads_.deadlines().size();
    for (const EventLoop* guest : root_->guests_) {
        count += guest->timers_.size();
    }
    return static_cast<std::uint32_t>(count);
}

/// Returns the deadline to which the clock goes: the earliest, or, as a mishap, a later one within the slack.
std::int64_t EventLoop::choose_deadline() {
    const std::int64_t slack = world_->options().timer_slack.count();
    if (slack == 0 || !world_->choices().is_asking()) {
        return timers_.earliest();
    }
    std::array<std::int64_t, detail::deadlines_max + 1> deadlines{};
    std::uint32_t count = 0;
    timers_.distinct_deadlines(slack, detail::deadlines_max + 1, [&](std::int64_t when) {
        if (count == 0 || when <= world_->options().time_max.count()) {
            deadlines[count++] = when;
        }
    });
    if (count > detail::deadlines_max) {
        world_->tell_amounts_sampled();
        count = detail::deadlines_max;
    }
    return deadlines[world_->choices().decide(ChoiceKind::tick, count, {}, {detail::clock_key, ticks_ + 1}, 0)];
}

bool EventLoop::may_time_pass() {
    const WorldOptions& options = world_->options();
    return world_->spent().time_passes < options.time_passes && !timers_.empty() && is_any_order_ &&
           timers_.earliest() <= options.time_max.count();  // a mishap must not use up the run's time
}

/// Makes the timers of the next deadline ready although other entries are.
void EventLoop::let_time_pass() {
    ++world_->spent().time_passes;
    world_->touch_as(world_->time_passes_budget(), {.access = Access::write, .is_budget = true}, "time passes");
    const bool is_alone = guests_.empty() && threads_.deadlines().empty();
    const std::int64_t now = std::max(is_alone ? timers_.earliest() : *next_deadline(), world_->now_ns());
    ++ticks_;
    held_back_ = nullptr;  // it may wait for the time
    world_->move_clock(now);
    world_->digest().fold(detail::clock_key);
    if (is_alone) {
        release_due_timers();
    } else {
        release_all_due();
    }
    world_->observe_clock();
    if (world_->wants_steps()) [[unlikely]] {
        // Of timers of several loops and of threads nobody can tell from footprints for which time may pass.
        report_clock_step(is_alone ? WakeReason::time_passes : WakeReason::deadline);
    }
    ready_.begin_batch();
}

}  // namespace mishap
