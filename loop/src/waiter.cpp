#include <mishap/loop/detail/waiter.hpp>

namespace mishap::detail {

bool Waiter::cancel(const std::string* message) {
    if (look()) {
        return false;
    }
    message_ = message;
    state_ = State::cancelled;
    loop_->world().touch(*this, Access::write);
    if (first_ != nullptr) {
        loop_->wake(*first_->task, WakeReason::cancelled);
    }
    return true;
}

void Waiter::explain(WaitExplanation& explanation) const {
    if (explainer_ != nullptr) {
        explainer_->explain(explanation);
    } else {
        explanation.what = "a timer";
    }
}

void Waiter::throw_cancelled() const { throw CancelledError(message_ != nullptr ? *message_ : std::string()); }

}  // namespace mishap::detail
