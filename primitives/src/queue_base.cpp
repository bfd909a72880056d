#include <mishap/primitives/detail/queue_base.hpp>

#include <fmt/format.h>

namespace mishap::detail {

QueueBase::QueueBase(const ObjectKind& kind, std::ptrdiff_t maxsize, std::string_view name)
    : Primitive(kind, name), limit_(maxsize == 0 ? unlimited : static_cast<std::size_t>(maxsize)), room_(limit_) {
    if (maxsize < 0) {
        throw UsageError(fmt::format(
            "a {} was made with room for {} items; give the most it may hold, or 0 for a queue without a limit", kind.type,
            maxsize));
    }
}

std::string QueueBase::Statistics::text() const {
    std::string text = fmt::format("size:{}", size);
    if (maxsize != 0) {
        text += fmt::format("/{}", maxsize);
    }
    const auto add = [&](const char* what, std::size_t number) {
        if (number != 0) {
            text += fmt::format(", {}:{}", what, number);
        }
    };
    add("getters", getters);
    add("putters", putters);
    add("joiners", joiners);
    add("tasks", unfinished);
    return is_shut_down ? text + ", shutdown" : text;
}

QueueBase::Statistics QueueBase::count() const {
    return {count_,           maxsize(),           unfinished_,       getters_.count(),
            putters_.count(), joiners_.count(), is_shut_down_};
}

QueueBase::Statistics QueueBase::statistics() const {
    touch(Access::read, "Queue.statistics");
    return count();
}

std::size_t QueueBase::qsize() const {
    touch(Access::read, "Queue.qsize");
    return count_;
}

bool QueueBase::full() const {
    touch(Access::read, "Queue.full");
    return is_full();
}

void QueueBase::enter_put_slowly(EventLoop& loop, Place place) {
    if (!is_full()) {
        maybe_yield(loop, "Queue.put", place);
    }
    if (is_full()) {
        wait_for_room(loop, place);
    }
    touch_in(loop, is_shut_down_ ? Access::read : Access::write, "Queue.put", place);
    if (is_shut_down_) {
        throw QueueShutDown();
    }
    loop.world().tell_progress();
}

void QueueBase::enter_get_slowly(EventLoop& loop, Place place) {
    if (count_ != 0) {
        maybe_yield(loop, "Queue.get", place);
    }
    if (count_ == 0) {
        wait_for_item(loop, place);
    }
    touch_in(loop, Access::write, "Queue.get", place);
    loop.world().tell_progress();
}

void QueueBase::wait_for_room(EventLoop& loop, Place place) {
    while (is_full()) {
        if (is_shut_down_) {
            touch_in(loop, Access::read, "Queue.put", place);
            throw QueueShutDown();
        }
        touch_in(loop, Access::write, "Queue.put", place);
        WaitEntry putter(loop);
        try {
            putters_.wait(putter, "Queue.put", place, Failing::by_caller);
        } catch (const CancelledError&) {
            if (!putter.is_orphaned()) {
                touch_in(loop, Access::write, "Queue.put is cancelled", place);
                if (!is_full() && putter.is_woken()) {
                    putters_.wake_next();  // the room goes to somebody else
                }
            }
            loop.throw_if_swept();
            throw;
        }
    }
}

void QueueBase::wait_for_item(EventLoop& loop, Place place) {
    // The item may be gone when a woken getter resumes; then it waits again, at the tail.
    while (count_ == 0) {
        if (is_shut_down_) {
            touch_in(loop, Access::read, "Queue.get", place);
            throw QueueShutDown();
        }
        touch_in(loop, Access::write, "Queue.get", place);
        WaitEntry getter(loop);
        try {
            getters_.wait(getter, "Queue.get", place, Failing::by_caller);
        } catch (const CancelledError&) {
            if (!getter.is_orphaned()) {
                touch_in(loop, Access::write, "Queue.get is cancelled", place);
                if (count_ != 0 && getter.is_woken()) {
                    getters_.wake_next();  // the item goes to somebody else (bpo-23812)
                }
            }
            loop.throw_if_swept();
            throw;
        }
    }
}

void QueueBase::check_put_nowait(Place place) const {
    if (is_shut_down_ || is_full()) {
        touch(Access::read, "Queue.put_nowait", place);
        if (is_shut_down_) {
            throw QueueShutDown();
        }
        throw QueueFull();
    }
    touch(Access::write, "Queue.put_nowait", place);
    if (current_loop != nullptr) {
        current_loop->world().tell_progress();
    }
}

void QueueBase::check_get_nowait(Place place) const {
    if (count_ == 0) {
        touch(Access::read, "Queue.get_nowait", place);
        if (is_shut_down_) {
            throw QueueShutDown();
        }
        throw QueueEmpty();
    }
    touch(Access::write, "Queue.get_nowait", place);
    if (current_loop != nullptr) {
        current_loop->world().tell_progress();
    }
}

void QueueBase::task_done(Place place) {
    if (unfinished_ == 0) {
        throw UsageError("task_done() was called more often than items were put; call it once for each item taken");
    }
    touch(Access::write, "Queue.task_done", place);
    if (--unfinished_ == 0) {
        joiners_.wake_all();
    }
}

void QueueBase::join(Place place) {
    EventLoop& loop = enter("Queue.join()");
    if (unfinished_ == 0) {
        touch_in(loop, Access::read, "Queue.join", place);
        maybe_yield(loop, "Queue.join", place);
        return;
    }
    touch_in(loop, Access::write, "Queue.join", place);
    WaitEntry joiner(loop);
    try {
        joiners_.wait(joiner, "Queue.join", place, Failing::here);
    } catch (const CancelledError&) {
        if (!joiner.is_orphaned()) {
            touch_in(loop, Access::write, "Queue.join is cancelled", place);  // it has left the queue
        }
        throw;
    }
}

void QueueBase::shut_down(bool immediate, Place place) {
    touch(Access::write, "Queue.shutdown", place);
    is_shut_down_ = true;
    room_ = 0;
    if (immediate) {
        unfinished_ -= count_ < unfinished_ ? count_ : unfinished_;
        count_ = 0;
        if (unfinished_ == 0) {
            joiners_.wake_all();
        }
    }
    getters_.wake_all();
    putters_.wake_all();
}

void QueueBase::explain(const WaitQueue& queue, WaitExplanation& explanation) const {
    explanation.state = count().text();
    explanation.is_signal = true;
    if (&queue == &getters_) {
        explanation.what = "an item in " + describe();
        explanation.is_available = count_ != 0;
    } else if (&queue == &putters_) {
        explanation.what = "room in " + describe();
        explanation.is_available = !is_full();
    } else {
        explanation.what = fmt::format("task_done() for {} item{} of {}", unfinished_, unfinished_ == 1 ? "" : "s", describe());
        explanation.is_available = unfinished_ == 0;
    }
}

}  // namespace mishap::detail
