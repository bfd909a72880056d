#include <mishap/primitives/lock.hpp>

namespace mishap {

namespace {
constexpr detail::ObjectKind kind{"Lock", "lock"};
}

Lock::Lock(std::string_view name) : Primitive(kind, name) {}

std::string Lock::Statistics::text() const {
    return detail::with_waiters(is_locked ? "locked" : "unlocked", waiting);
}

void Lock::wait_and_take(EventLoop& loop, Place place) {
    bool is_gone = false;
    try {
        queue_and_take(loop, place, is_gone);
    } catch (const CancelledError&) {
        loop.throw_if_swept();
        throw;
    }
}

/// Queues up and takes the lock. `is_gone` is set when the lock was destroyed meanwhile, whatever is thrown then.
[[gnu::always_inline]] inline void Lock::queue_and_take(EventLoop& loop, Place place, bool& is_gone) {
    touch_in(loop, Access::write, "Lock.acquire", place);
    detail::WaitEntry entry(loop);
    try {
        waiters_.wait(entry, "Lock.acquire", place, detail::Failing::by_caller);
    } catch (const CancelledError&) {
        is_gone = entry.is_orphaned();
        if (!is_gone) {
            touch_in(loop, Access::write, "Lock.acquire is cancelled", place);
            // The wake-up may have been for this task, or was not given because this task stood at the head
            // (bpo-27585). Only ever to the head: the one behind it may have been woken already (bpo-32734).
            if (!is_locked_) {
                waiters_.wake_head();
            }
        }
        throw;
    }
    detail::invariant(!is_locked_, "nobody takes a lock while a woken waiter has not resumed");
    touch_in(loop, Access::write, "Lock.acquire", place);
    take(loop);
}

/// Takes the lock back for a wait that had to give it up; a cancellation, or a sweep, is for that wait to deal with.
void Lock::take_again(EventLoop& loop, Place place, bool& is_gone) {
    introduce(loop);
    if (!is_free()) {
        queue_and_take(loop, place, is_gone);
        return;
    }
    touch_in(loop, Access::write, "Lock.acquire", place);
    take(loop);
}

/// Makes the guards of a task right that is unwound and cannot wait.
void Lock::take_unwinding(EventLoop& loop) {
    if (!is_locked_) {
        take(loop);
    }
}

void Lock::release(Place place) {
    if (!is_locked_) {
        throw UsageError("release() was called on a Lock that nobody holds; call it once for each acquire()");
    }
    touch(Access::write, "Lock.release", place);
    is_locked_ = false;
    holder_ = nullptr;
    waiters_.wake_head();
}

bool Lock::locked() const {
    touch(Access::read, "Lock.locked");
    return is_locked_;
}

Lock::Statistics Lock::statistics() const {
    touch(Access::read, "Lock.statistics");
    return count();
}

bool Lock::try_lock(Place place) {
    EventLoop& loop = enter("Lock.try_lock()");
    if (!is_free()) {
        touch_in(loop, Access::read, "Lock.try_lock", place);
        return false;
    }
    touch_in(loop, Access::write, "Lock.try_lock", place);
    take(loop);
    return true;
}

void Lock::explain(const detail::WaitQueue&, detail::WaitExplanation& explanation) const {
    explanation.what = describe();
    explanation.state = count().text();
    explanation.is_available = !is_locked_;
    if (holder_ == nullptr || detail::current_loop == nullptr) {
        return;
    }
    detail::current_loop->for_each_task_and_thread([&](const detail::TaskBase& task) {
        if (&task == holder_ && task.entity.key == holder_key_) {
            explanation.holders.push_back(&task);
        }
    });
    if (explanation.holders.empty()) {
        explanation.what += ", whose holder has ended without releasing it";
    }
}

}  // namespace mishap
