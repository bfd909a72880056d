#pragma once

// One step, for those who decide which: in line, because a return on the loop's side between two switches would meet the
// processor's prediction of the task's return.

#include <cstdint>

#include <mishap/loop/detail/stack_overflow.hpp>
#include <mishap/loop/event_loop.hpp>

namespace mishap {

namespace detail {

inline constexpr std::uint32_t deadlines_max = 8;  // classes of a tick question

inline const char* ending_of(const TaskBase& task) {
    if (task.state() == Waitable::State::cancelled) {
        return "ends cancelled";
    }
    return task.peek_exception() != nullptr ? "ends with an exception" : "ends";
}

}  // namespace detail

/// Switches to the task's stack, and comes back when it waits or ends; returns whether it ended.
[[gnu::always_inline]] inline bool EventLoop::resume(detail::TaskBase& task) {
    if (task.context == nullptr) {
        __builtin_prefetch(&task + 1);  // its function
        task.context = &fibers_->acquire(task, hub_)->context;
    }
    detail::switch_context(hub_.context, *task.context);
    detail::Fiber* const ended = hub_.ended;
    if (ended == nullptr) {
        return false;
    }
    hub_.ended = nullptr;
    if (ended->stack->guard == detail::Guard::canary && !detail::canary_intact(*ended->stack)) [[unlikely]] {
        detail::report_stack_overflow(*ended->stack);
    }
    fibers_->release(ended);
    task.context = nullptr;
    return true;
}

template <EventLoop::Watched watched>
[[gnu::always_inline]] inline void EventLoop::begin_step(detail::EntityState& entity, WakeReason wake,
                                                         const EntityStep& enabled_by, std::uint32_t taken) {
    ++entity.step;
    world_->begin_step({entity.key, entity.step}, &entity.chain);
    world_->digest().fold(entity.key + ((std::uint64_t{taken} << 8U) | static_cast<std::uint64_t>(wake)));
    if (watched == Watched::yes && world_->is_tracing()) [[unlikely]] {
        // A deadline comes by itself, after whoever asked for it; who happened to go before is no cause.
        trace_step(wake, wake == WakeReason::deadline ? EntityStep{entity.creator, 0} : enabled_by, taken);
    }
}

template <EventLoop::Watched watched>
[[gnu::always_inline]] inline void EventLoop::end_step(const detail::EntityState& entity, EntityKind kind, WakeReason wake,
                                                       StepEnd end) {
    world_->digest().fold(static_cast<std::uint64_t>(world_->now_ns()) * 4 + static_cast<std::uint64_t>(end));
    world_->choices().step_made({entity.key, entity.step}, end);
    world_->end_step();
    if (watched == Watched::yes && world_->wants_steps()) [[unlikely]] {
        report_step(entity, kind, wake, end);
    }
}

template <EventLoop::Watched watched>
[[gnu::always_inline]] inline void EventLoop::step_task(detail::TaskBase& task) {
    const WakeReason wake = task.wake;
    if (watched == Watched::yes && prepares_steps_) [[unlikely]] {
        prepare_step(task);
    }
    bool has_ended = true;
    current_ = &task;
    // Its control cell, where a request for cancellation would have been seen. It has the task's key, and lies on another
    // cache line.
    world_->touch_read(task, task.entity.key);
    if (task.context == nullptr && (task.must_cancel || task.is_abandoning)) [[unlikely]] {
        // Cancelled before it began: its function never runs. What it captured is destroyed, and may not wait: it has no
        // stack to wait on.
        current_ = nullptr;
        task.drop_body();
        current_ = &task;
        task.must_cancel = false;
        task.finish_with_cancelled_error(task.must_cancel_message);
    } else {
        has_ended = resume(task);
    }
    current_ = nullptr;
    StepEnd end = StepEnd::parked;
    if (has_ended) {
        end = StepEnd::finished;
    } else if (task.ready_slot != detail::ReadyEntry::nowhere) {
        end = StepEnd::yielded;
    }
    end_step<watched>(task.entity, EntityKind::task, wake, end);
    if (end == StepEnd::finished) {
        if (watched == Watched::yes && world_->is_tracing()) [[unlikely]] {
            world_->tell({.kind = TraceEventKind::end, .object = task.key, .what = detail::ending_of(task)});
        }
        remove_task(task);
    }
}

}  // namespace mishap
