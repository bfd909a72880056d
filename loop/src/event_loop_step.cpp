// The inner loop: what goes next, one step, what time it is.

#include <mishap/loop/event_loop.hpp>

#include <algorithm>
#include <utility>

#include <mishap/loop/detail/stack_overflow.hpp>
#include <mishap/sim/detail/clock_key.hpp>
#include <mishap/sim/detail/memory_key.hpp>
#include <mishap/sim/errors.hpp>

#include <fmt/format.h>

namespace mishap {

namespace {

constexpr std::uint64_t ready_set_key = detail::child_key(detail::outside_key, hash_text("ready set"), 0);

const char* ending_of(const detail::TaskBase& task) {
    if (task.state() == detail::Waitable::State::cancelled) {
        return "ends cancelled";
    }
    return task.peek_exception() != nullptr ? "ends with an exception" : "ends";
}

constexpr std::uint32_t deadlines_max = 8;  // classes of a tick question

}  // namespace

/// Returns false when nothing is ready and nothing can become ready.
bool EventLoop::begin_iteration() {
    if (!world_->is_simulated()) {
        wait_for_world();
        release_due_timers();
    } else {
        if (foreign_call_.load(std::memory_order_relaxed) && was_called_from_elsewhere()) [[unlikely]] {
            return false;
        }
        if (!timers_.empty()) {
            release_late_timers();
        }
        while (ready_.empty() && !is_stopping_) {
            if (timers_.empty()) {
                return false;
            }
            tick();
            if ((world_->has_failed() || world_->choices().is_abandoned()) && !world_->is_tearing_down()) {
                return false;
            }
        }
    }
    ready_.begin_batch();
    return true;
}

void EventLoop::release_due_timers() {
    timers_.pop_until(world_->now_ns(), [&](std::int64_t, detail::HandleBase* handle) {
        handle->lane = &handle->own_lane;
        handle->own_lane.first = handle->own_lane.last = handle;
        handle->next_in_lane = nullptr;
        handle->wake = WakeReason::deadline;
        handle->enabled_by = world_->running();
        ready_.push(*handle);
        if (world_->wants_steps()) {
            world_->enabled().push_back(handle->own_lane.entity.key);
        }
    });
}

/// Makes timers ready that were armed when their deadline had come: in the next iteration, as in asyncio. Nobody's footprint
/// tells when that is, so it is told as a step of the clock.
void EventLoop::release_late_timers() {
    release_due_timers();
    if (!world_->enabled().empty() && (!is_sharing_unknown_ || root_->threads_.is_active())) [[unlikely]] {
        ++ticks_;
        world_->observe_clock();
        report_clock_step(WakeReason::deadline);
    }
}

/// Lets the operating system tell what is ready, and sleeps until then when nothing else is to be done.
void EventLoop::wait_for_world() {
    drain_threadsafe();
    std::optional<std::chrono::nanoseconds> timeout;
    if (!ready_.empty() || is_stopping_) {
        timeout = std::chrono::nanoseconds(0);
    } else if (!timers_.empty()) {
        timeout = std::chrono::nanoseconds(std::max<std::int64_t>(timers_.earliest() - world_->now_ns(), 0));
    }
    selected_.clear();
    const std::int64_t began_ns = is_debug_ ? world_->now_ns() : 0;
    world_->selector().select(timeout, selected_);
    if (is_debug_ && timeout != std::chrono::nanoseconds(0)) {
        log_selector(timeout.value_or(std::chrono::nanoseconds::max()), began_ns);
    }
    drain_threadsafe();
}

void EventLoop::tick() {
    const std::int64_t now = choose_deadline();
    if (now > world_->options().time_max.count() && !world_->is_tearing_down()) {
        fail_over_time();
        return;
    }
    ++ticks_;
    if (now > world_->now_ns()) {
        world_->move_clock(now);
    }
    release_due_timers();
    world_->observe_clock();
    if (world_->wants_steps()) [[unlikely]] {
        report_clock_step(WakeReason::time_passes);
    }
}

void EventLoop::fail_over_time() {
    world_->fail({.kind = FindingKind::over_budget,
                  .what = fmt::format("the run needs more than {} s of virtual time; raise time_max if that is right",
                                      world_->options().time_max.count() / 1'000'000'000),
                  .label = "time_max"});
}

/// Tells the strategy that the clock has moved, and what came due: it is nobody else's step.
void EventLoop::report_clock_step(WakeReason wake) {
    world_->strategy()->after_step({.entity = {detail::clock_key, ticks_},
                                    .kind = EntityKind::time,
                                    .wake = wake,
                                    .footprint = world_->footprint(),
                                    .enabled = world_->enabled(),
                                    .data_classes = world_->choices().data_classes(),
                                    .timers = timers_that_may_pass()});
    world_->clear_step();
}

/// Returns how many timers time may still pass for while something is ready.
std::uint32_t EventLoop::timers_that_may_pass() const {
    if (!root_->may_pass_ || world_->spent().time_passes >= world_->options().time_passes) {
        return 0;
    }
    std::size_t count = root_->timers_.size() + root_->threads_.deadlines().size();
    for (const EventLoop* guest : root_->guests_) {
        count += guest->timers_.size();
    }
    return static_cast<std::uint32_t>(count);
}

/// Returns the deadline to which the clock goes: the earliest, or, as a mishap, a later one within the slack.
std::int64_t EventLoop::choose_deadline() {
    const std::int64_t slack = world_->options().timer_slack.count();
    if (slack == 0 || !world_->choices().is_asking()) {
        return timers_.earliest();
    }
    std::array<std::int64_t, deadlines_max> deadlines{};
    std::uint32_t count = 0;
    timers_.distinct_deadlines(slack, deadlines_max, [&](std::int64_t when) {
        if (count == 0 || when <= world_->options().time_max.count()) {
            deadlines[count++] = when;
        }
    });
    return deadlines[world_->choices().decide(ChoiceKind::tick, count, {}, {detail::clock_key, ticks_ + 1}, 0)];
}

bool EventLoop::may_time_pass() {
    const WorldOptions& options = world_->options();
    return world_->spent().time_passes < options.time_passes && !timers_.empty() && is_any_order_ &&
           timers_.earliest() <= options.time_max.count();  // a mishap must not use up the run's time
}

/// Makes the timers of the next deadline ready although other entries are.
void EventLoop::let_time_pass() {
    ++world_->spent().time_passes;
    world_->touch_as(world_->time_passes_budget(), {.access = Access::write, .is_budget = true}, "time passes");
    const bool is_alone = guests_.empty() && threads_.deadlines().empty();
    const std::int64_t now = std::max(is_alone ? timers_.earliest() : *next_deadline(), world_->now_ns());
    ++ticks_;
    held_back_ = nullptr;  // it may wait for the time
    world_->move_clock(now);
    world_->digest().fold(detail::clock_key);
    if (is_alone) {
        release_due_timers();
    } else {
        release_all_due();
    }
    world_->observe_clock();
    if (world_->wants_steps()) [[unlikely]] {
        // Of timers of several loops and of threads nobody can tell from footprints for which time may pass.
        report_clock_step(is_alone ? WakeReason::time_passes : WakeReason::deadline);
    }
    ready_.begin_batch();
}

/// Switches to the task's stack, and comes back when it waits or ends; returns whether it ended.
[[gnu::always_inline]] inline bool EventLoop::resume(detail::TaskBase& task) {
    if (task.context == nullptr) {
        __builtin_prefetch(&task + 1);  // its function
        task.context = &fibers_->acquire(task, hub_)->context;
    }
    detail::switch_context(hub_.context, *task.context);
    detail::Fiber* const ended = hub_.ended;
    if (ended == nullptr) {
        return false;
    }
    hub_.ended = nullptr;
    if (ended->stack->guard == detail::Guard::canary && !detail::canary_intact(*ended->stack)) [[unlikely]] {
        detail::report_stack_overflow(*ended->stack);
    }
    fibers_->release(ended);
    task.context = nullptr;
    return true;
}

template <EventLoop::Watched watched>
[[gnu::always_inline]] inline void EventLoop::begin_step(detail::EntityState& entity, WakeReason wake,
                                                         const EntityStep& enabled_by, std::uint32_t taken) {
    ++entity.step;
    world_->begin_step({entity.key, entity.step}, &entity.chain);
    world_->digest().fold(entity.key + ((std::uint64_t{taken} << 8U) | static_cast<std::uint64_t>(wake)));
    if (watched == Watched::yes && world_->is_tracing()) [[unlikely]] {
        // A deadline comes by itself, after whoever asked for it; who happened to go before is no cause.
        trace_step(wake, wake == WakeReason::deadline ? EntityStep{entity.creator, 0} : enabled_by, taken);
    }
}

template <EventLoop::Watched watched>
[[gnu::always_inline]] inline void EventLoop::end_step(const detail::EntityState& entity, EntityKind kind, WakeReason wake,
                                                       StepEnd end) {
    world_->digest().fold(static_cast<std::uint64_t>(world_->now_ns()) * 4 + static_cast<std::uint64_t>(end));
    world_->choices().step_made({entity.key, entity.step}, end);
    world_->end_step();
    if (watched == Watched::yes && world_->wants_steps()) [[unlikely]] {
        report_step(entity, kind, wake, end);
    }
}

template <EventLoop::Watched watched>
[[gnu::always_inline]] inline void EventLoop::step_task(detail::TaskBase& task) {
    const WakeReason wake = task.wake;
    if (watched == Watched::yes && prepares_steps_) [[unlikely]] {
        prepare_step(task);
    }
    bool has_ended = true;
    current_ = &task;
    // Its control cell, where a request for cancellation would have been seen. It has the task's key, and lies on another
    // cache line.
    world_->touch_read(task, task.entity.key);
    if (task.context == nullptr && (task.must_cancel || task.is_abandoning)) [[unlikely]] {
        // Cancelled before it began: its function never runs. What it captured is destroyed, and may not wait: it has no
        // stack to wait on.
        current_ = nullptr;
        task.drop_body();
        current_ = &task;
        task.must_cancel = false;
        task.finish_with_cancelled_error(task.must_cancel_message);
    } else {
        has_ended = resume(task);
    }
    current_ = nullptr;
    StepEnd end = StepEnd::parked;
    if (has_ended) {
        end = StepEnd::finished;
    } else if (task.ready_slot != detail::ReadyEntry::nowhere) {
        end = StepEnd::yielded;
    }
    end_step<watched>(task.entity, EntityKind::task, wake, end);
    if (end == StepEnd::finished) {
        if (watched == Watched::yes && world_->is_tracing()) [[unlikely]] {
            world_->tell({.kind = TraceEventKind::end, .object = task.key, .what = ending_of(task)});
        }
        remove_task(task);
    }
}

/// Does, before a step, what few runs want.
void EventLoop::prepare_step(detail::TaskBase& task) {
    if (is_debug_) {
        note_step_begins("task " + task.path());
    }
    maybe_inject_cancellation(task);
}

void EventLoop::run_task(detail::TaskBase& task) { step_task<Watched::yes>(task); }

template <EventLoop::Watched watched>
[[gnu::always_inline]] inline bool EventLoop::step() {
    const bool may_pass = watched == Watched::yes && may_pass_ && may_time_pass();
    std::uint32_t entries = watched == Watched::no || is_any_order_ ? ready_.selectable() : 1;
    std::uint32_t rank_held_back = detail::ReadyEntry::nowhere;
    if (held_back_ != nullptr) [[unlikely]] {
        rank_held_back = rank_of_held_back();
        if (rank_held_back != detail::ReadyEntry::nowhere) {
            --entries;
            ++world_->activity().spins;
        }
    }
    std::uint32_t taken = 0;
    if constexpr (watched == Watched::yes) {
        taken = world_->choices().schedule(entries + (may_pass ? 1 : 0), *this);
        if (world_->choices().is_abandoned() && !world_->is_tearing_down()) [[unlikely]] {
            return false;
        }
    } else if (entries > 1) {
        taken = world_->choices().schedule_plainly(entries, *this);
        if (taken == Choices::abandoned) [[unlikely]] {
            return false;
        }
    }
    if (may_pass && taken == entries) [[unlikely]] {
        let_time_pass();
        return true;
    }
    held_back_ = nullptr;
    auto& entry = static_cast<detail::Ready&>(ready_.take(taken + (taken >= rank_held_back ? 1 : 0)));
    if (entry.is_task_entry) [[likely]] {
        auto& task = static_cast<detail::TaskBase&>(entry);
        begin_step<watched>(task.entity, entry.wake, entry.enabled_by, taken);
        step_task<watched>(task);
    } else {
        auto& handle = static_cast<detail::HandleBase&>(entry);
        begin_step<watched>(handle.lane->entity, entry.wake, entry.enabled_by, taken);
        run_handle(handle);
    }
    if (world_->steps() > steps_look_) [[unlikely]] {
        look_at_step();
    }
    return !world_->has_failed() && !world_->choices().is_abandoned();
}

// The switch stands in this function itself, and everything on the way to it is inlined: a return on the hub's side
// between two switches would meet the processor's prediction of the task's return, and the other way round, which costs
// twenty cycles each time.
EventLoop::Outcome EventLoop::run_some() {
    const bool is_simulated = world_->is_simulated();
    is_watched_ = !is_any_order_ || may_pass_ || prepares_steps_ || sweep_ != Sweep::off || counts_overtaking_ ||
                  world_->is_observed() || !world_->choices().is_plain();
    for (bool first = true;; first = false) {
        // Most steps of a search: a strategy chooses, and nobody looks.
        while (!is_watched_ && timers_.empty() && !is_stopping_ && !ready_.empty()) [[likely]] {
            ready_.begin_batch_if_over();
            if (!step<Watched::no>()) {
                return Outcome::verdict;
            }
            first = false;
        }
        if (threads_.is_active()) [[unlikely]] {
            if (const std::optional<Outcome> outcome = step_with_threads(first)) {
                return *outcome;
            }
            continue;
        }
        // An iteration that begins with entries ready and no timers is nothing but its bounds. This is asked first: with
        // random picks nobody can guess when a batch is over.
        const bool is_plain = is_simulated && timers_.empty() && !is_stopping_ && !ready_.empty();
        if (!is_plain && ready_.batch_left() == 0) {
            if (is_stopping_ && !first) {
                return Outcome::stopped;
            }
            if (!begin_iteration()) {
                return world_->has_failed() ? Outcome::verdict : Outcome::stuck;
            }
            if (ready_.batch_left() == 0) {
                continue;
            }
        }
        ready_.begin_batch_if_over();
        if (!step<Watched::yes>()) {
            return Outcome::verdict;
        }
    }
}

bool EventLoop::pick_and_step() { return step<Watched::yes>(); }

void EventLoop::fail_over_steps() {
    world_->fail({.kind = FindingKind::over_budget,
                  .what = fmt::format("the run needs more than {} steps; if that is right and it does end, raise steps_max",
                                      steps_allowed_),
                  .label = "steps_max"});
}

/// Remembers who would have gone calmly, for the trace: once the step has begun the candidates are others.
void EventLoop::keep_calm(std::uint32_t taken) {
    if (world_->is_tracing() && taken != 0) [[unlikely]] {
        calm_ = candidates().front();
    }
}

void EventLoop::trace_step(WakeReason wake, EntityStep enabled_by, std::uint32_t taken) {
    if (taken != 0) {
        if (!threads_.is_active()) {
            calm_ = candidates().front();  // who was overtaken is still there
        }
        world_->tell({.kind = TraceEventKind::mishap, .other = {calm_.key, calm_.step}, .value = taken});
    }
    world_->tell({.kind = TraceEventKind::step, .other = enabled_by, .value = static_cast<std::int64_t>(wake)});
}

void EventLoop::report_step(const detail::EntityState& entity, EntityKind kind, WakeReason wake, StepEnd end) {
    if (guest_run_ != nullptr) {
        // Once its thread has gone on, it could not have been made.
        world_->footprint().push_back({key_, Access::read, Relation::conflict, 0, false});
        let_guest_return();
    }
    if (kind != EntityKind::thread && is_sharing_unknown_) {
        // What tasks and callbacks share beside tracked objects nobody sees: as if each wrote one and the same cell.
        world_->footprint().push_back({detail::unknown_memory_key, Access::write, Relation::conflict, 0, false});
    }
    if (!is_any_order_ && (kind != EntityKind::thread || !world_->enabled().empty())) {
        // In asyncio's order it matters who became ready first.
        world_->footprint().push_back({ready_set_key, Access::write, Relation::conflict, 0, false});
    }
    world_->strategy()->after_step({.entity = {entity.key, entity.step},
                                    .kind = kind,
                                    .wake = wake,
                                    .end = end,
                                    .footprint = world_->footprint(),
                                    .created = world_->created(),
                                    .enabled = world_->enabled(),
                                    .disabled = world_->disabled(),
                                    .data_classes = world_->choices().data_classes(),
                                    .timers = timers_that_may_pass(),
                                    .is_pending_known = announced_.has_value(),
                                    .pending = announced_.has_value() ? announced_->span() : std::span<const Operation>()});
    announced_.reset();
    world_->clear_step();
}

// Out of line, so that the event takes no room in the frames of suspended tasks.
void EventLoop::tell_pause(TraceEventKind kind, std::uint64_t object, const char* operation, Place place) {
    world_->tell({.kind = kind, .object = object, .what = operation, .place = place});
}

/// That it was not complete is what the step saw of it.
void EventLoop::observe_wait(detail::Waitable& waitable, const char* operation, Place place) {
    world_->touch(waitable, Access::read);
    if (world_->is_tracing()) {
        tell_pause(TraceEventKind::wait, waitable.key, operation, place);
    }
}

void EventLoop::park(detail::Waitable& waitable, const char* operation, Place place, detail::Failing failing) {
    detail::TaskBase& task = *current_;
    if (task.is_abandoning) [[unlikely]] {
        refuse_to_wait();
    }
    detail::Listener listener{nullptr, &task, nullptr};
    waitable.add_listener(listener);
    task.waiting_on = &waitable;
    detail::AwaitFrame frame{operation, place, task.frames};
    task.frames = &frame;
    if (task.must_cancel && waitable.cancel(task.must_cancel_message)) [[unlikely]] {
        task.must_cancel = false;
    }
    ++world_->activity().waits;
    if (world_->is_observing()) [[unlikely]] {
        observe_wait(waitable, operation, place);
    }
    if (is_watched_) [[unlikely]] {
        attend_wait(task, waitable, operation, place, failing);
    }
    suspend();
    if (is_watched_ && counts_overtaking_) [[unlikely]] {
        note_wake(task);
    }
    task.frames = frame.outer;
    task.waiting_on = nullptr;
    if (task.is_interrupted()) [[unlikely]] {
        if (task.is_abandoning && !waitable.is_done()) {
            waitable.remove_listener(listener);
        }
        if (task.must_cancel && waitable.throws_cancelled()) {
            // A second request before the task resumes is served by the first: its CancelledError, with its message.
            task.must_cancel = false;
        }
        task.throw_if_interrupted();
    }
}

/// Does, before a task parks, what few runs want.
void EventLoop::attend_wait(detail::TaskBase& task, detail::Waitable& waitable, const char* operation, Place place,
                            detail::Failing failing) {
    if (sweep_ != Sweep::off && (failing != detail::Failing::no || sweep_ == Sweep::cancel)) {
        if (sweep_await(task, operation, place) && sweep_ != Sweep::cancel) {
            waitable.cancel(&detail::injected_message());
        }
    }
    if (counts_overtaking_) {
        count_overtaking(task, operation, place);
    }
}

void EventLoop::yield(const char* operation, Place place) {
    detail::TaskBase& task = *current_;
    if (task.is_abandoning) [[unlikely]] {
        refuse_to_wait();
    }
    task.wake = WakeReason::yield;
    task.enabled_by = world_->running();
    detail::Suspension suspension(task);
    ready_.push(task, true, task.context);
    if (may_hold_back_ && is_spinning(task, operation, place)) [[unlikely]] {
        held_back_ = &task;  // among threads nobody looks at it: there the task that is held can be
    }
    detail::AwaitFrame frame{operation, place, task.frames};
    task.frames = &frame;
    if (is_watched_) [[unlikely]] {
        attend_yield(task, operation, place);
    }
    suspend(suspension);
    task.frames = frame.outer;
    if (is_watched_) [[unlikely]] {
        throw_if_swept();
    }
    task.throw_if_interrupted();
}

/// As `attend_wait`, before a task yields.
void EventLoop::attend_yield(detail::TaskBase& task, const char* operation, Place place) {
    if (world_->is_tracing()) {
        tell_pause(TraceEventKind::yield, 0, operation, place);
    }
    if (sweep_ != Sweep::off) {
        sweep_await(task, operation, place);
    }
}

void EventLoop::force_yield(const char* operation, Place place, detail::Tracked& seen) {
    if (current_ == nullptr || world_->spent().forced_yields >= world_->options().forced_yields ||
        !world_->choices().is_asking()) {
        return;
    }
    if (world_->choices().decide(ChoiceKind::forced_yield, 2, {}, world_->running(), 0,
                                  {world_->forced_yields_budget().key,
                                   world_->options().forced_yields - world_->spent().forced_yields}) == 0) {
        return;
    }
    ++world_->spent().forced_yields;
    world_->digest().fold(static_cast<std::uint64_t>(ChoiceKind::forced_yield));
    world_->touch(seen, Access::read);  // that it would not suspend; who is not made to yield sees more of it
    world_->touch_as(world_->forced_yields_budget(), {.access = Access::write, .is_budget = true}, "");
    if (world_->is_tracing()) {
        world_->tell({.kind = TraceEventKind::mishap, .value = 1, .what = "yields where it need not wait", .place = place});
    }
    yield(operation, place);
}

void EventLoop::maybe_inject_cancellation(detail::TaskBase& task) {
    const WorldOptions& options = world_->options();
    if (task.entity.step == 1 && !options.cancel_everywhere) {
        return;
    }
    if (world_->spent().cancellations >= options.cancellations || !task.is_eligible || task.must_cancel ||
        !world_->choices().is_asking()) {
        return;
    }
    if (task.wake != WakeReason::future && !options.cancel_everywhere) {
        return;
    }
    if (world_->choices().decide(ChoiceKind::cancel, 2, {}, world_->running(), 0,
                                  {world_->cancellations_budget().key,
                                   options.cancellations - world_->spent().cancellations}) == 0) {
        return;
    }
    // A task that shrugs it off goes on as if nothing had been: yet it is another run.
    world_->digest().fold(static_cast<std::uint64_t>(ChoiceKind::cancel));
    ++world_->spent().cancellations;
    world_->touch_as(world_->cancellations_budget(), {.access = Access::write, .is_budget = true}, "");
    if (world_->is_tracing()) {
        world_->tell({.kind = TraceEventKind::mishap, .value = 1, .what = "is cancelled before it resumes"});
    }
    victims_.push_back(task.entity.key);
    // What `Task::cancel` does to a task whose wait is over.
    world_->touch(task, Access::write);
    ++task.cancel_requests_;
    task.must_cancel = true;
    task.must_cancel_message = &detail::injected_message();
}

bool EventLoop::is_victim(std::uint64_t task_key) const {
    return std::find(victims_.begin(), victims_.end(), task_key) != victims_.end();
}

void EventLoop::run_handle(detail::HandleBase& handle) {
    detail::Lane& lane = *handle.lane;
    const WakeReason wake = handle.wake;
    const EntityKind kind = wake == WakeReason::deadline ? EntityKind::timer : EntityKind::lane;
    lane.first = handle.next_in_lane;
    if (lane.first != nullptr) {
        ready_.make_selectable(*lane.first);
    } else {
        lane.last = nullptr;
    }
    handle.is_scheduled = false;
    world_->touch_as(handle.cell, {.access = Access::write, .relation = Relation::conflict}, "");
    current_handle_ = &handle;
    if (is_debug_) [[unlikely]] {
        note_step_begins("a callback");
    }
    // The other place where the library catches what user code throws.
    try {
        handle.invoke();
    } catch (const detail::TaskAbandoned&) {
        // A check failed in a callback: the world has its verdict.
    } catch (...) {
        call_exception_handler({"Exception in callback", std::current_exception()});
    }
    current_handle_ = nullptr;
    end_step<Watched::yes>(lane.entity, kind, wake, StepEnd::finished);
    detail::Ref<detail::HandleBase>::drop(&handle);
}

std::span<const Candidate> EventLoop::candidates() {
    if (threads_.is_active()) {
        return candidates_with_threads();
    }
    candidates_.clear();
    std::uint32_t left_out = rank_of_held_back();
    ready_.for_each_selectable([&](const detail::ReadyEntry& entry) {
        if (left_out-- == 0) {
            return;
        }
        candidates_.push_back(candidate(static_cast<const detail::Ready&>(entry),
                                        static_cast<std::uint32_t>(candidates_.size())));
    });
    if (may_time_pass()) {
        candidates_.push_back({.key = detail::clock_key,
                               .kind = EntityKind::time,
                               .wake = WakeReason::time_passes,
                               .calm_rank = static_cast<std::uint32_t>(candidates_.size()),
                               .step = ticks_ + 1});
    }
    return candidates_;
}

// ---- with simulated threads ------------------------------------------------------------------------------------------
//
// While there are threads, what goes next is the thread that went last, as long as it can; or something of the loop's; or
// another thread. The loop is a thread too: when one of its tasks has announced an operation in the middle of its step,
// nothing else of the loop can go.

//
// A loop that a thread runs is a guest: its entries take that thread's place. So what goes next is decided in one place, the
// root, whatever the number of loops; a guest is asked for nothing but its ready entries.

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
                loop.timers_.distinct_deadlines(slack, deadlines_max, collect);
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
        deadlines.resize(std::min<std::size_t>(deadlines.size(), deadlines_max));
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
        world_->tell({.kind = TraceEventKind::end, .object = task.key, .what = ending_of(task)});
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

Candidate EventLoop::candidate(const detail::Ready& entry, std::uint32_t rank) const {
    const bool is_task = entry.is_task_entry;
    const detail::EntityState& entity = is_task ? static_cast<const detail::TaskBase&>(entry).entity
                                                : static_cast<const detail::HandleBase&>(entry).lane->entity;
    EntityKind kind = EntityKind::task;
    if (!is_task) {
        kind = entry.wake == WakeReason::deadline ? EntityKind::timer : EntityKind::lane;
    }
    return {.key = entity.key,
            .creator = entity.creator,
            .kind = kind,
            .wake = entry.wake,
            .calm_rank = rank,
            .step = entity.step + 1,
            .enabled_by = entry.enabled_by};
}

}  // namespace mishap
