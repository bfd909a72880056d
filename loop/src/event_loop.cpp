#include <mishap/loop/event_loop.hpp>

#include <fmt/format.h>

#include "running.hpp"
#include <mishap/loop/context.hpp>
#include <mishap/loop/detail/stack_overflow.hpp>
#include <mishap/sim/epoll_selector.hpp>
#include <mishap/sim/errors.hpp>

namespace mishap {

namespace {

constexpr std::uint64_t task_kind = hash_text("task");
constexpr std::uint64_t timer_kind = hash_text("timer");
constexpr std::uint64_t wait_kind = hash_text("wait");
constexpr std::uint64_t callbacks_kind = hash_text("callbacks");

detail::RunSerial next_run_serial() {
    static thread_local detail::RunSerial serial = detail::no_run;
    return ++serial == detail::no_run ? ++serial : serial;
}

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
    if (current_loop != nullptr) {
        throw UsageError(
            "a loop was run inside a running loop (run(), explore(), check(), replay() or run_until_complete() in a task "
            "or callback); await the function directly instead, or explore it outside");
    }
}

const std::string* intern(std::string_view text) {
    // Node-based, so that the strings stay where they are; looked up only. Never destroyed: handles may live longer.
    static thread_local auto* const texts = new boost::unordered_flat_map<std::uint64_t, std::unique_ptr<std::string>>;
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

std::unique_ptr<EventLoop> new_event_loop() {
    World* const world = detail::current_world();
    return world != nullptr && world->is_simulated() ? std::make_unique<EventLoop>(*world) : std::make_unique<EventLoop>();
}

EventLoop::EventLoop() : EventLoop(*new World(std::make_unique<EpollSelector>())) { own_world_.reset(world_); }

EventLoop::EventLoop(World& world) : world_(&world), fibers_(&detail::fiber_pool()) {
    is_any_order_ = world.options().order == Order::any;
    detail::watch_stack_overflows();
    begin_run();
}

EventLoop::~EventLoop() {
    if (is_closed_ || is_running_) {
        return;
    }
    if (detail::current_loop == nullptr) {
        close();
    } else {
        end_run();  // tasks cannot be run to their end inside another loop
        detail::forget_loop(*this);
    }
}

void EventLoop::begin_run() {
    run_ = next_run_serial();
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
    default_names_ = nested_ = 0;
    current_handle_ = nullptr;
    is_stopping_ = false;
    const WorldOptions& options = world_->options();
    forced_yields_ = options.forced_yields != 0;
    may_pass_ = options.time_passes != 0;
    sweep_ = options.sweep;
    swept_task_ = nullptr;
    awaits_ = 0;
    is_sharing_unknown_ = options.sharing == Sharing::unknown;
    steps_allowed_ = world_->is_simulated() ? options.steps_max : ~std::uint64_t{0};
    set_debug(is_debug_ && !world_->is_simulated());  // a run turns it on for itself
    outside_tasks_ = outside_timers_ = outside_objects_ = ticks_ = 0;
    loop_lane_ = {};
    loop_lane_.entity.key = detail::child_key(detail::outside_key, callbacks_kind, 0);
    if (!victims_.empty()) {
        victims_.clear();
    }
    if (!name_copies_.empty()) {
        name_copies_.clear();
    }
}

void EventLoop::end_run() {
    tell_unclosed();
    tasks_.clear();
    threads_.clear();
    ready_.clear();
    timers_.clear();
    {
        const std::lock_guard guard(threadsafe_mutex_);
        threadsafe_.clear();
    }
    detail::block_pool().end_run(run_);
}

void EventLoop::close() {
    if (is_running_) {
        throw UsageError("close() was called on a running loop; call stop() and close it when run_forever() has returned");
    }
    if (is_closed_) {
        return;
    }
    tear_down();
    end_run();
    detail::forget_loop(*this);
    const std::lock_guard guard(threadsafe_mutex_);
    is_closed_ = is_use_checked_ = true;
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
    if (current_ == nullptr || !current_->is_thread) {
        return;
    }
    world_->fail({.kind = FindingKind::foreign_thread,
                  .what = fmt::format("thread {} scheduled something on the loop, which only call_soon_threadsafe() may do there",
                                      current_->path()),
                  .label = "wrong thread",
                  .tasks = {current_->path()}});
    throw UsageError(
        "something was scheduled on the loop from a simulated thread; only call_soon_threadsafe() may be called from "
        "another thread than the loop's");
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

void EventLoop::add_task(detail::TaskBase& task) {
    register_task(task);
    task.wake = WakeReason::start;
    task.enabled_by = world_->running();
    ready_.push(task, true, &task);  // its first step needs all of it
}

void EventLoop::register_task(detail::TaskBase& task) {
    const std::uint64_t creator = running_key();
    if (task.name == nullptr) {
        task.number(++default_names_);
        task.ordinal = ++(current_ != nullptr ? current_->tasks_made : outside_tasks_);
        task.entity.key = detail::child_key(creator, task_kind, task.ordinal);
    } else {
        const std::uint64_t name = hash_text(*task.name);
        task.ordinal = ++name_copies_[detail::named_key(creator, name)];
        task.entity.key = detail::named_key(creator, name, task.ordinal);
    }
    task.entity.creator = creator;
    task.entity.chain = current_ != nullptr ? current_->entity.chain : 0;
    task.key = task.entity.key;  // its control cell, as an object
    task.is_main = tasks_.empty() && current_ == nullptr;
    task.is_eligible = current_ != nullptr;
    ++detail::header_of(&task).references;  // of the loop, until the task is done
    tasks_.push_back(task);
    if (is_debug_) [[unlikely]] {
        task.expect_attention();
    }
    if (world_->is_observing()) {
        tell_names(task.entity.key, creator, task.segment());
        world_->tell({.kind = TraceEventKind::create, .object = task.key});
        if (world_->wants_steps()) {
            world_->created().push_back(task.entity.key);
        }
    }
}

void EventLoop::remove_task(detail::TaskBase& task) {
    tasks_.erase(tasks_.iterator_to(task));
    detail::Ref<detail::TaskBase>::drop(&task);
}

void EventLoop::wake(detail::TaskBase& task, WakeReason reason) {
    task.wake = reason;
    task.enabled_by = world_->running();
    ready_.push(task, true, task.context);
    if (world_->wants_steps()) [[unlikely]] {
        world_->enabled().push_back(task.entity.key);
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
        world_->enabled().push_back(lane.entity.key);
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

void EventLoop::call_soon_threadsafe(std::function<void()> callback) {
    if (world_->is_simulated()) {
        if (is_on_own_thread()) {
            call_soon(std::move(callback));
        } else {
            // Never called, but kept: what it holds may be destroyed on the loop's thread only.
            const std::lock_guard guard(threadsafe_mutex_);
            threadsafe_.push_back(std::move(callback));
            foreign_call_.store(true, std::memory_order_release);  // its loop tells the world
        }
        return;
    }
    if (detail::contexts_in_use) {  // of the calling thread
        callback = [context = copy_context(), function = std::move(callback)] { context.run(function); };
    }
    const std::lock_guard guard(threadsafe_mutex_);  // close() takes it too
    if (is_closed_) {
        check_use();
    }
    threadsafe_.push_back(std::move(callback));
    world_->selector().wake_up();
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
    std::vector<std::function<void()>> callbacks;
    {
        const std::lock_guard guard(threadsafe_mutex_);
        callbacks.swap(threadsafe_);
    }
    for (std::function<void()>& callback : callbacks) {
        call_soon(std::move(callback));
    }
}

void EventLoop::run_forever() {
    const Running running(*this);
    run_some();
    is_stopping_ = false;
}

EventLoop::Outcome EventLoop::run_main(detail::FutureBase& main) {
    auto stop_when_done = [this] { is_stopping_ = true; };
    if (&main.loop() != this) {
        throw UsageError("run_until_complete() was given a future of another loop; run the loop that made it");
    }
    const Running running(*this);
    const detail::Ref<detail::HandleBase> callback(
        make_block<detail::FunctionHandle<decltype(stop_when_done)>>(stop_when_done));
    main.add_callback(callback.get());
    const Outcome outcome = run_some();
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
