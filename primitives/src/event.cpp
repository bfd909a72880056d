#include <mishap/primitives/event.hpp>

namespace mishap {

namespace {
constexpr detail::ObjectKind kind{"Event", "event"};
}

Event::Event(std::string_view name) : Primitive(kind, name) {}

std::string Event::Statistics::text() const { return detail::with_waiters(is_set ? "set" : "unset", waiting); }

void Event::wait(Place place) {
    EventLoop& loop = enter("Event.wait()");
    if (is_set_) {
        touch_in(loop, Access::read, "Event.wait", place);
        maybe_yield(loop, "Event.wait", place);
        return;
    }
    touch_in(loop, Access::write, "Event.wait", place);
    detail::WaitEntry entry(loop);
    try {
        waiters_.wait(entry, "Event.wait", place, detail::Failing::here);
    } catch (const CancelledError&) {
        if (!entry.is_orphaned()) {
            touch_in(loop, Access::write, "Event.wait is cancelled", place);  // it has left the queue
        }
        throw;
    }
}

void Event::set(Place place) {
    touch(is_set_ ? Access::read : Access::write, "Event.set", place);
    if (!is_set_) {
        is_set_ = true;
        waiters_.wake_all();
    }
}

void Event::clear(Place place) {
    touch(is_set_ ? Access::write : Access::read, "Event.clear", place);
    is_set_ = false;
}

bool Event::is_set() const {
    touch(Access::read, "Event.is_set");
    return is_set_;
}

Event::Statistics Event::statistics() const {
    touch(Access::read, "Event.statistics");
    return count();
}

void Event::explain(const detail::WaitQueue&, detail::WaitExplanation& explanation) const {
    explanation.what = describe();
    explanation.state = count().text();
    explanation.is_available = is_set_;
    explanation.is_signal = true;
}

}  // namespace mishap
