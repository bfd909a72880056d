#include <mishap/properties/detail/story.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace mishap::detail {

namespace {

std::string step_name(const EntityStep& step, const Names& names) {
    return step.entity == 0 ? std::string("the loop") : fmt::format("{}#{}", names.path(step.entity), step.step);
}

std::string place_text(const Place& place) {
    return place.line == 0 ? std::string() : fmt::format(" at {}:{}", place.file, place.line);
}

/// Returns the last two parts of a path: enough to know an object by.
std::string short_path(const std::string& path) {
    const std::size_t last = path.rfind('/');
    const std::size_t before = last == std::string::npos || last == 0 ? std::string::npos : path.rfind('/', last - 1);
    return before == std::string::npos ? path : path.substr(before + 1);
}

void add(std::string& did, const std::string& what) {
    if (!did.empty()) {
        did += "; ";
    }
    did += what;
}

class Teller {
public:
    explicit Teller(const Names& names) : names_(names) {}

    void tell(const TraceEvent& event) {
        switch (event.kind) {
            case TraceEventKind::step:
                begin_row(event, to_text(static_cast<WakeReason>(event.value)));
                rows_.back().calm = std::move(calm_);
                calm_.clear();
                break;
            case TraceEventKind::tick:
                begin_row(event, fmt::format("the clock moves to {}", format_time(event.value)));
                rows_.back().who = "time";
                if (is_time_mishap_) {
                    rows_.back().calm = "it waits until nothing is ready";
                    is_time_mishap_ = false;
                }
                break;
            case TraceEventKind::access:
                if (*event.what != '\0') {
                    if (std::string_view(event.what) == "time passes") {
                        is_time_mishap_ = true;
                    } else if (!rows_.empty()) {
                        add(rows_.back().did, access(event));
                    }
                }
                break;
            case TraceEventKind::yield:
                if (!rows_.empty()) {
                    add(rows_.back().did, fmt::format("gives way in {}{}", event.what, place_text(event.place)));
                }
                break;
            case TraceEventKind::create:
                if (!rows_.empty()) {
                    add(rows_.back().did, "creates " + names_.path(event.object));
                }
                break;
            case TraceEventKind::wait:
                add(rows_.back().did, fmt::format("waits in {}{}", event.what, place_text(event.place)));
                break;
            case TraceEventKind::mishap:
                tell_mishap(event);
                break;
            case TraceEventKind::end:
                if (!rows_.empty()) {
                    add(rows_.back().did, event.what);
                }
                break;
            case TraceEventKind::note:
                add(rows_.back().did, fmt::format("\"{}\"", event.what));
                break;
        }
    }
    std::vector<StoryRow> take() { return std::move(rows_); }

private:
    void begin_row(const TraceEvent& event, std::string did) {
        rows_.push_back({event.time_ns, step_name(event.entity, names_), std::move(did), ""});
    }

    std::string access(const TraceEvent& event) const {
        const std::string object = names_.knows(event.object) ? " " + short_path(names_.path(event.object)) : "";
        return fmt::format("{}{}{}", event.what, object, event.value == 0 ? "" : fmt::format(" = {}", event.value));
    }

    void tell_mishap(const TraceEvent& event) {
        if (event.other.entity != 0) {
            calm_ = step_name(event.other, names_) + " goes first";
            return;
        }
        if (rows_.empty()) {
            return;
        }
        const std::string label = event.object != 0 ? fmt::format(" \"{}\"", names_.path(event.object)) : "";
        const bool is_data = event.object != 0 || event.value > 1;
        add(rows_.back().did, is_data ? fmt::format("{}{} gets {}", event.what, label, event.value) : event.what);
        add(rows_.back().calm, is_data ? fmt::format("it gets 0") : std::string("it is not"));
    }

    const Names& names_;
    std::vector<StoryRow> rows_;
    std::string calm_;
    bool is_time_mishap_ = false;
};

}  // namespace

std::vector<StoryRow> tell_story(const std::vector<TraceEvent>& events, const Names& names) {
    Teller teller(names);
    for (const TraceEvent& event : events) {
        teller.tell(event);
    }
    return teller.take();
}

std::string describe_event(const TraceEvent& event, const Names& names) {
    const std::string who = step_name(event.entity, names);
    const std::string time = format_time(event.time_ns);
    const std::string object = event.object != 0 ? " " + names.path(event.object) : "";
    switch (event.kind) {
        case TraceEventKind::step:
            return fmt::format("{} {} {}", time, who, to_text(static_cast<WakeReason>(event.value)));
        case TraceEventKind::tick:
            return fmt::format("{} the clock moves to {}", time, format_time(event.value));
        case TraceEventKind::access:
            return fmt::format("{} {} {}{} (value {})", time, who, event.what, object, event.value);
        case TraceEventKind::yield:
            return fmt::format("{} {} gives way in {}{}", time, who, event.what, place_text(event.place));
        case TraceEventKind::create:
            return fmt::format("{} {} creates{}", time, who, object);
        case TraceEventKind::wait:
            return fmt::format("{} {} waits in {}{}", time, who, event.what, place_text(event.place));
        case TraceEventKind::mishap:
            return fmt::format("{} {} goes instead of {} {}", time, who, step_name(event.other, names), event.what);
        case TraceEventKind::end:
            return fmt::format("{} {} {}", time, who, event.what);
        case TraceEventKind::note:
            return fmt::format("{} {} \"{}\"", time, who, event.what);
    }
    return time;
}

void tell_last_wait(Finding& finding, const std::vector<TraceEvent>& events) {
    if (events.empty()) {
        return;
    }
    const std::uint64_t main = events.front().entity.entity;
    const auto is_wait = [main](const TraceEvent& event) {
        return event.entity.entity == main && event.place.line != 0 &&
               (event.kind == TraceEventKind::wait || event.kind == TraceEventKind::yield);
    };
    const auto last = std::find_if(events.rbegin(), events.rend(), is_wait);
    if (last != events.rend()) {
        finding.details.push_back(fmt::format("main had waited last in {} at {}:{}", last->what, last->place.file, last->place.line));
    }
}

std::string format_time(std::int64_t time_ns) {
    const std::int64_t second = 1'000'000'000;
    if (time_ns % 1'000'000 == 0) {
        return fmt::format("{}.{:03}s", time_ns / second, time_ns % second / 1'000'000);
    }
    if (time_ns % 1'000 == 0) {
        return fmt::format("{}.{:06}s", time_ns / second, time_ns % second / 1'000);
    }
    return fmt::format("{}.{:09}s", time_ns / second, time_ns % second);
}

}  // namespace mishap::detail
