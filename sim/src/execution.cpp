#include <mishap/sim/detail/execution.hpp>

#include <algorithm>

#include <mishap/sim/hash.hpp>

namespace mishap::detail {

namespace {

std::uint32_t& slot(std::vector<std::uint32_t>& table, std::uint32_t index) {
    if (index >= table.size()) {
        table.resize(std::max<std::size_t>(index + 1, table.size() * 2), Execution::none);
    }
    return table[index];
}

}  // namespace

std::uint32_t Execution::append(const Arrival& arrival) {
    const std::uint32_t number = size();
    const std::uint64_t spent_before = spent();
    Event& event = events_.emplace_back();
    event.spent = spent_before;
    event.entity = arrival.entity;
    event.footprint = arrival.footprint;
    event.answers = arrival.answers;
    event.questions = arrival.questions;
    event.timers = arrival.timers;
    event.announced = arrival.announced;
    event.announced_reading = arrival.announced_reading;
    event.previous = slot(last_event_, arrival.entity);
    event.causes = slot(causes_, arrival.entity);
    event.first_use = static_cast<std::uint32_t>(uses_.size());
    event.first_link = static_cast<std::uint32_t>(links_.size());
    event.first_blocking = static_cast<std::uint32_t>(blocking_.size());
    event.blocking = static_cast<std::uint32_t>(arrival.blocking.size());
    event.barrier = last_barrier_;
    blocking_.insert(blocking_.end(), arrival.blocking.begin(), arrival.blocking.end());
    event.chain = chain_of(next_of(number), arrival.entity_key);

    collect_predecessors(arrival, event);
    bits_.resize(row(number) + (number >> 6U) + 1);
    std::uint64_t* const bits = bits_.data() + row(number);
    std::uint64_t past = 0;
    // From late to early: what is not yet in the past is an immediate predecessor.
    for (const Predecessor& predecessor : predecessors_) {
        const std::uint32_t before = predecessor.event;
        if ((bits[before >> 6U] >> (before & 63U) & 1U) != 0) {
            continue;
        }
        const std::uint64_t* const its_bits = bits_.data() + row(before);
        for (std::uint32_t word = 0; word <= before >> 6U; ++word) {
            bits[word] |= its_bits[word];
        }
        bits[before >> 6U] |= std::uint64_t{1} << (before & 63U);
        past += scramble(events_[before].hash);
        if (predecessor.reason == Reason::conflict) {
            races_.push_back({before, number});
        }
    }
    event.hash = mix(mix(past, event.chain + arrival.answers), arrival.footprint);

    last_event_[arrival.entity] = number;
    for (std::uint32_t cause = event.causes; cause != none; cause = links_[cause].next) {
        links_[cause].consumer = number;
    }
    causes_[arrival.entity] = none;
    for (const ObjectUse& use : footprints_.uses(arrival.footprint)) {
        const std::uint32_t previous = slot(last_use_, use.object);
        const bool is_write = previous != none && uses_[previous].use.access != Access::read;
        const std::uint32_t previous_write =
            previous == none || is_write ? previous : uses_[previous].previous_write;
        const bool takes = std::find(arrival.blocking.begin(), arrival.blocking.end(), use.object) != arrival.blocking.end();
        last_use_[use.object] = static_cast<std::uint32_t>(uses_.size());
        uses_.push_back({use, number, previous, previous_write, takes && use.access != Access::read});
    }
    if (footprints_.is_barrier(arrival.footprint)) {
        last_barrier_ = number;
    }
    link(arrival.created, LinkKind::created, arrival.entity);
    link(arrival.enabled, LinkKind::enabled, arrival.entity);
    link(arrival.disabled, LinkKind::disabled, arrival.entity);
    return number;
}

void Execution::truncate(std::uint32_t size) {
    while (!races_.empty() && races_.back().second >= size) {
        races_.pop_back();
    }
    while (events_.size() > size) {
        const Event& event = events_.back();
        while (links_.size() > event.first_link) {
            const Link& link = links_.back();
            causes_[link.entity] = link.next;
            disabling_links_ -= link.kind == LinkKind::disabled ? 1U : 0U;
            links_.pop_back();
        }
        for (std::uint32_t cause = event.causes; cause != none; cause = links_[cause].next) {
            links_[cause].consumer = none;
        }
        causes_[event.entity] = event.causes;
        last_event_[event.entity] = event.previous;
        while (uses_.size() > event.first_use) {
            last_use_[uses_.back().use.object] = uses_.back().previous;
            uses_.pop_back();
        }
        blocking_.resize(event.first_blocking);
        last_barrier_ = event.barrier;
        events_.pop_back();
    }
    bits_.resize(row(size));
}

void Execution::collect_predecessors(const Arrival& arrival, const Event& event) {
    predecessors_.clear();
    if (footprints_.is_barrier(arrival.footprint)) {
        for (std::uint32_t before = 0; before + 1 < size(); ++before) {
            predecessors_.push_back({before, Reason::conflict});
        }
    } else if (event.barrier != none) {
        predecessors_.push_back({event.barrier, Reason::conflict});
    }
    for (const ObjectUse& use : footprints_.uses(arrival.footprint)) {
        const bool takes = std::find(arrival.blocking.begin(), arrival.blocking.end(), use.object) != arrival.blocking.end();
        add_conflicts(use, takes);
    }
    for (Predecessor& predecessor : predecessors_) {
        if (events_[predecessor.event].entity == arrival.entity) {
            predecessor.reason = Reason::order;
        }
    }
    if (event.previous != none) {
        predecessors_.push_back({event.previous, Reason::order});
    }
    for (std::uint32_t cause = event.causes; cause != none; cause = links_[cause].next) {
        predecessors_.push_back({links_[cause].event, Reason::order});
    }
    sort_predecessors();
}

void Execution::add_conflicts(const ObjectUse& use, bool takes) {
    std::uint32_t number = slot(last_use_, use.object);
    const bool is_read = use.access == Access::read;
    while (number != none) {
        const Use& other = uses_[number];
        if (do_conflict(other.use, use)) {
            const bool gave = takes && other.use.access != Access::read;
            predecessors_.push_back({other.event, gave ? Reason::wait : Reason::conflict});
        }
        if (other.use.access != Access::read && other.use.commuting_class == 0) {
            break;  // it conflicts with all before it
        }
        number = is_read ? other.previous_write : other.previous;
    }
}

void Execution::sort_predecessors() {
    const auto is_later = [](const Predecessor& a, const Predecessor& b) {
        return a.event != b.event ? a.event > b.event : a.reason > b.reason;
    };
    if (predecessors_.size() > 32) {
        std::sort(predecessors_.begin(), predecessors_.end(), is_later);
        return;
    }
    for (std::size_t i = 1; i < predecessors_.size(); ++i) {
        const Predecessor moved = predecessors_[i];
        std::size_t place = i;
        for (; place > 0 && is_later(moved, predecessors_[place - 1]); --place) {
            predecessors_[place] = predecessors_[place - 1];
        }
        predecessors_[place] = moved;
    }
}

void Execution::link(std::span<const std::uint32_t> entities, LinkKind kind, std::uint32_t self) {
    for (const std::uint32_t entity : entities) {
        if (entity == self) {
            continue;
        }
        std::uint32_t& first = slot(causes_, entity);
        links_.push_back({size() - 1, entity, first, none, kind});
        first = static_cast<std::uint32_t>(links_.size() - 1);
        disabling_links_ += kind == LinkKind::disabled ? 1U : 0U;
    }
}

Execution::Next Execution::next_of(std::uint32_t number) const {
    const Event& event = events_[number];
    return {event.entity, number, event.previous, event.causes, blocking(event)};
}

Execution::Next Execution::next_of_entity(std::uint32_t entity) const {
    Next next;
    next.entity = entity;
    next.previous = entity < last_event_.size() ? last_event_[entity] : none;
    next.causes = entity < causes_.size() ? causes_[entity] : none;
    return next;
}

/// A cause without which the step cannot be made at all; giving free an object that it waits for is none.
bool Execution::is_necessary(const Link& cause, const Next& next) const {
    if (cause.kind == LinkKind::disabled) {
        return false;
    }
    for (const ObjectUse& use : footprints_.uses(events_[cause.event].footprint)) {
        if (use.access != Access::read &&
            std::find(next.blocking.begin(), next.blocking.end(), use.object) != next.blocking.end()) {
            return false;
        }
    }
    return true;
}

Execution::Verdict Execution::may_come_before(std::uint32_t first, const Next& next) const {
    if (next.previous != none && is_at_or_before(first, next.previous)) {
        return Verdict::no;
    }
    for (std::uint32_t cause = next.causes; cause != none; cause = links_[cause].next) {
        if (is_at_or_before(first, links_[cause].event) && is_necessary(links_[cause], next)) {
            return Verdict::no;
        }
    }
    Verdict verdict = Verdict::yes;
    const std::uint32_t limit = next.event == none ? size() : next.event;
    for (const std::uint32_t object : next.blocking) {
        // The object is in the state before the first write that is `first` or comes after it.
        std::uint32_t write = none;
        for (std::uint32_t number = last_use(object, limit); number != none; number = uses_[number].previous_write) {
            if (uses_[number].use.access == Access::read) {
                continue;
            }
            if (!is_at_or_before(first, uses_[number].event)) {
                break;
            }
            write = number;
        }
        if (write == none) {
            if (next.event == none) {
                return Verdict::no;  // it waits for this object at the end of the run, too
            }
        } else if (!uses_[write].takes) {
            if (uses_[write].use.access != Access::update) {
                return Verdict::no;
            }
            verdict = Verdict::perhaps;
        }
    }
    return verdict;
}

std::uint32_t Execution::last_use(std::uint32_t object, std::uint32_t limit) const {
    std::uint32_t number = object < last_use_.size() ? last_use_[object] : none;
    while (number != none && uses_[number].event >= limit) {
        number = uses_[number].previous;
    }
    return number;
}

std::uint64_t Execution::last_write_before(std::uint32_t object, std::uint32_t limit) const {
    std::uint32_t number = last_use(object, limit);
    if (number != none && uses_[number].use.access == Access::read) {
        number = uses_[number].previous_write;
    }
    return number == none ? 0 : events_[uses_[number].event].hash;
}

void Execution::set_owner(std::uint32_t object, std::uint32_t entity) { slot(owners_, object) = entity; }

std::uint64_t Execution::last_step_before(std::uint32_t entity, std::uint32_t limit) const {
    std::uint32_t event = entity < last_event_.size() ? last_event_[entity] : none;
    while (event != none && event >= limit) {
        event = events_[event].previous;
    }
    return event == none ? 0 : events_[event].hash;
}

std::uint64_t Execution::chain_of(const Next& next, std::uint64_t entity_key) const {
    std::uint64_t known = next.previous == none ? 0 : events_[next.previous].hash;
    for (std::uint32_t cause = next.causes; cause != none; cause = links_[cause].next) {
        if (is_necessary(links_[cause], next)) {
            known += scramble(events_[links_[cause].event].hash);
        }
    }
    return mix(entity_key, known);
}

}  // namespace mishap::detail
