#include <mishap/properties/claims.hpp>

#include <stdexcept>

#include <fmt/format.h>
#include <mishap/loop/event_loop.hpp>

namespace mishap {

namespace {

void fail_check(std::string what, std::string_view label, Place place) {
    EventLoop* const loop = detail::current_loop;
    if (loop == nullptr || !loop->world().is_simulated()) {
        throw std::logic_error(fmt::format("{}:{}: {}", place.file, place.line, what));
    }
    World& world = loop->world();
    if (world.is_tearing_down()) {
        return;  // the run has its verdict
    }
    Finding finding{.kind = FindingKind::check, .what = std::move(what), .label = std::string(label), .place = place};
    if (const detail::TaskBase* const task = loop->current_task()) {
        finding.tasks.push_back(task->path());
        finding.details.push_back(fmt::format("in task {}", task->path()));
    }
    if (world.is_tracing()) {
        world.tell({.kind = TraceEventKind::end, .what = detail::intern(finding.what)->c_str(), .place = place});
    }
    world.fail(std::move(finding));
    loop->park_failed();
}

}  // namespace

void always(bool holds, std::string_view text, Place place) {
    if (!holds) [[unlikely]] {
        fail_check(fmt::format("always(\"{}\") does not hold", text), text, place);
    }
}

void unreachable(std::string_view text, Place place) {
    fail_check(fmt::format("unreachable(\"{}\") was reached", text), text, place);
}

void checkpoint(std::string_view text, Place place) {
    EventLoop& loop = detail::running_loop("checkpoint()");
    if (loop.world().is_tracing()) {
        // The step may be another's: a thread begins inside the step of who makes it.
        const detail::TaskBase* const task = loop.current_task();
        loop.world().tell({.kind = TraceEventKind::note,
                           .object = task != nullptr ? task->key : detail::outside_key,
                           .what = detail::intern(text)->c_str(),
                           .place = place});
    }
}

}  // namespace mishap
