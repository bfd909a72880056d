#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

#include <mishap/primitives/detail/primitive.hpp>

namespace mishap {

/// Lets one task at a time pass; for shared state that must stay consistent across a wait.
///
/// Belongs to no task: any may release it. `std::unique_lock` and `std::scoped_lock` work with it, as does `guard`,
/// which knows its place in reports.
///
/// Source:    asyncio.Lock, CPython 3.13 (Lib/asyncio/locks.py).
class Lock : public detail::Primitive {
public:
    /// What `statistics` returns.
    struct Statistics {
        bool is_locked = false;
        std::size_t waiting = 0;  // tasks in the queue, with one that was woken and has not resumed

        /// Returns the figures as asyncio's `repr` has them: "locked, waiters:2".
        std::string text() const;
    };

    Lock() : Lock(std::string_view()) {}
    /// `name` appears in reports.
    explicit Lock(std::string_view name);

    /// Takes the lock, waiting while another task holds it or stands in the queue.
    ///
    /// Yields:    only if it has to wait.
    /// Cancelled: leaves the queue; a wake-up it had already received goes to the next waiter.
    /// Order:     first come, first served; `release` hands over to the head of the queue.
    /// Throws:    CancelledError; UsageError outside a task, or when the lock is destroyed meanwhile.
    /// Source:    asyncio.Lock.acquire, CPython 3.13.
    void acquire(Place place = Place::here()) {
        EventLoop& loop = enter("Lock.acquire()");
        if (is_free()) [[likely]] {
            maybe_yield(loop, "Lock.acquire", place);
            if (is_free()) [[likely]] {
                touch_in(loop, Access::write, "Lock.acquire", place);
                take(loop);
                return;
            }
        }
        wait_and_take(loop, place);
    }

    /// Gives the lock up and wakes the head of the queue, which has it from when it resumes; nobody can overtake it.
    ///
    /// Throws:    UsageError when nobody holds it (asyncio: RuntimeError).
    void release(Place place = Place::here());

    /// Returns whether somebody holds the lock. A lock that was released for a waiter that has not resumed counts as free.
    bool locked() const;

    /// Returns what a report says of it.
    Statistics statistics() const;

    /// Takes the lock and returns its guard.
    ///
    /// Yields, Cancelled, Order, Throws: as `acquire`.
    [[nodiscard]] std::unique_lock<Lock> guard(Place place = Place::here()) {
        acquire(place);
        return std::unique_lock<Lock>(*this, std::adopt_lock);
    }

    /// What the standard's guards call. They say no place, because it would be one in the standard library.
    void lock() { acquire({}); }
    void unlock() { release({}); }
    /// Takes the lock if that needs no waiting. Returns whether it did.
    ///
    /// Throws:    UsageError outside a task.
    bool try_lock(Place place = {});

    void explain(const detail::WaitQueue& queue, detail::WaitExplanation& explanation) const override;

private:
    friend class Condition;

    bool is_free() const { return !is_locked_ && !waiters_.has_live(); }
    void take(EventLoop& loop) {
        is_locked_ = true;
        holder_ = loop.current_task();
        holder_key_ = holder_->entity.key;
    }
    void wait_and_take(EventLoop& loop, Place place);
    void queue_and_take(EventLoop& loop, Place place, bool& is_gone);
    void take_again(EventLoop& loop, Place place, bool& is_gone);
    void take_unwinding(EventLoop& loop);
    Statistics count() const { return {is_locked_, waiters_.count()}; }

    bool is_locked_ = false;
    // For reports only. The task may be gone and its memory another's, hence the key.
    const detail::TaskBase* holder_ = nullptr;
    std::uint64_t holder_key_ = 0;
    detail::WaitQueue waiters_{*this, detail::WaitQueue::Wake::is_hint};
};

}  // namespace mishap
