#include <mishap/primitives/semaphore.hpp>

#include <fmt/format.h>

namespace mishap {

namespace {
constexpr detail::ObjectKind semaphore_kind{"Semaphore", "semaphore"};
constexpr detail::ObjectKind bounded_kind{"BoundedSemaphore", "semaphore"};
}  // namespace

Semaphore::Semaphore(std::int64_t value, std::string_view name) : Semaphore(semaphore_kind, value, unbounded, name) {}

Semaphore::Semaphore(const detail::ObjectKind& kind, std::int64_t value, std::int64_t value_max, std::string_view name)
    : Primitive(kind, name), value_(value), value_max_(value_max), is_signal_(value == 0) {
    if (value < 0) {
        throw UsageError(fmt::format("a {} was made with {} permits; give 0 or more", kind.type, value));
    }
}

BoundedSemaphore::BoundedSemaphore(std::int64_t value, std::string_view name)
    : Semaphore(bounded_kind, value, value, name) {}

std::string Semaphore::Statistics::text() const {
    return detail::with_waiters(is_locked ? "locked" : fmt::format("unlocked, value:{}", value), waiting);
}

/// Gives the permits that are there to those who are next.
void Semaphore::hand_out() {
    while (value_ > 0 && waiters_.wake_next()) {
        --value_;
    }
}

void Semaphore::wait_and_take(EventLoop& loop, Place place) {
    touch_in(loop, Access::write, "Semaphore.acquire", place);
    detail::WaitEntry entry(loop);
    try {
        waiters_.wait(entry, "Semaphore.acquire", place, detail::Failing::by_caller);
    } catch (const CancelledError&) {
        if (!entry.is_orphaned()) {
            touch_in(loop, Access::write, "Semaphore.acquire is cancelled", place);
            if (entry.is_woken()) {
                ++value_;  // the permit was this task's already (asyncio issue 270)
            }
            hand_out();
        }
        loop.throw_if_swept();
        throw;
    }
    if (!entry.is_orphaned()) {
        touch_in(loop, Access::write, "Semaphore.acquire", place);
        hand_out();  // permits may have come back that nobody was woken for (gh-111693)
    }
}

void Semaphore::release(Place place) {
    if (value_ >= value_max_) {
        throw UsageError("release() was called more often than acquire() on a BoundedSemaphore; use a Semaphore if that is right");
    }
    touch(Access::write, "Semaphore.release", place);
    ++value_;
    if (waiters_.wake_next()) {
        --value_;
    }
}

bool Semaphore::locked() const {
    touch(Access::read, "Semaphore.locked");
    return !is_free();
}

Semaphore::Statistics Semaphore::statistics() const {
    touch(Access::read, "Semaphore.statistics");
    return count();
}

bool Semaphore::try_lock(Place place) {
    EventLoop& loop = enter("Semaphore.try_lock()");
    if (!is_free()) {
        touch_in(loop, Access::read, "Semaphore.try_lock", place);
        return false;
    }
    touch_in(loop, Access::write, "Semaphore.try_lock", place);
    --value_;
    return true;
}

void Semaphore::explain(const detail::WaitQueue&, detail::WaitExplanation& explanation) const {
    explanation.what = describe();
    explanation.state = count().text();
    explanation.is_available = value_ > 0;
    explanation.is_signal = is_signal_;
}

}  // namespace mishap
