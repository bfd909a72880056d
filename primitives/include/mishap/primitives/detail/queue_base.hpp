#pragma once

#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

#include <mishap/primitives/detail/primitive.hpp>

namespace mishap {

/// Says that an item was asked for at once and none was there.
class QueueEmpty : public std::runtime_error {
public:
    QueueEmpty() : std::runtime_error("the queue is empty") {}
};

/// Says that an item was to be put at once and there was no room.
class QueueFull : public std::runtime_error {
public:
    QueueFull() : std::runtime_error("the queue is full") {}
};

/// Says that a queue was shut down: it takes nothing any more, or it has nothing left to give.
class QueueShutDown : public std::runtime_error {
public:
    QueueShutDown() : std::runtime_error("the queue was shut down") {}
};

namespace detail {

inline constexpr ObjectKind queue_kind{"Queue", "queue"};
inline constexpr ObjectKind lifo_queue_kind{"LifoQueue", "queue"};
inline constexpr ObjectKind priority_queue_kind{"PriorityQueue", "queue"};

/// A queue without its items: who waits for what, and how much is there.
class QueueBase : public Primitive {
public:
    /// What `statistics` returns.
    struct Statistics {
        std::size_t size = 0;
        std::size_t maxsize = 0;     // 0: no limit
        std::size_t unfinished = 0;  // items that were put and not said to be done
        std::size_t getters = 0;     // tasks that wait, with those that were woken and have not resumed
        std::size_t putters = 0;
        std::size_t joiners = 0;
        bool is_shut_down = false;

        /// Returns the figures that are not zero: "size:2/2, putters:1, tasks:2".
        std::string text() const;
    };

    std::size_t qsize() const;
    bool empty() const { return qsize() == 0; }
    /// Returns whether `put` would have to wait; never for a queue without a limit.
    bool full() const;
    /// Returns the limit, 0 if there is none.
    std::size_t maxsize() const { return limit_ != unlimited ? limit_ : 0; }

    /// Returns what a report says of it.
    Statistics statistics() const;

    /// Says that the work for one item that was taken is done.
    ///
    /// Throws:    UsageError when it is called more often than items were put (asyncio: ValueError).
    void task_done(Place place = Place::here());

    /// Waits until `task_done` was called for every item that was put.
    ///
    /// Yields:    only if work is left.
    /// Cancelled: stops waiting.
    /// Order:     everybody who waits is woken by the last `task_done`, even if more is put before they resume.
    /// Throws:    CancelledError; UsageError outside a task, or when the queue is destroyed meanwhile.
    /// Source:    asyncio.Queue.join, CPython 3.13.
    void join(Place place = Place::here());

    void explain(const WaitQueue& queue, WaitExplanation& explanation) const override;

protected:
    QueueBase(const ObjectKind& kind, std::ptrdiff_t maxsize, std::string_view name);
    ~QueueBase() = default;

    /// Waits until there is room.
    void enter_put(Place place) {
        EventLoop& loop = enter("Queue.put()");
        if (count_ < room_ && loop.world().is_undisturbed()) [[likely]] {
            loop.world().count_write();
            loop.world().tell_progress();
        } else {
            enter_put_slowly(loop, place);
        }
    }
    /// Waits until there is an item.
    void enter_get(Place place) {
        EventLoop& loop = enter("Queue.get()");
        if (count_ != 0 && loop.world().is_undisturbed()) [[likely]] {
            loop.world().count_write();
            loop.world().tell_progress();
        } else {
            enter_get_slowly(loop, place);
        }
    }
    void check_put_nowait(Place place) const;
    void check_get_nowait(Place place) const;

    /// Counts an item that has come, and wakes the first getter.
    void item_came() {
        ++count_;
        ++unfinished_;
        if (getters_.has_unwoken()) [[unlikely]] {
            getters_.wake_next();
        }
    }
    /// Counts an item that has left, and wakes the first putter.
    void item_left() {
        --count_;
        if (putters_.has_unwoken()) [[unlikely]] {
            putters_.wake_next();
        }
    }
    void shut_down(bool immediate, Place place);

    /// Wakes the next when what a task may have been woken for was not used.
    class PassingOn {
    public:
        explicit PassingOn(WaitQueue& waiters) : waiters_(&waiters) {}
        ~PassingOn() {
            if (waiters_ != nullptr) {
                waiters_->wake_next();
            }
        }
        PassingOn(const PassingOn&) = delete;
        PassingOn& operator=(const PassingOn&) = delete;
        void is_used() { waiters_ = nullptr; }

    private:
        WaitQueue* waiters_;
    };

    WaitQueue getters_{*this, WaitQueue::Wake::is_hint};
    WaitQueue putters_{*this, WaitQueue::Wake::is_hint};

private:
    static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

    Statistics count() const;
    bool is_full() const { return count_ >= limit_; }
    void enter_put_slowly(EventLoop& loop, Place place);
    void enter_get_slowly(EventLoop& loop, Place place);
    void wait_for_room(EventLoop& loop, Place place);
    void wait_for_item(EventLoop& loop, Place place);

    std::size_t limit_;
    std::size_t room_;  // the limit, or 0 once it takes nothing any more
    std::size_t count_ = 0;
    std::size_t unfinished_ = 0;  // put, and no task_done() for it yet
    bool is_shut_down_ = false;
    WaitQueue joiners_{*this, WaitQueue::Wake::is_grant};
};

}  // namespace detail
}  // namespace mishap
