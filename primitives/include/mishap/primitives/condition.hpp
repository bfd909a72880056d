#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <mishap/primitives/lock.hpp>

namespace mishap {

/// Lets tasks wait until others have changed what they share, under a lock.
///
/// A wait may end although nobody notified it: look again, or use `wait_for`. Several conditions may share one lock.
///
/// Source:    asyncio.Condition, CPython 3.13 (Lib/asyncio/locks.py).
class Condition : public detail::Primitive {
public:
    /// What `statistics` returns.
    struct Statistics {
        bool is_locked = false;
        std::size_t waiting = 0;           // tasks in `wait` that have not resumed since they were notified
        std::size_t waiting_for_lock = 0;  // tasks in the lock's queue, notified ones among them

        /// Returns the figures as asyncio's `repr` has them: "unlocked, waiters:2".
        std::string text() const;
    };

    /// Makes a condition with a lock of its own; `name` appears in reports.
    explicit Condition(std::string_view name = {});
    /// Makes a condition on `lock`, which must outlive it.
    explicit Condition(Lock& lock, std::string_view name = {});

    /// Gives the lock up, waits to be notified, and takes the lock again. The caller has the lock however this ends.
    ///
    /// Yields:    always.
    /// Cancelled: takes the lock again first, however often it is cancelled meanwhile; then throws the last of the
    ///            cancellations. A notification it had already received goes to the next waiter.
    /// Order:     `notify` wakes the waiters in the order in which they came.
    /// Throws:    CancelledError; UsageError without the lock (asyncio: RuntimeError), outside a task, or when the
    ///            condition is destroyed meanwhile.
    /// Source:    asyncio.Condition.wait, CPython 3.13.
    void wait(Place place = Place::here());

    /// Waits until `predicate()` is true, and returns what it returned. It is called under the lock.
    ///
    /// Yields:    only if the predicate is false at first.
    /// Cancelled, Throws: as `wait`, and what the predicate throws.
    /// Order:     a waiter whose predicate is false when it resumes waits again, at the tail.
    /// Source:    asyncio.Condition.wait_for, CPython 3.13.
    template <class F>
    auto wait_for(F&& predicate, Place place = Place::here()) {
        for (;;) {
            auto result = predicate();
            if (result) {
                return result;
            }
            wait(place);
        }
    }

    /// Wakes the first `count` waiters, or all there are; they go on once they have the lock, which the caller keeps.
    ///
    /// Throws:    UsageError when nobody has the lock (asyncio: RuntimeError).
    void notify(std::size_t count = 1, Place place = Place::here());
    /// Wakes all waiters.
    ///
    /// Throws:    as `notify`.
    void notify_all(Place place = Place::here());

    /// The lock's own: see `Lock`.
    void acquire(Place place = Place::here()) { lock_->acquire(place); }
    void release(Place place = Place::here()) { lock_->release(place); }
    bool locked() const { return lock_->locked(); }
    /// Takes the lock and returns its guard.
    ///
    /// Yields, Cancelled, Order, Throws: as `Lock::acquire`.
    [[nodiscard]] std::unique_lock<Lock> guard(Place place = Place::here()) { return lock_->guard(place); }
    /// What the standard's guards call.
    void lock() { lock_->lock(); }
    void unlock() { lock_->unlock(); }
    bool try_lock(Place place = {}) { return lock_->try_lock(place); }

    /// Returns what a report says of it.
    Statistics statistics() const;

    void explain(const detail::WaitQueue& queue, detail::WaitExplanation& explanation) const override;

private:
    void check_locked(const char* operation) const;
    Statistics count() const;

    std::optional<Lock> own_lock_;
    Lock* lock_;
    detail::WaitQueue waiters_;
};

}  // namespace mishap
