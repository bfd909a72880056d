#pragma once

#include <cstdint>
#include <vector>

#include <mishap/sim/entity.hpp>
#include <mishap/sim/place.hpp>

namespace mishap {

enum class TraceEventKind : std::uint8_t {
    step,    // an entity was resumed; `value` holds the wake reason, `other` the step that made it ready
    access,  // an object was touched; `what` names the operation
    yield,   // a task gave way; `what` names the operation
    create,  // `object` is a task that was made
    wait,    // a task parked; `what` names the operation it waits in
    mishap,  // a choice was not the calm one; `value` is the class, `other` who would have gone calmly
    tick,    // the clock moved; `value` is the new time
    end,     // an entity finished for good
    note,    // a checkpoint or a remark of the program
};

/// Something that happened, small and plain: text only as pointers to literals and interned names.
struct TraceEvent {
    TraceEventKind kind = TraceEventKind::step;
    Access access = Access::read;
    Relation relation = Relation::both;  // of an access: the order it belongs to
    std::int64_t time_ns = 0;
    EntityStep entity;
    std::uint64_t object = 0;
    EntityStep other;
    std::int64_t value = 0;
    const char* what = "";
    Place place;
};

/// Is told what happens, when somebody subscribed it.
class Observer {
public:
    virtual void on_event(const TraceEvent& event) = 0;

protected:
    ~Observer() = default;
};

/// The stored trace of one run: kept in the confirming replay only.
class Trace final : public Observer {
public:
    void on_event(const TraceEvent& event) override { events_.push_back(event); }
    const std::vector<TraceEvent>& events() const { return events_; }
    void clear() { events_.clear(); }

private:
    std::vector<TraceEvent> events_;
};

}  // namespace mishap
