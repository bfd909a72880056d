#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <mishap/primitives/detail/primitive.hpp>

namespace mishap {

/// A flag that tasks can wait for.
///
/// Source:    asyncio.Event, CPython 3.13 (Lib/asyncio/locks.py).
class Event : public detail::Primitive {
public:
    /// What `statistics` returns.
    struct Statistics {
        bool is_set = false;
        std::size_t waiting = 0;  // tasks, with those that were let through and have not resumed

        /// Returns the figures as asyncio's `repr` has them: "unset, waiters:2".
        std::string text() const;
    };

    Event() : Event(std::string_view()) {}
    /// `name` appears in reports.
    explicit Event(std::string_view name);

    /// Waits until the flag is set. Whoever waits when it is set is let through, even if it is cleared before it resumes.
    ///
    /// Yields:    only if the flag is not set.
    /// Cancelled: stops waiting; the flag stays as it is.
    /// Order:     `set` wakes everybody, in the order of arrival.
    /// Throws:    CancelledError; UsageError outside a task, or when the event is destroyed meanwhile.
    /// Source:    asyncio.Event.wait, CPython 3.13 (which returns True; there is nothing else to return).
    void wait(Place place = Place::here());

    /// Sets the flag and wakes everybody who waits.
    void set(Place place = Place::here());
    /// Clears the flag; wakes nobody.
    void clear(Place place = Place::here());
    bool is_set() const;
    /// Returns what a report says of it.
    Statistics statistics() const;

    void explain(const detail::WaitQueue& queue, detail::WaitExplanation& explanation) const override;

private:
    Statistics count() const { return {is_set_, waiters_.count()}; }

    bool is_set_ = false;
    detail::WaitQueue waiters_{*this, detail::WaitQueue::Wake::is_grant};
};

}  // namespace mishap
