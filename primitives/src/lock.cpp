#include <mishap/primitives/lock.hpp>

namespace mishap {

namespace {
constexpr detail::ObjectKind kind{"Lock", "lock"};
}

Lock::Lock(std::string_view name) : Primitive(kind, name) {}

void Lock::wait_and_take(EventLoop& loop, Place place) {
    touch_in(loop, Access::write, "Lock.acquire", place);
    detail::WaitEntry entry(loop);
    try {
        waiters_.wait(entry, "Lock.acquire", place, detail::Failing::by_caller);
    } catch (const CancelledError&) {
        if (!entry.is_orphaned()) {
            touch_in(loop, Access::write, "Lock.acquire is cancelled", place);
            // The wake-up may have been for this task, or was not given because this task stood at the head
            // (bpo-27585). Only ever to the head: the one behind it may have been woken already (bpo-32734).
            if (!is_locked_) {
                waiters_.wake_head();
            }
        }
        loop.throw_if_swept();
        throw;
    }
    detail::invariant(!is_locked_, "nobody takes a lock while a woken waiter has not resumed");
    touch_in(loop, Access::write, "Lock.acquire", place);
    take(loop);
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
    explanation.is_available = !is_locked_;
    if (holder_ == nullptr || detail::current_loop == nullptr) {
        return;
    }
    detail::current_loop->for_each_task([&](const detail::TaskBase& task) {
        if (&task == holder_ && task.entity.key == holder_key_) {
            explanation.holders.push_back(&task);
        }
    });
    if (explanation.holders.empty()) {
        explanation.what += ", whose holder has ended without releasing it";
    }
}

}  // namespace mishap
