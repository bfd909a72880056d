// Runs that go on and get nowhere: entities that spin, livelock, starvation.
//
// Nothing here is on the way of a step that is not suspicious: the loop looks when a number of steps is exceeded (as it does
// for the limit on steps anyway), and where a task gives way.

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <mishap/loop/event_loop.hpp>

namespace mishap {

namespace {

bool is_same_place(const Place& a, const Place& b) {
    return a.line == b.line && (a.file == b.file || (a.file != nullptr && b.file != nullptr && std::strcmp(a.file, b.file) == 0));
}

std::string describe_wait(const detail::TaskBase& task) {
    const detail::AwaitFrame* const frame = task.frames;
    if (frame == nullptr) {
        return "nothing that waits";
    }
    return frame->place.line == 0 ? std::string(frame->operation)
                                  : fmt::format("{} at {}:{}", frame->operation, frame->place.file, frame->place.line);
}

}  // namespace

// ---- spinning ------------------------------------------------------------------------------------------------------

/// As `is_spinning`, for an entity that has made the step before as well.
bool EventLoop::is_spinning_on(const char* operation, Place place) {
    const std::uint64_t footprint = world_->reads() - spin_.reads;
    const bool is_idle = spin_.count != 0 && spin_.changes == world_->changes() && is_same_place(spin_.place, place) &&
                         (spin_.operation == operation || std::strcmp(spin_.operation, operation) == 0);
    if (!is_idle) {
        spin_.count = 1;
    } else {
        spin_.count = spin_.count == 1 || spin_.footprint == footprint ? spin_.count + 1 : 2;
    }
    spin_.steps = world_->steps();
    spin_.changes = world_->changes();
    spin_.reads = world_->reads();
    spin_.footprint = footprint;
    spin_.operation = operation;
    spin_.place = place;
    // A task also looks at its own control cell whenever it goes on.
    const bool is_poll = footprint != 0 && footprint != spin_.who->key;
    return spin_.count >= (is_poll ? detail::SpinWatch::polls_max : detail::SpinWatch::empty_max);
}

/// Returns the rank of the entry that cannot be picked; `nowhere` when all can. What is next in the calm order, or alone,
/// always can.
std::uint32_t EventLoop::rank_of_held_back() const {
    if (held_back_ == nullptr || ready_.selectable() < 2 || !world_->choices().is_asking()) {
        return detail::ReadyEntry::nowhere;
    }
    std::uint32_t rank = 0;
    std::uint32_t found = detail::ReadyEntry::nowhere;
    ready_.for_each_selectable([&](const detail::ReadyEntry& entry) {
        found = &entry == static_cast<const detail::ReadyEntry*>(held_back_) ? rank : found;
        ++rank;
    });
    return found == 0 ? detail::ReadyEntry::nowhere : found;
}

/// Holds back a thread, or the task that stands for the loop among threads, if it spins and others can go.
void EventLoop::hold_back_if_spinning(detail::TaskBase& thread) {
    // Where a check has failed, nobody is at a wait.
    if (world_->has_failed() || world_->is_tearing_down() || loop_candidates() + guest_candidates() + threads_.enabled() < 2 ||
        !is_spinning(thread, thread.frames->operation, thread.frames->place)) {
        return;
    }
    held_back_thread_ = &thread;
    if (thread.is_thread) {
        threads_.disable(static_cast<detail::ThreadBase&>(thread));
    } else {
        threads_.set_held_enabled(false);
    }
    ++world_->activity().spins;
}

void EventLoop::let_held_back_go() {
    if (held_back_thread_ == nullptr) {
        return;
    }
    detail::TaskBase& thread = *std::exchange(held_back_thread_, nullptr);
    if (thread.is_thread) {
        threads_.enable(static_cast<detail::ThreadBase&>(thread));
    } else if (threads_.held() == &thread) {
        threads_.set_held_enabled(true);
    }
}

// ---- livelock ------------------------------------------------------------------------------------------------------

void EventLoop::look_for_progress() {
    if (world_->steps() > steps_allowed_) {
        fail_over_steps();
        return;
    }
    look_for_livelock();
    watch_.next_look = std::min(steps_allowed_, world_->steps() + watch_.period);
    steps_look_ = is_debug_ ? 0 : watch_.next_look;
}

void EventLoop::look_for_livelock() {
    using Phase = detail::ProgressWatch::Phase;
    const bool has_progress = world_->progress() != watch_.progress;
    const bool has_new_values = world_->new_values() != watch_.new_values;
    Phase next = Phase::idle;
    if (!has_progress && !world_->is_tearing_down()) {
        next = watch_.phase == Phase::idle ? Phase::learning : Phase::deciding;
    }
    if (watch_.phase == Phase::deciding && next == Phase::deciding && !has_new_values && has_everybody_gone()) {
        report_livelock();
        return;
    }
    if ((next == Phase::idle) != (watch_.phase == Phase::idle)) {
        world_->watch_values(next != Phase::idle);
    }
    watch_.phase = next;
    watch_.progress = world_->progress();
    watch_.new_values = world_->new_values();
    watch_.steps.clear();
    if (next == Phase::deciding) {
        for_each_task_and_thread(
            [&](const detail::TaskBase& task) { watch_.steps.emplace_back(task.entity.key, task.entity.step); });
        ready_.for_each_selectable([&](const detail::ReadyEntry& entry) {
            if (!static_cast<const detail::Ready&>(entry).is_task_entry) {
                const auto& handle = static_cast<const detail::HandleBase&>(static_cast<const detail::Ready&>(entry));
                watch_.steps.emplace_back(handle.lane->entity.key, handle.lane->entity.step);
            }
        });
        std::sort(watch_.steps.begin(), watch_.steps.end());
    }
}

/// Returns whether all that could go have gone in the period: what an unfair order leaves aside might be what it takes.
bool EventLoop::has_everybody_gone() const {
    const auto has_gone = [&](const detail::EntityState& entity) {
        return !std::binary_search(watch_.steps.begin(), watch_.steps.end(), std::pair(entity.key, entity.step));
    };
    bool all = true;
    ready_.for_each_selectable([&](const detail::ReadyEntry& entry) {
        const auto& ready = static_cast<const detail::Ready&>(entry);
        all = all && has_gone(ready.is_task_entry ? static_cast<const detail::TaskBase&>(ready).entity
                                                  : static_cast<const detail::HandleBase&>(ready).lane->entity);
    });
    for (const detail::ThreadBase* thread : threads_.live()) {
        all = all && (!thread->is_enabled || has_gone(thread->entity));
    }
    return all && (threads_.held() == nullptr || !threads_.is_held_enabled() || has_gone(threads_.held()->entity));
}

void EventLoop::report_livelock() {
    Finding finding{.kind = FindingKind::livelock, .label = "livelock"};
    for_each_task_and_thread([&](const detail::TaskBase& task) {
        const auto before = std::lower_bound(watch_.steps.begin(), watch_.steps.end(), std::pair(task.entity.key, std::uint32_t{0}));
        const bool is_known = before != watch_.steps.end() && before->first == task.entity.key;
        const std::uint32_t made = is_known ? task.entity.step - before->second : 0;
        if (made != 0) {
            finding.tasks.push_back(task.path());
            finding.details.push_back(fmt::format("{} made {} of them, the last up to {}", task.path(), made, describe_wait(task)));
        } else if (!task.is_done()) {
            finding.details.push_back(fmt::format("{} waits in {}", task.path(), describe_wait(task)));
        }
    });
    finding.what = fmt::format("{} steps without progress: no time passes, nothing ends, and no variable gets a value that it "
                               "did not have before; raise livelock_steps if that is right",
                               watch_.period);
    world_->fail(std::move(finding));
}

// ---- starvation ----------------------------------------------------------------------------------------------------

void EventLoop::note_wake(const detail::TaskBase& task) {
    detail::OvertakingWatch::Task& seen = overtaking_.of(task.entity.key);
    seen.progress_at_wake = world_->progress();
    seen.writes_at_wake = world_->writes();
}

/// Counts a task that was woken and waits again at the same place, having done nothing in between.
void EventLoop::count_overtaking(const detail::TaskBase& task, const char* operation, Place place) {
    // Only in asyncio's own order, in which whoever is ready goes before it can be overtaken twice: an order that lets
    // others go first says nothing about the program.
    const std::span<const Choice> tape = world_->choices().tape();
    for (; overtaking_.tape_seen < tape.size(); ++overtaking_.tape_seen) {
        const Choice& choice = tape[overtaking_.tape_seen];
        if (choice.kind == ChoiceKind::schedule && choice.is_mishap()) {
            overtaking_.forget();
        }
    }
    detail::OvertakingWatch::Task& seen = overtaking_.of(task.entity.key);
    // One write is the one with which the wait joins a primitive's queue. What is slept for nobody else can take.
    const bool is_vain = task.wake == WakeReason::future && seen.operation != nullptr &&
                         std::strcmp(seen.operation, operation) == 0 && std::strcmp(operation, "sleep") != 0 &&
                         is_same_place(seen.place, place) && seen.progress_at_wake == world_->progress() &&
                         world_->writes() - seen.writes_at_wake <= 1;
    seen.count = is_vain ? seen.count + 1 : 0;
    seen.operation = operation;
    seen.place = place;
    if (seen.count > world_->options().overtaken_max) {
        const std::string path = task.path();
        world_->fail({.kind = FindingKind::starved,
                      .what = fmt::format("{} was woken {} times in a row and each time found that another had been first", path,
                                          seen.count),
                      .label = operation,
                      .place = place,
                      .tasks = {path},
                      .details = {fmt::format("it waits in {}", describe_wait(task))}});
    }
}

}  // namespace mishap
