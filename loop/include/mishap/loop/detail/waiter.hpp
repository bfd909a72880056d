#pragma once

#include <mishap/loop/detail/waitable.hpp>
#include <mishap/loop/event_loop.hpp>

namespace mishap::detail {

/// Says, for a report, what its waiters wait for and who could end their wait.
class Explainer {
public:
    virtual void explain(WaitExplanation& explanation) const = 0;

protected:
    ~Explainer() = default;
};

/// A future without a result that lives on the stack of the one task that waits for it.
class Waiter : public Waitable {
public:
    explicit Waiter(EventLoop& loop, const Explainer* explainer = nullptr) : loop_(&loop), explainer_(explainer) {
        if (loop.world().is_observing()) [[unlikely]] {
            loop.identify_wait(*this);
        }
    }

    /// Ends the wait; the task is scheduled, not run.
    void finish() {
        state_ = State::finished;
        loop_->world().touch(*this, Access::write);
        if (first_ != nullptr) {
            loop_->wake(*first_->task, WakeReason::future);
        }
    }
    bool cancel(const std::string* message) override;
    /// Returns whether the wait is over, where that decides what the running step does.
    bool look() const {
        loop_->world().touch(*const_cast<Waiter*>(this), Access::read);
        return is_done();
    }
    void explain(WaitExplanation& explanation) const override;

    /// Parks the current task until the wait is over.
    ///
    /// Throws:    CancelledError.
    void wait(const char* operation, Place place, Failing failing = Failing::no) {
        loop_->park(*this, operation, place, failing);
        if (failing == Failing::here) {
            loop_->throw_if_swept();
        }
        if (state_ == State::cancelled) [[unlikely]] {
            throw_cancelled();
        }
        loop_->world().touch(*this, Access::read);
    }
    TaskBase* task() const { return first_ != nullptr ? first_->task : nullptr; }

private:
    [[noreturn]] void throw_cancelled() const;

    EventLoop* loop_;
    const Explainer* explainer_;
    const std::string* message_ = nullptr;
};

}  // namespace mishap::detail
