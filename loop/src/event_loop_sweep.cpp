// An await that goes wrong because a sweep has come to it.
//
// The task is cancelled while it is blocked, which is what its canceller, or a deadline, would do to it: so everything
// between the wait and the program cleans up as it does then. For the sweeps of timeouts and failures only the wait is
// cancelled, and the operation turns that into the error at the place where it ends for its caller.

#include <array>

#include <fmt/format.h>
#include <mishap/loop/event_loop.hpp>

namespace mishap {

namespace {

// For strategies that draw: in a run of some dozens of awaits each of them is likely enough.
constexpr std::array<std::uint32_t, 2> sweep_weights = {31, 1};

const char* story_of(Sweep sweep) {
    switch (sweep) {
        case Sweep::cancel: return "is cancelled there";
        case Sweep::timeout: return "times out there";
        case Sweep::fail: return "fails there";
        case Sweep::off: break;
    }
    return "";
}

}  // namespace

/// Asks whether the await that `task` has begun goes wrong; returns whether it does.
bool EventLoop::sweep_await(detail::TaskBase& task, const char* operation, Place place) {
    if (world_->spent().sweeps != 0 || task.is_thread || !world_->choices().is_asking()) {
        return false;
    }
    ++awaits_;
    const std::uint64_t label = hash_text(operation);
    if (world_->is_observing()) {
        world_->names().put(label, detail::outside_key, operation);
    }
    if (world_->choices().decide(ChoiceKind::sweep, 2, sweep_weights, world_->running(), label,
                                  {world_->sweeps_budget().key, 1}) == 0) {
        return false;
    }
    ++world_->spent().sweeps;
    world_->touch_as(world_->sweeps_budget(), {.access = Access::write, .is_budget = true}, "");
    world_->digest().fold(static_cast<std::uint64_t>(ChoiceKind::sweep));
    world_->swept() = {awaits_, world_->running(), task.path(), operation, place};
    if (world_->is_tracing()) {
        world_->tell({.kind = TraceEventKind::mishap, .value = 1, .what = story_of(sweep_), .place = place});
    }
    victims_.push_back(task.entity.key);
    world_->touch(task, Access::write);
    if (sweep_ == Sweep::cancel) {
        cancel_blocked(task);
    } else {
        swept_task_ = &task;
        requests_before_sweep_ = task.cancelling();
    }
    return true;
}

/// What `Task::cancel` does to a task that waits, without saying that somebody has called it.
void EventLoop::cancel_blocked(detail::TaskBase& task) {
    ++task.cancel_requests_;
    task.is_passing_request = true;
    const bool is_served = task.waiting_on != nullptr && task.waiting_on->cancel(&detail::injected_message());
    task.is_passing_request = false;
    if (!is_served) {
        task.must_cancel = true;
        task.must_cancel_message = &detail::injected_message();
    }
}

void EventLoop::throw_swept() {
    if (swept_task_ != current_ || world_->is_tearing_down()) {
        return;
    }
    swept_task_ = nullptr;
    if (current_->cancelling() > requests_before_sweep_) {
        return;  // somebody has cancelled the task meanwhile: that must not be lost
    }
    if (sweep_ == Sweep::timeout) {
        throw detail::InjectedTimeout();
    }
    throw InjectedFailure();
}

}  // namespace mishap
