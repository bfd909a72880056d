#include <mishap/loop/event_loop.hpp>

#include <algorithm>

#include <fmt/format.h>

#include "running.hpp"
#include <mishap/loop/context.hpp>
#include <mishap/loop/detail/immortal.hpp>
#include <mishap/loop/detail/stack_overflow.hpp>
#include <mishap/sim/epoll_selector.hpp>
#include <mishap/sim/errors.hpp>

namespace mishap {

namespace {

constexpr std::uint64_t task_kind = hash_text("task");
constexpr std::uint64_t timer_kind = hash_text("timer");
constexpr std::uint64_t wait_kind = hash_text("wait");
constexpr std::uint64_t callbacks_kind = hash_text("callbacks");
constexpr std::uint64_t loop_kind = hash_text("loop");

/// Numbers the runs of all threads: a loop may be made in one thread and run in another.
detail::RunSerial next_run_serial() {
    static std::atomic<detail::RunSerial> serials{detail::no_run};
    const detail::RunSerial serial = serials.fetch_add(1, std::memory_order_relaxed) + 1;
    return serial != detail::no_run ? serial : next_run_serial();
}

// Out of line, these three, so that who calls them needs no frame for what is rare.

[[gnu::noinline]] std::uint32_t count_copy(boost::unordered_flat_map<std::uint64_t, std::uint32_t>& copies, std::uint64_t name) {
    return ++copies[name];
}

[[gnu::noinline, gnu::cold]] void tell_created(World& world, const detail::TaskBase& task) {
    world.names().put(task.entity.key, task.entity.creator, task.segment());
    world.tell({.kind = TraceEventKind::create, .object = task.key});
    if (world.wants_steps()) {
        world.created().push_back(task.entity.key);
    }
}

[[gnu::noinline, gnu::cold]] void tell_enabled(World& world, std::uint64_t entity) { world.enabled().push_back(entity); }

}  // namespace

namespace detail {

void no_running_loop(const char* operation) {
    throw UsageError(fmt::format(
        "{} was called where no loop runs; call it from a function given to run(), explore() or create_task()", operation));
}

void no_current_task(const char* operation) {
    if (current_loop->current_task() != nullptr) {
        throw UsageError(fmt::format(
            "{} was called in a simulated thread; threads do not await: use Mutex, CondVar and Shared, or call_soon_threadsafe()",
            operation));
    }
    throw UsageError(fmt::format(
        "{} was called in a callback, where nothing may wait; make a task with create_task() and wait there", operation));
}

void refuse_nested_run() {
    const bool is_thread = current_loop != nullptr && current_loop->current_task() != nullptr &&
                           current_loop->current_task()->is_thread;
    if (current_loop != nullptr && !is_thread) {
        throw UsageError(
            "a loop was run inside a running loop (run(), explore(), check(), replay() or run_until_complete() in a task "
            "or callback); await the function directly instead, or explore it outside");
    }
}

const std::string* intern(std::string_view text) {
    // Node-based, so that the strings stay where they are; looked up only. Never destroyed: handles may live longer.
    static thread_local auto* const texts =
        detail::make_immortal<boost::unordered_flat_map<std::uint64_t, std::unique_ptr<std::string>>>();
    std::unique_ptr<std::string>& entry = (*texts)[hash_text(text)];
    if (entry == nullptr) {
        entry = std::make_unique<std::string>(text);
    }
    return entry.get();
}

}  // namespace detail

namespace {
constinit thread_local EventLoop* loop_of_thread = nullptr;  // given to set_event_loop
}

void detail::forget_loop(const EventLoop& loop) { loop_of_thread = loop_of_thread == &loop ? nullptr : loop_of_thread; }

EventLoop& get_event_loop() {
    EventLoop* const loop = detail::current_loop != nullptr ? detail::current_loop : loop_of_thread;
    if (loop == nullptr) {
        throw UsageError("get_event_loop() was called where no loop runs and none was set; make one with new_event_loop() or Runner");
    }
    return *loop;
}

void set_event_loop(EventLoop* loop) { loop_of_thread = loop; }

std::unique_ptr<EventLoop> new_event_loop() { return std::make_unique<EventLoop>(); }

namespace {

World& world_of_new_loop() {
    World* const world = detail::current_world();
    return world != nullptr && world->is_simulated() ? *world : *new World(std::make_unique<EpollSelector>());
}

}  // namespace

EventLoop::EventLoop() : EventLoop(world_of_new_loop()) {
    if (!world_->is_simulated()) {
        own_world_.reset(world_);
    }
}

EventLoop::EventLoop(World& world) : world_(&world), fibers_(&detail::fiber_pool()) {
    is_any_order_ = world.options().order == Order::any;
    detail::watch_stack_overflows();
    inbox_->loop = this;
    if (detail::current_loop != nullptr && detail::current_loop->world_ == world_ && world_->is_simulated()) {
        join_run();
    }
    begin_run();
}

EventLoop::~EventLoop() {
    if (is_closed_ || is_running_) {
        return;
    }
    if (root_ != this || detail::current_loop == nullptr) {
        close();
    } else {
        end_run();  // tasks cannot be run to their end inside another loop
        detail::forget_loop(*this);
        close_inbox();  // nor can threads be told
    }
}

void EventLoop::begin_run() {
    run_ = next_run_serial();
    objects_run_ = root_ == this ? run_ : root_->objects_run_;
    ready_.end_batch();
    if (world_->is_simulated()) {
        // They may refer to what an earlier run has destroyed.
        exception_handler_ = nullptr;
        log_handler_ = nullptr;
        task_factory_ = nullptr;
        for (auto& functions : shutdown_functions_) {
            functions.clear();
        }
    }
    are_generators_shut_down_ = false;
    default_names_ = nested_ = 0;
    current_handle_ = nullptr;
    is_stopping_ = false;
    const WorldOptions& options = world_->options();
    forced_yields_ = options.forced_yields != 0;
    may_pass_ = options.time_passes != 0;
    sweep_ = options.sweep;
    may_hold_back_ = world_->is_simulated() && is_any_order_;
    counts_overtaking_ = world_->is_simulated() && options.overtaken_max != 0;
    held_back_ = nullptr;
    held_back_thread_ = nullptr;
    spin_ = {};
    watch_.begin_run();
    overtaking_.begin_run();
    swept_task_ = nullptr;
    awaits_ = 0;
    is_sharing_unknown_ = options.sharing == Sharing::unknown;
    steps_allowed_ = world_->is_simulated() ? options.steps_max : ~std::uint64_t{0};
    watch_.period = world_->is_simulated() ? options.livelock_steps : 0;
    watch_.next_look = watch_.period != 0 ? std::min(steps_allowed_, watch_.period) : steps_allowed_;
    are_callers_watched_ = root_ != this;
    set_debug(is_debug_ && !world_->is_simulated());  // a run turns it on for itself
    outside_tasks_ = outside_timers_ = outside_objects_ = ticks_ = 0;
    loop_lane_ = {};
    loop_lane_.entity.key = detail::child_key(key_, callbacks_kind, 0);
    inbox_->cell.key = 0;
    foreign_lanes_.clear();
    last_guest_ = nullptr;
    is_executor_shut_down_ = false;
    if (!victims_.empty()) {
        victims_.clear();
    }
    if (!name_copies_.empty()) {
        name_copies_.clear();
    }
}

/// Lets the loop be run by another thread than before: what it makes from now on is of that thread.
void EventLoop::move_to_this_thread() {
    if (is_on_own_thread()) {
        return;
    }
    if (!tasks_.empty() || !ready_.empty() || !timers_.empty()) {
        throw UsageError("a loop was run in another thread than its tasks, callbacks and timers were made in; make them there");
    }
    const std::lock_guard guard(inbox_->mutex);
    thread_ = std::this_thread::get_id();
    fibers_ = &detail::fiber_pool();
}

void EventLoop::end_run() {
    tell_unclosed();
    forget_generators();
    drop_default_executor();
    while (!guests_.empty()) {
        guests_.back()->leave_run();
    }
    tasks_.clear();
    threads_.clear();
    ready_.clear();
    timers_.clear();
    std::vector<std::function<void()>> callbacks;
    {
        const std::lock_guard guard(inbox_->mutex);
        callbacks.swap(inbox_->callbacks);
    }
    callbacks.clear();  // what they hold may want the lock
    detail::block_pool().end_run(run_);
}

void EventLoop::close() {
    if (is_running_) {
        throw UsageError("close() was called on a running loop; call stop() and close it when run_forever() has returned");
    }
    if (is_closed_) {
        return;
    }
    if (root_ != this) {
        leave_run();
        return;
    }
    if (!tasks_.empty() && !is_on_own_thread()) {
        throw UsageError("a loop with tasks was closed in another thread than it ran in; close it where run_forever() returns");
    }
    tear_down();
    const detail::Promises broken = close_inbox();
    end_run();
    detail::forget_loop(*this);
    is_closed_ = is_use_checked_ = true;
    detail::break_promises(broken);
}

/// Makes the loop one more of the run in whose world it was made.
void EventLoop::join_run() {
    EventLoop& maker = *detail::current_loop;
    root_ = maker.root_;
    root_->guests_.push_back(this);
    root_->watch_callers();
    threads_.be_of_thread();
    const std::uint64_t creator = maker.running_key();
    const std::uint32_t ordinal = ++root_->name_copies_[detail::child_key(creator, loop_kind, 0)];
    key_ = detail::child_key(creator, loop_kind, ordinal);
    if (world_->is_observing()) {
        tell_names(key_, creator, fmt::format("loop#{}", ordinal));
    }
}

/// Closes a loop that is not alone in its run.
void EventLoop::leave_run() {
    EventLoop* const here = detail::current_loop;
    const bool is_in_thread = here == root_ && here->current_ != nullptr && here->current_->is_thread;
    if (!tasks_.empty() && is_in_thread && !world_->is_tearing_down() && !here->current_->is_abandoning) {
        cancel_all_tasks();
    }
    const detail::Promises broken = close_inbox();
    drop_tasks();
    end_run();
    detail::forget_loop(*this);
    std::erase(root_->guests_, this);
    if (root_->last_guest_ == this) {
        root_->last_guest_ = nullptr;
    }
    is_closed_ = is_use_checked_ = true;
    detail::break_promises(broken);  // at last: others may go on meanwhile
}

/// Gives up the tasks that nobody can run any more.
void EventLoop::drop_tasks() {
    if (tasks_.empty()) {
        return;
    }
    if (!world_->is_tearing_down()) {
        world_->note({FindingKind::leaked_task,
                      fmt::format("{} task{} of a loop were alive when it was closed", tasks_.size(), tasks_.size() == 1 ? "" : "s")});
    }
    while (!tasks_.empty()) {
        abandon(tasks_.back());
    }
}

/// Looks at a call that might be wrong: on a closed loop, from another thread.
void EventLoop::check_use() {
    if (is_closed_) {
        throw UsageError("something was scheduled on a closed loop; make a new EventLoop");
    }
    if (is_running_ && !is_on_own_thread()) {
        foreign_call_.store(true, std::memory_order_release);  // in a simulated world its loop makes that a finding
        throw UsageError(
            "something was scheduled on the loop from another thread; only call_soon_threadsafe() may be called there");
    }
    if (!are_callers_watched_ || world_->is_tearing_down()) {
        return;
    }
    const std::string who = wrong_caller();
    if (who.empty()) {
        return;
    }
    tell_wrong_caller(who);
    throw UsageError(fmt::format(
        "something was scheduled on a loop from another thread, {}; only call_soon_threadsafe() may be called there", who));
}

/// Returns who it is that runs, if it is none that this loop belongs to; empty: it is right.
std::string EventLoop::wrong_caller() const {
    const EventLoop* const here = detail::current_loop;
    if (here == nullptr || !world_->is_simulated()) {
        return {};
    }
    const bool is_thread = here->current_ != nullptr && here->current_->is_thread;
    const bool is_right = root_ == this ? here == this && !is_thread : here == this || guest_run_ == nullptr;
    if (is_right) {
        return {};
    }
    if (here->current_ == nullptr) {
        return "a callback of another loop";
    }
    return (is_thread ? "thread " : "task ") + here->current_->path();
}

void EventLoop::tell_wrong_caller(const std::string& who) {
    world_->fail({.kind = FindingKind::wrong_thread,
                  .what = fmt::format("{} used a loop of another thread, where only call_soon_threadsafe() may be called", who),
                  .label = "wrong thread",
                  .tasks = {who.substr(who.rfind(' ') + 1)}});
}

/// Looks at who wakes a task. It does not throw: guards that let go of a lock do so in their destructors.
void EventLoop::check_waker() {
    if (are_callers_watched_ && !world_->is_tearing_down()) {
        if (const std::string who = wrong_caller(); !who.empty()) {
            tell_wrong_caller(who);
        }
    }
}

void EventLoop::tell_names(std::uint64_t key, std::uint64_t creator, std::string segment) {
    world_->names().put(key, creator, std::move(segment));
}

void EventLoop::identify(detail::Tracked& object, std::uint64_t kind_hash, const char* kind, const std::string* name) {
    const std::uint32_t ordinal = next_object();
    object.key = detail::child_key(running_key(), kind_hash, ordinal);
    object.write_hash = object.reads_sum = 0;
    if (world_->is_observing()) {
        tell_names(object.key, running_key(), fmt::format("{}#{}", name != nullptr ? path_segment(*name) : kind, ordinal));
    }
}

void EventLoop::identify_wait(detail::Tracked& object) {
    // Not of the world's running entity: a task that starts eagerly runs inside another's step.
    const EntityStep who = current_ != nullptr ? EntityStep{current_->entity.key, current_->entity.step} : world_->running();
    object.key = detail::child_key(who.entity, wait_kind, who.step);
    tell_names(object.key, who.entity, fmt::format("wait#{}", who.step));
}

[[gnu::always_inline]] inline void EventLoop::register_task(detail::TaskBase& task) {
    const std::uint64_t creator = running_key();
    if (task.name == nullptr) {
        task.number(++default_names_);
        task.ordinal = ++(current_ != nullptr ? current_->tasks_made : outside_tasks_);
        task.entity.key = detail::child_key(creator, task_kind, task.ordinal);
    } else {
        const std::uint64_t name = hash_text(*task.name);
        task.ordinal = count_copy(name_copies_, detail::named_key(creator, name));
        task.entity.key = detail::named_key(creator, name, task.ordinal);
    }
    task.entity.creator = creator;
    task.key = task.entity.key;  // its control cell, as an object
    if (current_ != nullptr) [[likely]] {
        task.entity.chain = current_->entity.chain;
        task.is_eligible = true;
    } else {
        task.is_main = tasks_.empty();
    }
    ++detail::header_of(&task).references;  // of the loop, until the task is done
    tasks_.push_back(task);
    world_->tell_progress();
    if (is_debug_) [[unlikely]] {
        task.expect_attention();
    }
    if (world_->is_observing()) [[unlikely]] {
        tell_created(*world_, task);
    }
}

void EventLoop::add_task(detail::TaskBase& task) {
    register_task(task);
    task.wake = WakeReason::start;
    task.enabled_by = world_->running();
    ready_.push(task, true, &task);  // its first step needs all of it
}

void EventLoop::add_task(detail::TaskBase& task, const TaskOptions& options) {
    if (detail::contexts_in_use || options.context.get() != nullptr) {
        detail::give_context(task, options.context.get());
    }
    // Where nothing runs there is no step that it could begin in.
    if (options.eager_start.value_or(false) && is_running_ && detail::current_loop == this) {
        register_task(task);
        start_eagerly(task);
    } else {
        add_task(task);
    }
}

void EventLoop::remove_task(detail::TaskBase& task) {
    tasks_.erase(tasks_.iterator_to(task));
    world_->tell_progress();
    detail::Ref<detail::TaskBase>::drop(&task);
}

void EventLoop::wake(detail::TaskBase& task, WakeReason reason) {
    if (is_use_checked_) [[unlikely]] {
        check_waker();
    }
    task.wake = reason;
    task.enabled_by = world_->running();
    ready_.push(task, true, task.context);
    if (world_->wants_steps()) [[unlikely]] {
        tell_enabled(*world_, task.entity.key);
    }
}

void EventLoop::schedule(detail::HandleBase& handle, detail::Lane& lane, detail::Block* lane_owner) {
    handle.loop = this;
    handle.lane = &lane;
    if (lane_owner != nullptr) {
        handle.lane_owner = detail::Ref<detail::Block>(lane_owner);
    }
    if (lane.entity.key == 0) {
        // The lane of a task or future gets its key when it is first used: most have no callbacks.
        const auto& owner = *static_cast<const detail::FutureBase*>(lane_owner);
        lane.entity.key = detail::child_key(owner.key, callbacks_kind, 0);
        if (owner.is_task()) {
            lane.entity.creator = owner.key;
        }
        if (world_->is_observing()) {
            tell_names(lane.entity.key, owner.key, "callbacks#0");
        }
    }
    ++detail::header_of(&handle).references;
    handle.is_scheduled = true;
    handle.wake = WakeReason::callback;
    handle.enabled_by = world_->running();
    handle.next_in_lane = nullptr;
    if (world_->is_observing()) {
        handle.cell = {lane.entity.key, 0, 0};
        world_->touch_as(handle.cell, {.access = Access::write, .relation = Relation::conflict}, "");
    }
    const bool is_first = lane.first == nullptr;
    (is_first ? lane.first : lane.last->next_in_lane) = &handle;
    lane.last = &handle;
    ready_.push(handle, is_first);
    if (is_first && world_->wants_steps()) [[unlikely]] {
        tell_enabled(*world_, lane.entity.key);
    }
}

void EventLoop::arm(detail::HandleBase& handle, std::int64_t when_ns) {
    handle.loop = this;
    handle.when_ns = when_ns;
    handle.is_scheduled = true;
    ++detail::header_of(&handle).references;
    handle.timer = timers_.arm(std::max<std::int64_t>(when_ns, 0), &handle);
    const std::uint32_t ordinal = ++(current_ != nullptr ? current_->timers_made : outside_timers_);
    handle.own_lane.entity.creator = running_key();
    handle.own_lane.entity.key = detail::child_key(running_key(), timer_kind, ordinal);
    handle.own_lane.entity.chain = current_ != nullptr ? current_->entity.chain : 0;
    if (world_->is_observing()) {
        tell_names(handle.own_lane.entity.key, running_key(), fmt::format("timer#{}", ordinal));
        handle.cell = {handle.own_lane.entity.key, 0, 0};
        world_->touch(handle.cell, Access::write);
    }
}

void EventLoop::unschedule(detail::HandleBase& handle) {
    if (!handle.is_scheduled) {
        world_->touch(handle.cell, Access::read);  // it has been called, or was cancelled before
        return;
    }
    handle.is_scheduled = false;
    const bool is_timer = handle.timer != detail::TimerId{};  // its deadline may be negative
    world_->touch(handle.cell, Access::write, is_timer ? "cancels" : "");
    if (is_timer && timers_.cancel(handle.timer)) {
        detail::Ref<detail::HandleBase>::drop(&handle);
        return;
    }
    // It is ready already: take it out of its lane and out of the ready set (asyncio skips it when its turn comes).
    detail::Lane& lane = *handle.lane;
    if (lane.first == &handle) {
        lane.first = handle.next_in_lane;
        if (lane.first != nullptr) {
            ready_.make_selectable(*lane.first);
        }
    } else {
        detail::HandleBase* before = lane.first;
        while (before->next_in_lane != &handle) {
            before = before->next_in_lane;
        }
        before->next_in_lane = handle.next_in_lane;
        if (lane.last == &handle) {
            lane.last = before;
        }
    }
    if (lane.first == nullptr) {
        lane.last = nullptr;
    }
    ready_.remove(handle);
    if (world_->wants_steps()) {
        world_->disabled().push_back(lane.entity.key);
    }
    detail::Ref<detail::HandleBase>::drop(&handle);
}

/// A thread of the operating system comes when it likes: a run in which it takes part cannot be repeated.
bool EventLoop::was_called_from_elsewhere() {
    if (!foreign_call_.exchange(false, std::memory_order_acq_rel)) {
        return false;
    }
    world_->fail({.kind = FindingKind::foreign_thread,
                  .what = "call_soon_threadsafe() was called from a real thread, or an awaitable resumed on one; in a simulated "
                          "world nothing can repeat that",
                  .label = "foreign thread"});
    return true;
}

void EventLoop::drain_threadsafe() {
    if (inbox_->is_interrupted.load(std::memory_order_relaxed) && inbox_->is_interrupted.exchange(false)) {
        inbox_->on_interrupt();
    }
    std::vector<std::function<void()>> callbacks;
    {
        const std::lock_guard guard(inbox_->mutex);
        callbacks.swap(inbox_->callbacks);
    }
    for (std::function<void()>& callback : callbacks) {
        call_soon(std::move(callback));
    }
}

void EventLoop::run_forever() {
    if (root_ != this) {
        run_as_guest();
    } else {
        const Running running(*this);
        run_some();
    }
    is_stopping_ = false;
}

EventLoop::Outcome EventLoop::run_main(detail::FutureBase& main) {
    auto stop_when_done = [this] { is_stopping_ = true; };
    if (&main.loop() != this) {
        throw UsageError("run_until_complete() was given a future of another loop; run the loop that made it");
    }
    std::optional<Running> running;
    if (root_ == this) {
        running.emplace(*this);
    }
    const detail::Ref<detail::HandleBase> callback(
        make_block<detail::FunctionHandle<decltype(stop_when_done)>>(stop_when_done));
    main.add_callback(callback.get());
    const Outcome outcome = root_ == this ? run_some() : run_as_guest();
    main.remove_callback(*callback.get());  // if somebody else stopped the loop: it must not end a later run
    is_stopping_ = false;
    return outcome;
}

void EventLoop::run_until_done(detail::FutureBase& future) {
    const Outcome outcome = run_main(future);
    if (!future.is_done()) {
        throw UsageError(outcome == Outcome::stopped
                             ? "the loop was stopped before the future of run_until_complete() was done"
                             : "nothing is left that could complete the future of run_until_complete(): its tasks wait for "
                               "each other; explore() says who waits for what");
    }
}

std::vector<AnyTask> all_tasks() {
    std::vector<AnyTask> tasks;
    detail::running_loop("all_tasks()").for_each_task([&](detail::TaskBase& task) {
        if (!task.is_done()) {
            tasks.emplace_back(&task);
        }
    });
    return tasks;
}

}  // namespace mishap
