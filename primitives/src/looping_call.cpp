#include <mishap/primitives/looping_call.hpp>

#include <fmt/format.h>

namespace mishap {

Task<void> LoopingCall::start(std::chrono::nanoseconds interval, bool now, EventLoop& loop) {
    if (state_->is_running) {
        throw UsageError("start() of a LoopingCall that runs; stop() it first, or reset() it");
    }
    if (interval.count() < 0) {
        throw UsageError("start() of a LoopingCall with a negative interval");
    }
    state_->interval = interval;
    state_->is_now = now;
    state_->was_reset = false;
    state_->loop = &loop;
    state_->began = loop.time();
    state_->last_call.reset();
    state_->turn.reset();
    const std::uint64_t number = ++state_->starts;
    // Never at once, whatever the loop's task factory: it would find that it does not run, and end.
    const auto task = loop.create_task([state = state_, number] { state->run(number); },
                                       {.name = "looping_call", .eager_start = false});
    state_->is_running = true;
    // However the task ends, and be it before it began.
    task.add_done_callback([state = state_, number](const Future<void>&) {
        if (state->goes_on(number)) {
            state->is_running = false;
        }
    });
    return task;
}

void LoopingCall::stop() {
    if (!state_->is_running) {
        throw UsageError("stop() of a LoopingCall that does not run");
    }
    state_->is_running = false;
    state_->wake();
}

void LoopingCall::reset() {
    if (!state_->is_running) {
        throw UsageError("reset() of a LoopingCall that does not run");
    }
    state_->began = state_->loop->time();
    state_->last_call.reset();
    state_->is_now = false;
    state_->was_reset = true;
    state_->wake();
}

void LoopingCall::State::wake() {
    if (turn.has_value() && !turn->done()) {
        turn->set_result();
    }
}

void LoopingCall::State::run(std::uint64_t number) {
    if (is_now && goes_on(number)) {
        call();
    }
    while (goes_on(number)) {
        was_reset = false;
        wait_for_turn();
        if (goes_on(number) && !was_reset) {
            call();
        }
    }
}

void LoopingCall::State::call() {
    const VirtualTime now = loop->time();
    std::int64_t intervals = 1;
    if (interval.count() != 0) {
        // A first call that is made at once counts as one interval.
        const std::int64_t before = last_call.has_value() ? interval_of(*last_call) : (is_now ? -1 : 0);
        intervals = interval_of(now) - before;
    }
    last_call = now;
    function(intervals);
}

/// Returns the first multiple of the interval that is yet to come: computed from the start, so that nothing adds up.
VirtualTime LoopingCall::State::next_turn() const {
    const VirtualTime now = loop->time();
    const std::chrono::nanoseconds until = interval - (now - began) % interval;
    return until > VirtualTime::max() - now ? VirtualTime::max() : now + until;
}

void LoopingCall::State::wait_for_turn() {
    if (interval.count() == 0) {
        sleep(std::chrono::nanoseconds(0));
        return;
    }
    const Future<void> next = loop->create_future<void>();
    turn = next;
    /// Takes the timer back however the wait ends.
    struct Timer {
        TimerHandle handle;
        ~Timer() { handle.cancel(); }
    } const timer{loop->call_at(next_turn(), [next] {
        if (!next.done()) {
            next.set_result();
        }
    })};
    await(next);
}

}  // namespace mishap
