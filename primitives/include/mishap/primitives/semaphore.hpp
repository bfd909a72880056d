#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <string>
#include <string_view>

#include <mishap/primitives/detail/primitive.hpp>

namespace mishap {

/// Hands out a number of permits; `release` may be called more often than `acquire`.
///
/// Source:    asyncio.Semaphore, CPython 3.13 (Lib/asyncio/locks.py).
class Semaphore : public detail::Primitive {
public:
    /// What `statistics` returns.
    struct Statistics {
        bool is_locked = false;    // as `locked()`
        std::int64_t value = 0;    // permits that nobody has, and nobody who was woken
        std::size_t waiting = 0;   // tasks in the queue, with those that were woken and have not resumed

        /// Returns the figures as asyncio's `repr` has them: "unlocked, value:3" or "locked, waiters:2".
        std::string text() const;
    };

    /// Makes a semaphore with `value` permits; `name` appears in reports.
    ///
    /// Throws:    UsageError when `value` is negative (asyncio: ValueError).
    explicit Semaphore(std::int64_t value = 1, std::string_view name = {});

    /// Takes a permit, waiting while there is none or others stand in the queue.
    ///
    /// Yields:    only if it has to wait.
    /// Cancelled: leaves the queue; a permit it had already been given goes to the next waiter.
    /// Order:     first come, first served.
    /// Throws:    CancelledError; UsageError outside a task, or when the semaphore is destroyed meanwhile.
    /// Source:    asyncio.Semaphore.acquire, CPython 3.13.
    void acquire(Place place = Place::here()) {
        EventLoop& loop = enter("Semaphore.acquire()");
        if (is_free()) [[likely]] {
            maybe_yield(loop, "Semaphore.acquire", place);
            if (is_free()) [[likely]] {
                touch_in(loop, Access::write, "Semaphore.acquire", place);
                --value_;
                return;
            }
        }
        wait_and_take(loop, place);
    }

    /// Gives a permit back, to the first in the queue if there is one.
    ///
    /// Throws:    UsageError on a BoundedSemaphore that would have more permits than at first (asyncio: ValueError).
    void release(Place place = Place::here());

    /// Returns whether `acquire` would have to wait: no permit is there, or others come first.
    bool locked() const;
    /// Returns what a report says of it.
    Statistics statistics() const;

    /// Takes a permit and returns its guard.
    ///
    /// Yields, Cancelled, Order, Throws: as `acquire`.
    [[nodiscard]] std::unique_lock<Semaphore> guard(Place place = Place::here()) {
        acquire(place);
        return std::unique_lock<Semaphore>(*this, std::adopt_lock);
    }

    /// What the standard's guards call.
    void lock() { acquire({}); }
    void unlock() { release({}); }
    /// Takes a permit if that needs no waiting. Returns whether it did.
    ///
    /// Throws:    UsageError outside a task.
    bool try_lock(Place place = {});

    void explain(const detail::WaitQueue& queue, detail::WaitExplanation& explanation) const override;

protected:
    static constexpr std::int64_t unbounded = std::numeric_limits<std::int64_t>::max();

    Semaphore(const detail::ObjectKind& kind, std::int64_t value, std::int64_t value_max, std::string_view name);

private:
    bool is_free() const { return value_ > 0 && !waiters_.has_live(); }
    void wait_and_take(EventLoop& loop, Place place);
    void hand_out();
    Statistics count() const { return {!is_free(), value_, waiters_.count()}; }

    std::int64_t value_;  // permits that are neither taken nor given to a waiter that has not resumed
    std::int64_t value_max_;
    bool is_signal_;  // begins without permits: not for keeping others out, but for telling them
    detail::WaitQueue waiters_{*this, detail::WaitQueue::Wake::is_grant};
};

/// A semaphore that refuses to have more permits than at first.
///
/// Source:    asyncio.BoundedSemaphore, CPython 3.13.
class BoundedSemaphore : public Semaphore {
public:
    explicit BoundedSemaphore(std::int64_t value = 1, std::string_view name = {});
};

}  // namespace mishap
