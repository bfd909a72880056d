#include <mishap/primitives/condition.hpp>

#include <exception>

#include <fmt/format.h>

namespace mishap {

namespace {

constexpr detail::ObjectKind kind{"Condition", "condition"};

/// Keeps a task where it is for good: to leave, it would have to go through guards of a lock that is no more.
class StayingForGood {
public:
    explicit StayingForGood(EventLoop& loop) : loop_(loop) {}
    // Who parks while an exception is on its way is given up, not unwound (see EventLoop::refuse_to_wait).
    ~StayingForGood() noexcept(false) { loop_.park_failed(); }
    StayingForGood(const StayingForGood&) = delete;
    StayingForGood& operator=(const StayingForGood&) = delete;

private:
    EventLoop& loop_;
};

[[noreturn]] void stay_for_good(EventLoop& loop) {
    const StayingForGood staying(loop);
    throw detail::TaskAbandoned();
}

}  // namespace

Condition::Condition(std::string_view name)
    : Primitive(kind, name), lock_(&own_lock_.emplace(name)), waiters_(*this, detail::WaitQueue::Wake::is_claim) {}

Condition::Condition(Lock& lock, std::string_view name)
    : Primitive(kind, name), lock_(&lock), waiters_(*this, detail::WaitQueue::Wake::is_grant) {}

std::string Condition::Statistics::text() const {
    return detail::with_waiters(is_locked ? "locked" : "unlocked", waiting);
}

void Condition::check_locked(const char* operation) const {
    if (!lock_->is_locked_) {
        throw UsageError(fmt::format("Condition.{}() was called without its lock; call it while a guard() of the condition lives",
                                     operation));
    }
}

void Condition::wait(Place place) {
    EventLoop& loop = enter("Condition.wait()");
    check_locked("wait");
    touch_in(loop, Access::write, "Condition.wait", place);
    // From here on the condition may be destroyed whenever the task is parked, and then its own lock is gone too.
    Lock& lock = *lock_;
    const bool is_lock_own = own_lock_.has_value();
    bool is_lock_gone = false;
    std::exception_ptr error;  // the latest: each is thrown for one request to cancel, and only one can leave
    lock.release(place);
    detail::WaitEntry entry(loop);
    try {
        try {
            waiters_.wait(entry, "Condition.wait", place, detail::Failing::by_caller);
        } catch (const CancelledError&) {
            error = std::current_exception();
        } catch (const UsageError&) {
            error = std::current_exception();  // destroyed, in the real world
        }
        is_lock_gone = is_lock_own && entry.is_orphaned();
        for (bool has_lock = false; !has_lock && !is_lock_gone;) {
            try {
                lock.take_again(loop, place, is_lock_gone);
                has_lock = true;
            } catch (const CancelledError&) {
                error = std::current_exception();
            }
        }
    } catch (const detail::TaskAbandoned&) {
        lock.take_unwinding(loop);
        throw;
    }
    if (is_lock_gone && loop.world().is_simulated()) {
        stay_for_good(loop);
    }
    if (error == nullptr) {
        return;
    }
    // It may have been notified, and does not act on it: somebody else has to (gh-112202).
    if (!entry.is_orphaned()) {
        touch_in(loop, Access::write, "Condition.wait is cancelled", place);
        waiters_.wake_next();
    }
    loop.throw_if_swept();
    std::rethrow_exception(error);
}

void Condition::notify(std::size_t count, Place place) {
    check_locked("notify");
    touch(Access::write, "Condition.notify", place);
    while (count != 0 && waiters_.wake_next()) {
        --count;
    }
}

void Condition::notify_all(Place place) {
    check_locked("notify_all");
    touch(Access::write, "Condition.notify_all", place);
    waiters_.wake_all();
}

Condition::Statistics Condition::count() const { return {lock_->is_locked_, waiters_.count(), lock_->waiters_.count()}; }

Condition::Statistics Condition::statistics() const {
    touch(Access::read, "Condition.statistics");
    lock_->touch(Access::read, "Condition.statistics");
    return count();
}

void Condition::explain(const detail::WaitQueue&, detail::WaitExplanation& explanation) const {
    explanation.what = describe();
    explanation.state = count().text();
    explanation.is_signal = true;
}

}  // namespace mishap
