// What goes next while there are simulated threads, and loops that they run.
//
// While there are threads, what goes next is the thread that went last, as long as it can; or something of the loop's; or
// another thread. The loop is a thread too: when one of its tasks has announced an operation in the middle of its step,
// nothing else of the loop can go.
//
// A loop that a thread runs is a guest: its entries take that thread's place. So what goes next is decided in one place, the
// root, whatever the number of loops; a guest is asked for nothing but its ready entries.

#include <mishap/loop/event_loop.hpp>

#include <algorithm>
#include <utility>

#include <mishap/sim/detail/clock_key.hpp>
#include <mishap/sim/errors.hpp>

#include <fmt/format.h>

#include "step.hpp"

namespace mishap {

std::uint32_t EventLoop::loop_candidates() const {
    if (threads_.held() != nullptr) {
        return threads_.is_held_enabled() ? 1 : 0;
    }
    const std::uint32_t entries = ready_.selectable();
    return is_any_order_ ? entries : std::min<std::uint32_t>(entries, 1);
}

/// Calls `f(loop, candidates)` for each loop that can go: the guest that went last, then this one, then the other guests.
template <class F>
void EventLoop::for_each_loop_in_order(F&& f) {
    if (last_guest_ != nullptr && last_guest_->is_runnable_guest()) {
        f(*last_guest_, last_guest_->loop_candidates());
    }
    f(*this, loop_candidates());
    for (EventLoop* guest : guests_) {
        if (guest != last_guest_ && guest->is_runnable_guest()) {
            f(*guest, guest->loop_candidates());
        }
    }
}

std::uint32_t EventLoop::guest_candidates() const {
    std::uint32_t count = 0;
    for (const EventLoop* guest : guests_) {
        count += guest->is_runnable_guest() ? guest->loop_candidates() : 0;
    }
    return count;
}

bool EventLoop::is_runnable_guest() const { return guest_run_ != nullptr && !guest_run_->is_over; }

/// Begins the next iteration of a guest if the last is over, or ends its run.
void EventLoop::prepare_guest() {
    if (!is_runnable_guest() || threads_.held() != nullptr || ready_.batch_left() != 0) {
        return;
    }
    let_guest_return();
    if (!is_runnable_guest()) {
        return;
    }
    guest_run_->is_first = false;
    if (!timers_.empty()) {
        release_late_timers();
    }
    ready_.begin_batch();
}

bool EventLoop::may_guest_return() const {
    return threads_.held() == nullptr && is_stopping_ && !guest_run_->is_first;
}

/// Lets the thread that runs this loop go on, if the loop has been stopped.
///
/// In asyncio's order that is when the iteration is over. In any order the thread may go on at once, and what is ready may go
/// as long as it does not; only what is calm depends on the iteration, so that no step's consequences depend on where it ends.
void EventLoop::let_guest_return() {
    const bool may_return = may_guest_return();
    const bool is_over = may_return && ready_.batch_left() == 0;
    if (!is_any_order_ && !is_over) {
        return;
    }
    if (may_return != guest_run_->may_return) {
        guest_run_->may_return = may_return;
        root_->allow(guest_run_->thread(), may_return);
    }
    if (is_over && root_->last_guest_ == this) {
        root_->last_guest_ = nullptr;
        root_->threads_.set_last(&guest_run_->thread());
    }
    guest_run_->is_over = is_over && !is_any_order_;
}

/// Tells that what is ready here may go from now on, or that it may not any more.
void EventLoop::note_guest_run(std::vector<std::uint64_t>& entities) {
    if (!world_->wants_steps()) {
        return;
    }
    world_->footprint().push_back({key_, Access::write, Relation::conflict, 0, false});
    ready_.for_each_selectable([&](const detail::ReadyEntry& entry) {
        entities.push_back(candidate(static_cast<const detail::Ready&>(entry), 0).key);
    });
}

EventLoop::Outcome EventLoop::run_as_guest() {
    if (is_closed_) {
        throw UsageError("a closed loop was run; make a new EventLoop");
    }
    if (guest_run_ != nullptr) {
        throw UsageError("a loop was run that another thread runs already; give each thread a loop of its own");
    }
    if (root_->guests_.empty() || detail::current_loop != root_ || root_->current_ == nullptr || !root_->current_->is_thread) {
        detail::refuse_nested_run();
        throw UsageError("a loop of a simulated run was run where no thread of that run runs");
    }
    detail::GuestRun run(*this, static_cast<detail::ThreadBase&>(*root_->current_));
    struct Scope {
        EventLoop& loop;
        ~Scope() {
            loop.guest_run_ = nullptr;
            loop.is_running_ = false;
        }
    };
    const Scope scope{*this};
    guest_run_ = &run;
    is_running_ = true;
    thread_globals_ = root_->thread_globals_;
    const std::uint64_t inbox = inbox_key();
    note_guest_run(world_->enabled());
    root_->announce(Announcement({.object = key_, .access = Access::write, .may_block = true}, {.object = inbox, .access = Access::read}),
                    false, &run, "EventLoop.run", {});
    note_guest_run(world_->disabled());
    if (world_->wants_steps()) {
        world_->footprint().push_back({inbox, Access::read, Relation::conflict, 0, false});
    }
    return Outcome::stopped;
}

/// Returns when the clock has a reason to move: a deadline of a loop whose thread is not blocked, or of one who is.
std::optional<std::int64_t> EventLoop::next_deadline() {
    std::optional<std::int64_t> next;
    const auto consider = [&](std::int64_t when) { next = std::min(next.value_or(when), when); };
    const auto consider_loop = [&](EventLoop& loop) {
        if (loop.threads_.held() == nullptr && !loop.timers_.empty()) {
            consider(loop.timers_.earliest());
        }
    };
    consider_loop(*this);
    for (EventLoop* guest : guests_) {
        if (guest->is_runnable_guest()) {
            consider_loop(*guest);
        }
    }
    for (const detail::ThreadDeadline* deadline : threads_.deadlines()) {
        if (!deadline->has_come) {
            consider(deadline->when_ns);
        }
    }
    return next;
}

/// Makes everything ready that is due now, in all loops and threads.
void EventLoop::release_all_due() {
    if (threads_.held() == nullptr) {
        release_due_timers();
        ready_.begin_batch();
    }
    for (EventLoop* guest : guests_) {
        if (guest->is_runnable_guest() && guest->threads_.held() == nullptr) {
            guest->release_due_timers();
            guest->ready_.begin_batch();
        }
    }
    for (detail::ThreadDeadline* deadline : threads_.deadlines()) {
        if (!deadline->has_come && deadline->when_ns <= world_->now_ns()) {
            deadline->has_come = true;
            allow(*deadline->who, true);
        }
    }
}

void EventLoop::tick_among_threads() {
    if (guests_.empty() && threads_.deadlines().empty()) {
        tick();
        ready_.begin_batch();
        return;
    }
    const std::int64_t earliest = *next_deadline();
    const std::int64_t time_max = world_->options().time_max.count();
    if (earliest > time_max && !world_->is_tearing_down()) {
        fail_over_time();
        return;
    }
    std::vector<std::int64_t> deadlines{earliest};
    if (const std::int64_t slack = world_->options().timer_slack.count(); slack != 0 && world_->choices().is_asking()) {
        const std::int64_t limit = std::min(time_max, earliest + std::min(slack, time_max));
        const auto collect = [&](std::int64_t when) {
            if (when > earliest && when <= limit) {
                deadlines.push_back(when);
            }
        };
        const auto collect_loop = [&](EventLoop& loop) {
            if (loop.threads_.held() == nullptr) {
                loop.timers_.distinct_deadlines(slack, detail::deadlines_max + 1, collect);
            }
        };
        collect_loop(*this);
        for (EventLoop* guest : guests_) {
            if (guest->is_runnable_guest()) {
                collect_loop(*guest);
            }
        }
        for (const detail::ThreadDeadline* deadline : threads_.deadlines()) {
            if (!deadline->has_come) {
                collect(deadline->when_ns);
            }
        }
        std::sort(deadlines.begin(), deadlines.end());
        deadlines.erase(std::unique(deadlines.begin(), deadlines.end()), deadlines.end());
        if (deadlines.size() > detail::deadlines_max) {
            world_->tell_amounts_sampled();
            deadlines.resize(detail::deadlines_max);
        }
    }
    const auto count = static_cast<std::uint32_t>(deadlines.size());
    const std::uint32_t taken =
        count == 1 ? 0 : world_->choices().decide(ChoiceKind::tick, count, {}, {detail::clock_key, ticks_ + 1}, 0);
    ++ticks_;
    world_->move_clock(std::max(deadlines[taken], world_->now_ns()));
    release_all_due();
    world_->observe_clock();
    if (world_->wants_steps()) [[unlikely]] {
        report_clock_step(WakeReason::time_passes);
    }
}

bool EventLoop::may_time_pass_among_threads() {
    if (guests_.empty() && threads_.deadlines().empty()) {
        return threads_.held() == nullptr && may_time_pass();
    }
    const WorldOptions& options = world_->options();
    const std::optional<std::int64_t> next = next_deadline();
    return is_any_order_ && world_->spent().time_passes < options.time_passes && next.has_value() &&
           *next <= options.time_max.count();
}

std::optional<EventLoop::Outcome> EventLoop::step_with_threads(bool is_first) {
    if (foreign_call_.load(std::memory_order_relaxed) && was_called_from_elsewhere()) [[unlikely]] {
        return Outcome::verdict;
    }
    if (threads_.held() == nullptr && ready_.batch_left() == 0) {
        if (is_stopping_ && !is_first) {
            return Outcome::stopped;
        }
        if (!timers_.empty()) {
            release_late_timers();
        }
        ready_.begin_batch();
    }
    for (std::size_t i = 0; i < guests_.size(); ++i) {
        guests_[i]->prepare_guest();
    }
    if (loop_candidates() + guest_candidates() + threads_.enabled() == 0) {
        if (!next_deadline().has_value()) {
            return Outcome::stuck;
        }
        tick_among_threads();
        return world_->has_failed() || world_->choices().is_abandoned() ? std::optional(Outcome::verdict) : std::nullopt;
    }
    return step_among_threads() ? std::nullopt : std::optional(Outcome::verdict);
}

bool EventLoop::step_among_threads() {
    held_back_ = nullptr;
    const bool may_pass = may_pass_ && may_time_pass_among_threads();
    const std::uint32_t of_loop = loop_candidates();
    const std::uint32_t of_guests = guest_candidates();
    const std::uint32_t of_threads = threads_.enabled();
    const std::uint32_t all = of_loop + of_guests + of_threads;
    const bool goes_on = threads_.last() != nullptr && threads_.last()->is_enabled;
    const std::uint32_t taken = world_->choices().schedule(all + (may_pass ? 1 : 0), *this);
    if (world_->choices().is_abandoned() && !world_->is_tearing_down()) [[unlikely]] {
        return false;
    }
    if (may_pass && taken == all) [[unlikely]] {
        let_time_pass();
        return true;
    }
    keep_calm(taken);
    const std::uint32_t begin_of_loops = goes_on ? 1 : 0;
    if (taken < begin_of_loops) {
        step_thread(*threads_.last(), taken);
    } else if (taken >= begin_of_loops + of_loop + of_guests) {
        last_guest_ = nullptr;
        step_thread(threads_.enabled_from_last(taken - of_loop - of_guests), taken);
    } else {
        std::uint32_t index = taken - begin_of_loops;
        EventLoop* loop = nullptr;
        for_each_loop_in_order([&](EventLoop& candidate, std::uint32_t count) {
            if (loop == nullptr) {
                loop = index < count ? &candidate : nullptr;
                index -= loop == nullptr ? count : 0;
            }
        });
        let_held_back_go();  // not before: it changes what can go
        threads_.set_last(nullptr);
        if (loop == this) {
            last_guest_ = nullptr;
            step_entry(index, taken);
        } else {
            step_guest(*loop, index, taken);
        }
    }
    if (world_->steps() > steps_look_) [[unlikely]] {
        look_at_step();
    }
    return !world_->has_failed() && !world_->choices().is_abandoned();
}

/// Makes a step of this loop: goes on with the task that is held, or takes the ready entry of that rank.
void EventLoop::step_entry(std::uint32_t index, std::uint32_t taken) {
    if (threads_.held() != nullptr) {
        continue_held(taken);
        return;
    }
    auto& entry = static_cast<detail::Ready&>(ready_.take(index));
    if (entry.is_task_entry) {
        auto& task = static_cast<detail::TaskBase&>(entry);
        begin_step<Watched::yes>(task.entity, entry.wake, entry.enabled_by, taken);
        step_task<Watched::yes>(task);
    } else {
        auto& handle = static_cast<detail::HandleBase&>(entry);
        begin_step<Watched::yes>(handle.lane->entity, entry.wake, entry.enabled_by, taken);
        run_handle(handle);
    }
}

void EventLoop::step_guest(EventLoop& guest, std::uint32_t index, std::uint32_t taken) {
    last_guest_ = &guest;
    guest.calm_ = calm_;
    detail::current_loop = &guest;
    world_->races().switch_to(guest.guest_run_->thread().number + 1);
    guest.step_entry(index, taken);
    if (guest.guest_run_ != nullptr) {
        guest.let_guest_return();  // where a strategy hears of steps, it was within this one
    }
    if (guest.is_debug_) {
        guest.report_if_slow();
    }
    world_->races().switch_to(0);
    detail::current_loop = this;
}

void EventLoop::step_thread(detail::ThreadBase& thread, std::uint32_t taken) {
    let_held_back_go();
    threads_.set_last(&thread);
    const WakeReason wake = thread.wake;
    thread.wake = WakeReason::yield;
    if (world_->wants_steps()) {
        announced_ = thread.next;
    }
    begin_step<Watched::yes>(thread.entity, wake, thread.enabled_by, taken);
    current_ = &thread;
    world_->races().switch_to(thread.number + 1);
    const bool has_ended = resume(thread);
    world_->races().switch_to(0);
    current_ = nullptr;
    if (has_ended) {
        announce_end(thread);
        end_step<Watched::yes>(thread.entity, EntityKind::thread, wake, StepEnd::finished);
        remove_thread(thread);
    } else {
        end_step<Watched::yes>(thread.entity, EntityKind::thread, wake, thread.is_enabled ? StepEnd::yielded : StepEnd::parked);
        if (thread.is_enabled) {
            hold_back_if_spinning(thread);
        }
    }
}

/// Goes on with the task that had announced an operation in the middle of its step.
void EventLoop::continue_held(std::uint32_t taken) {
    detail::TaskBase& task = *threads_.held();
    threads_.let_go();
    if (world_->wants_steps()) {
        announced_ = threads_.held_next();
    }
    const bool prepares_steps = std::exchange(prepares_steps_, false);  // it is at no wait
    begin_step<Watched::yes>(task.entity, WakeReason::yield, {task.entity.key, task.entity.step}, taken);
    step_task<Watched::yes>(task);
    prepares_steps_ = prepares_steps;
    if (threads_.held() == &task && threads_.is_held_enabled()) {
        hold_back_if_spinning(task);
    }
}

/// Runs a new task or thread on its own stack, inside the step of who made it, until it parks; returns whether it ended.
bool EventLoop::start_nested(detail::TaskBase& task) {
    detail::TaskBase* const maker = current_;
    detail::SavedState saved;
    detail::park_state(thread_globals_, saved);
    // For as long as it runs, the maker stands in the hub's place: whoever suspends or ends comes back here.
    detail::Context hubs_own{};
    hub_.context.swap(hubs_own);
    current_ = &task;
    const bool has_ended = resume(task);
    current_ = maker;
    hub_.context.swap(hubs_own);
    detail::resume_state(thread_globals_, saved);
    return has_ended;
}

/// Begins a task inside the step of who makes it; what it does until its first wait belongs to that step.
void EventLoop::start_eagerly(detail::TaskBase& task) {
    ++task.entity.step;
    ++nested_;
    const bool has_ended = start_nested(task);
    --nested_;
    if (!has_ended) {
        if (current_ != nullptr) {
            task.entity.chain = current_->entity.chain;  // its next step comes after what it did in this one
        }
        return;
    }
    if (world_->is_tracing()) [[unlikely]] {
        world_->tell({.kind = TraceEventKind::end, .object = task.key, .what = detail::ending_of(task)});
    }
    remove_task(task);
}

std::span<const Candidate> EventLoop::candidates_with_threads() {
    candidates_.clear();
    const auto rank = [&] { return static_cast<std::uint32_t>(candidates_.size()); };
    const auto add = [&](const detail::TaskBase& who, EntityKind kind, WakeReason wake, const Announcement& next) {
        candidates_.push_back({.key = who.entity.key,
                               .creator = who.entity.creator,
                               .kind = kind,
                               .wake = wake,
                               .calm_rank = rank(),
                               .step = who.entity.step + 1,
                               .enabled_by = who.enabled_by,
                               .is_pending_known = true,
                               .pending = next.span()});
    };
    const auto add_threads = [&](std::uint32_t from, std::uint32_t to) {
        for (std::uint32_t i = from; i < to; ++i) {
            const detail::ThreadBase& thread = threads_.enabled_from_last(i);
            add(thread, EntityKind::thread, thread.wake, thread.next);
        }
    };
    const bool goes_on = threads_.last() != nullptr && threads_.last()->is_enabled;
    add_threads(0, goes_on ? 1 : 0);
    for_each_loop_in_order([&](EventLoop& loop, std::uint32_t left) {
        if (loop.threads_.held() != nullptr) {
            if (left != 0) {
                add(*loop.threads_.held(), EntityKind::task, WakeReason::yield, loop.threads_.held_next());
            }
            return;
        }
        loop.ready_.for_each_selectable([&](const detail::ReadyEntry& entry) {
            if (left != 0) {
                --left;
                candidates_.push_back(candidate(static_cast<const detail::Ready&>(entry), rank()));
            }
        });
    });
    add_threads(goes_on ? 1 : 0, threads_.enabled());
    if (may_pass_ && may_time_pass_among_threads()) {
        candidates_.push_back({.key = detail::clock_key,
                               .kind = EntityKind::time,
                               .wake = WakeReason::time_passes,
                               .calm_rank = rank(),
                               .step = ticks_ + 1});
    }
    return candidates_;
}

}  // namespace mishap
