#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include <mishap/primitives/detail/queue_base.hpp>

namespace mishap::detail {

/// A queue whose items `Items` keeps: it says with `push`, `pop` and `clear` which of them leaves next.
template <class T, class Items>
class BasicQueue : public QueueBase {
public:
    /// Puts an item in, waiting while there is no room. When it throws, an item that was to be moved still is with the
    /// caller.
    ///
    /// Yields:    only if it has to wait.
    /// Cancelled: nothing is put; a wake-up it had already received goes to the next putter.
    /// Order:     putters are woken first come, first served, but room may be taken before one resumes; then it waits
    ///            again, at the tail.
    /// Throws:    CancelledError, QueueShutDown; UsageError outside a task, or when the queue is destroyed meanwhile.
    /// Source:    asyncio.Queue.put, CPython 3.13.
    void put(T&& item, Place place = Place::here()) {
        enter_put(place);
        add(std::move(item));
    }
    /// As above, with a copy.
    void put(const T& item, Place place = Place::here()) {
        enter_put(place);
        add(item);
    }

    /// Takes the item that is next, waiting while there is none.
    ///
    /// Yields:    only if it has to wait.
    /// Cancelled: no item is lost; a wake-up it had already received goes to the next getter.
    /// Order:     getters are woken first come, first served, but the item may be taken before one resumes; then it waits
    ///            again, at the tail.
    /// Throws:    CancelledError, QueueShutDown once nothing is left; UsageError outside a task, or when the queue is
    ///            destroyed meanwhile.
    /// Source:    asyncio.Queue.get, CPython 3.13.
    T get(Place place = Place::here()) {
        enter_get(place);
        return take();
    }

    /// Puts an item in at once. Works in callbacks and outside a loop too.
    ///
    /// Throws:    QueueFull, QueueShutDown.
    void put_nowait(T&& item, Place place = Place::here()) {
        check_put_nowait(place);
        add(std::move(item));
    }
    void put_nowait(const T& item, Place place = Place::here()) {
        check_put_nowait(place);
        add(item);
    }

    /// Takes the item that is next at once. Works in callbacks and outside a loop too.
    ///
    /// Throws:    QueueEmpty, QueueShutDown.
    T get_nowait(Place place = Place::here()) {
        check_get_nowait(place);
        return take();
    }

    /// Ends the queue: `put` throws from now on, `get` once nothing is left. Everybody who waits is woken to see.
    ///
    /// `immediate` drops the items that are left and counts them as done; items that were taken still need `task_done`.
    void shutdown(bool immediate = false, Place place = Place::here()) {
        shut_down(immediate, place);
        if (immediate) {
            items_.clear();
        }
    }

protected:
    template <class... Arguments>
    BasicQueue(const ObjectKind& kind, std::ptrdiff_t maxsize, std::string_view name, Arguments&&... items)
        : QueueBase(kind, maxsize, name), items_(std::forward<Arguments>(items)...) {}
    ~BasicQueue() = default;

private:
    // Copying, moving or comparing an item may throw. Then this task was perhaps woken for what it does not use.
    template <class U>
    void add(U&& item) {
        PassingOn room(putters_);
        items_.push(std::forward<U>(item));
        room.is_used();
        item_came();
    }
    T take() {
        PassingOn wake_up(getters_);
        T item = items_.pop();
        wake_up.is_used();
        item_left();
        return item;
    }

    Items items_;
};

}  // namespace mishap::detail
