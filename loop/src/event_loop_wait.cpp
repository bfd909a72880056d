// How the running task waits, yields, and is cancelled by a mishap.

#include <mishap/loop/event_loop.hpp>

#include <algorithm>

namespace mishap {

// Out of line, so that the event takes no room in the frames of suspended tasks.
void EventLoop::tell_pause(TraceEventKind kind, std::uint64_t object, const char* operation, Place place) {
    world_->tell({.kind = kind, .object = object, .what = operation, .place = place});
}

/// That it was not complete is what the step saw of it.
void EventLoop::observe_wait(detail::Waitable& waitable, const char* operation, Place place) {
    world_->touch(waitable, Access::read);
    if (world_->is_tracing()) {
        tell_pause(TraceEventKind::wait, waitable.key, operation, place);
    }
}

void EventLoop::park(detail::Waitable& waitable, const char* operation, Place place, detail::Failing failing) {
    detail::TaskBase& task = *current_;
    if (task.is_abandoning) [[unlikely]] {
        refuse_to_wait();
    }
    detail::Listener listener{nullptr, &task, nullptr};
    waitable.add_listener(listener);
    task.waiting_on = &waitable;
    detail::AwaitFrame frame{operation, place, task.frames};
    task.frames = &frame;
    if (task.must_cancel && waitable.cancel(task.must_cancel_message)) [[unlikely]] {
        task.must_cancel = false;
    }
    ++world_->activity().waits;
    if (world_->is_observing()) [[unlikely]] {
        observe_wait(waitable, operation, place);
    }
    if (is_watched_) [[unlikely]] {
        attend_wait(task, waitable, operation, place, failing);
    }
    suspend();
    if (is_watched_ && counts_overtaking_) [[unlikely]] {
        note_wake(task);
    }
    task.frames = frame.outer;
    task.waiting_on = nullptr;
    if (task.is_interrupted()) [[unlikely]] {
        if (task.is_abandoning && !waitable.is_done()) {
            waitable.remove_listener(listener);
        }
        if (task.must_cancel && waitable.throws_cancelled()) {
            // A second request before the task resumes is served by the first: its CancelledError, with its message.
            task.must_cancel = false;
        }
        task.throw_if_interrupted();
    }
}

/// Does, before a task parks, what few runs want.
void EventLoop::attend_wait(detail::TaskBase& task, detail::Waitable& waitable, const char* operation, Place place,
                            detail::Failing failing) {
    if (sweep_ != Sweep::off && (failing != detail::Failing::no || sweep_ == Sweep::cancel)) {
        if (sweep_await(task, operation, place) && sweep_ != Sweep::cancel) {
            waitable.cancel(&detail::injected_message());
        }
    }
    if (counts_overtaking_) {
        count_overtaking(task, operation, place);
    }
}

void EventLoop::yield(const char* operation, Place place) {
    detail::TaskBase& task = *current_;
    if (task.is_abandoning) [[unlikely]] {
        refuse_to_wait();
    }
    task.wake = WakeReason::yield;
    task.enabled_by = world_->running();
    detail::Suspension suspension(task);
    ready_.push(task, true, task.context);
    if (may_hold_back_ && is_spinning(task, operation, place)) [[unlikely]] {
        held_back_ = &task;  // among threads nobody looks at it: there the task that is held can be
    }
    detail::AwaitFrame frame{operation, place, task.frames};
    task.frames = &frame;
    if (is_watched_) [[unlikely]] {
        attend_yield(task, operation, place);
    }
    suspend(suspension);
    task.frames = frame.outer;
    if (is_watched_) [[unlikely]] {
        throw_if_swept();
    }
    task.throw_if_interrupted();
}

/// As `attend_wait`, before a task yields.
void EventLoop::attend_yield(detail::TaskBase& task, const char* operation, Place place) {
    if (world_->is_tracing()) {
        tell_pause(TraceEventKind::yield, 0, operation, place);
    }
    if (sweep_ != Sweep::off) {
        sweep_await(task, operation, place);
    }
}

void EventLoop::force_yield(const char* operation, Place place, detail::Tracked& seen) {
    if (current_ == nullptr || world_->spent().forced_yields >= world_->options().forced_yields ||
        !world_->choices().is_asking()) {
        return;
    }
    if (world_->choices().decide(ChoiceKind::forced_yield, 2, {}, world_->running(), 0,
                                  {world_->forced_yields_budget().key,
                                   world_->options().forced_yields - world_->spent().forced_yields}) == 0) {
        return;
    }
    ++world_->spent().forced_yields;
    world_->digest().fold(static_cast<std::uint64_t>(ChoiceKind::forced_yield));
    world_->touch(seen, Access::read);  // that it would not suspend; who is not made to yield sees more of it
    world_->touch_as(world_->forced_yields_budget(), {.access = Access::write, .is_budget = true}, "");
    if (world_->is_tracing()) {
        world_->tell({.kind = TraceEventKind::mishap, .value = 1, .what = "yields where it need not wait", .place = place});
    }
    yield(operation, place);
}

void EventLoop::maybe_inject_cancellation(detail::TaskBase& task) {
    const WorldOptions& options = world_->options();
    if (task.entity.step == 1 && !options.cancel_everywhere) {
        return;
    }
    if (world_->spent().cancellations >= options.cancellations || !task.is_eligible || task.must_cancel ||
        !world_->choices().is_asking()) {
        return;
    }
    if (task.wake != WakeReason::future && !options.cancel_everywhere) {
        return;
    }
    if (world_->choices().decide(ChoiceKind::cancel, 2, {}, world_->running(), 0,
                                  {world_->cancellations_budget().key,
                                   options.cancellations - world_->spent().cancellations}) == 0) {
        return;
    }
    // A task that shrugs it off goes on as if nothing had been: yet it is another run.
    world_->digest().fold(static_cast<std::uint64_t>(ChoiceKind::cancel));
    ++world_->spent().cancellations;
    world_->touch_as(world_->cancellations_budget(), {.access = Access::write, .is_budget = true}, "");
    if (world_->is_tracing()) {
        world_->tell({.kind = TraceEventKind::mishap, .value = 1, .what = "is cancelled before it resumes"});
    }
    victims_.push_back(task.entity.key);
    // What `Task::cancel` does to a task whose wait is over.
    world_->touch(task, Access::write);
    ++task.cancel_requests_;
    task.must_cancel = true;
    task.must_cancel_message = &detail::injected_message();
}

bool EventLoop::is_victim(std::uint64_t task_key) const {
    return std::find(victims_.begin(), victims_.end(), task_key) != victims_.end();
}

}  // namespace mishap
