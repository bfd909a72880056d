#include <mishap/primitives/timeout.hpp>

namespace mishap {

void Timeout::enter() {
    EventLoop& loop = detail::running_task_loop("timeout()");
    if (state_ != State::created) {
        throw UsageError("a Timeout was run twice; make a new one for each body");
    }
    state_ = State::active;
    task_ = loop.current_task();
    // The body of a task that was cancelled before, and cleans up, has a deadline too (gh-102780). A request that the task
    // has not been told of counts as one from outside: a deadline that has passed must not hide it (gh-134471).
    cancelling_at_entry_ = task_->cancelling() - (task_->must_cancel ? 1 : 0);
    reschedule(when_);
}

void Timeout::reschedule(std::optional<VirtualTime> when) {
    if (state_ != State::active) {
        throw UsageError(state_ == State::created ? "reschedule() of a Timeout that does not run a body; call it in the body"
                                                  : "reschedule() of a Timeout that has expired or ended; make a new one");
    }
    when_ = when;
    if (timer_.is_valid()) {
        timer_.cancel();
    }
    if (soon_.is_valid()) {
        soon_.cancel();
    }
    if (!when.has_value()) {
        return;
    }
    EventLoop& loop = task_->loop();
    if (*when <= loop.time()) {
        // In the next iteration: the first wait of the body throws, however short it is (gh-95051).
        soon_ = loop.call_soon([this] { expire(); });
    } else {
        timer_ = loop.call_at(*when, [this] { expire(); });
    }
}

void Timeout::expire() {
    task_->cancel(nullptr);
    state_ = State::expiring;
}

bool Timeout::leave() {
    if (state_ == State::active) {
        if (timer_.is_valid()) {
            timer_.cancel();
        }
        if (soon_.is_valid()) {
            soon_.cancel();
        }
        state_ = State::finished;
    } else if (state_ == State::expiring) {
        state_ = State::expired;
        // More requests than at entry: somebody else cancelled as well, and that must not be lost.
        return task_->uncancel() <= cancelling_at_entry_;
    }
    return false;
}

}  // namespace mishap
