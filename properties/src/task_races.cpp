#include <mishap/properties/detail/task_races.hpp>

#include <algorithm>
#include <optional>

#include <boost/unordered/unordered_flat_map.hpp>
#include <fmt/format.h>
#include <mishap/sim/race_detector.hpp>

namespace mishap::detail {

namespace {

/// The race detector of threads, with an entity for each thread.
class TaskRaces {
public:
    TaskRaces(const Names& names, std::vector<Note>& notes) : names_(names), notes_(notes) {
        detector_.begin_run();
        detector_.start();
    }

    void on(const TraceEvent& event) {
        if (event.kind == TraceEventKind::step) {
            begin_step(event);
        } else if (event.kind == TraceEventKind::access && event.relation != Relation::conflict) {
            detector_.synchronise(event.object, event.access);
        } else if (event.kind == TraceEventKind::access && *event.what != '\0') {  // what has no name is the loop's own
            use(event);
        }
    }

private:
    std::uint32_t number_of(std::uint64_t entity) {
        return numbers_.try_emplace(entity, static_cast<std::uint32_t>(numbers_.size())).first->second;
    }

    void begin_step(const TraceEvent& event) {
        const std::uint32_t own = number_of(event.entity.entity);
        if (event.other.entity != 0 && event.other.entity != event.entity.entity) {
            detector_.switch_to(number_of(event.other.entity));
            detector_.fork(own);
        }
        detector_.switch_to(own);
    }

    void use(const TraceEvent& event) {
        const std::optional<RacyAccess> other = detector_.access(
            event.object,
            {.who = event.entity, .access = event.access, .is_atomic = event.access == Access::update, .place = event.place});
        if (!other.has_value() || std::find(told_.begin(), told_.end(), event.object) != told_.end()) {
            return;
        }
        told_.push_back(event.object);
        notes_.push_back({FindingKind::race,
                          fmt::format("{} (at {}:{}) and {} (at {}:{}) use {}, one of them writes, and nothing orders them: "
                                      "who is first is left to the schedule",
                                      names_.path(other->who.entity), other->place.file, other->place.line,
                                      names_.path(event.entity.entity), event.place.file, event.place.line,
                                      names_.path(event.object))});
    }

    const Names& names_;
    std::vector<Note>& notes_;
    RaceDetector detector_;
    boost::unordered_flat_map<std::uint64_t, std::uint32_t> numbers_;  // looked up only
    std::vector<std::uint64_t> told_;
};

}  // namespace

std::vector<Note> find_task_races(const std::vector<TraceEvent>& events, const Names& names) {
    std::vector<Note> notes;
    TaskRaces races(names, notes);
    for (const TraceEvent& event : events) {
        races.on(event);
    }
    return notes;
}

}  // namespace mishap::detail
