#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include <boost/intrusive/list.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <mishap/loop/detail/fiber.hpp>
#include <mishap/loop/detail/inbox.hpp>
#include <mishap/loop/detail/progress_watch.hpp>
#include <mishap/loop/detail/ready_set.hpp>
#include <mishap/loop/detail/sticky_flags.hpp>
#include <mishap/loop/detail/thread_set.hpp>
#include <mishap/loop/detail/timer_queue.hpp>
#include <mishap/loop/future.hpp>
#include <mishap/loop/handle.hpp>
#include <mishap/loop/task.hpp>
#include <mishap/sim/errors.hpp>
#include <mishap/sim/world.hpp>

namespace mishap {

class Executor;
class ThreadPoolExecutor;

namespace detail {
struct Suspension;
class GeneratorBase;
class GuestRun;
class OpenResource;
}

/// What the loop tells its exception handler.
struct LoopException {
    std::string message;
    std::exception_ptr exception;
    std::string subject = {};  // the path of the task that it is about, if it is about one
};

/// What the loop has to say that is no exception; see `EventLoop::set_log_handler`.
struct LogRecord {
    enum class Level : std::uint8_t { info, warning };
    Level level = Level::info;
    std::string message;
};

/// Makes the task that a factory was asked for; to be called once.
class TaskMaker {
public:
    /// Makes the task as `options` say.
    ///
    /// Throws:    UsageError when it was made already.
    AnyTask operator()(const TaskOptions& options);

private:
    friend class EventLoop;
    using Make = detail::TaskBase& (*)(void* self, const TaskOptions& options);
    TaskMaker(void* self, Make make) : self_(self), make_(make) {}

    void* self_;
    Make make_;
    AnyTask made_;
};

/// Is asked for every task of a loop, and returns what `make` gives; it may choose other options.
using TaskFactory = std::function<AnyTask(EventLoop& loop, TaskMaker& make, const TaskOptions& options)>;

/// Begins tasks eagerly unless their options say otherwise.
///
/// Source:    asyncio.eager_task_factory, CPython 3.13.
AnyTask eager_task_factory(EventLoop& loop, TaskMaker& make, const TaskOptions& options);

/// When a loop that ends calls what was registered with `EventLoop::at_shutdown`.
enum class ShutdownPhase : std::uint8_t { generators, executors };

/// Runs tasks and callbacks, one step at a time, on the thread that calls `run_*`.
///
/// Every step is run on the loop's own stack or switched to from there. Which entry goes next, and what time it is, the
/// loop asks its world. In the calm order it follows asyncio's iterations: timers that are due join the ready entries
/// when all entries of the iteration before have run.
///
/// Source:    asyncio.BaseEventLoop, CPython 3.13 (Lib/asyncio/base_events.py).
class EventLoop final : private CandidateSource {
public:
    /// Makes a loop in the world of whoever makes it: within a simulated run one more loop of that run, for a `Thread` to
    /// run; elsewhere one in the real world: monotonic clock, epoll.
    EventLoop();
    /// Makes a loop in `world`, which must outlive it.
    explicit EventLoop(World& world);
    /// Closes the loop if need be.
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    // ---- scheduling --------------------------------------------------------------------------------------------

    /// Schedules `callback()` for the next iteration.
    ///
    /// On the loop's own thread only; see `call_soon_threadsafe`. Callbacks are called in `context` itself, or else in a
    /// copy of the context of who schedules them.
    ///
    /// Throws:    UsageError when the loop is closed; in debug mode also on another thread than the loop's.
    template <class F>
    Handle call_soon(F&& callback, ContextRef context = {});
    /// Schedules `callback()` in `delay`; a negative delay counts as none, yet it waits for the next iteration.
    template <class F>
    TimerHandle call_later(std::chrono::nanoseconds delay, F&& callback, ContextRef context = {});
    /// Schedules `callback()` at `when`.
    template <class F>
    TimerHandle call_at(VirtualTime when, F&& callback, ContextRef context = {});
    /// As `call_soon`, from any thread, and wakes the loop. In a simulated world from a `Thread` or another loop of the run;
    /// a thread of the operating system is a finding there. What the loop has not called when it is closed is dropped.
    ///
    /// Throws:    UsageError when the loop is closed.
    void call_soon_threadsafe(std::function<void()> callback, ContextRef context = {});

    /// Calls `function()` in a thread of `executor`, null: of the default one, which is made when it is first needed.
    /// Declared here, defined in <mishap/loop/executor.hpp>.
    ///
    /// Cancelled: a function that has not begun is not called; one that runs goes on, and its result is dropped.
    /// Throws:    UsageError when the default executor was shut down.
    template <class F>
    auto run_in_executor(Executor* executor, F&& function);
    void set_default_executor(std::shared_ptr<ThreadPoolExecutor> executor);
    ThreadPoolExecutor& default_executor();
    /// Waits until the default executor has done its work and its threads have ended; from then on there is none.
    ///
    /// Yields:    if there is a default executor.
    /// Cancelled: the threads go on alone.
    /// Order:     -
    /// Throws:    CancelledError; warns when they have not ended after `timeout`, and lets them go on alone.
    /// Source:    loop.shutdown_default_executor, CPython 3.13.
    void shutdown_default_executor(std::optional<std::chrono::nanoseconds> timeout = {});

    /// Makes a task that runs `function()`, or a coroutine; its first step is scheduled, not run, unless it starts eagerly.
    template <class F>
    auto create_task(F&& function, const TaskOptions& options = {});
    /// Sets who makes the tasks; null: the loop itself.
    void set_task_factory(TaskFactory factory) { task_factory_ = std::move(factory); }
    const TaskFactory& get_task_factory() const { return task_factory_; }
    template <class T>
    Future<T> create_future();

    /// Returns the loop's time.
    VirtualTime time() { return VirtualTime(std::chrono::nanoseconds(world_->now_ns())); }

    /// Returns the time in `delay`, or the end of time if that comes first.
    VirtualTime deadline_in(std::chrono::nanoseconds delay) {
        const VirtualTime now = time();
        return delay > VirtualTime::max() - now ? VirtualTime::max() : now + delay;
    }

    // ---- running -----------------------------------------------------------------------------------------------

    /// Runs until `future` is done, and returns its result or throws what it ended with.
    ///
    /// Throws:    UsageError when a loop runs on this thread, when this one is closed, when it was stopped before.
    template <class T>
    T run_until_complete(const Future<T>& future);
    /// Makes a task of a function or a coroutine, and runs until it is done.
    template <class F>
        requires(!std::is_base_of_v<detail::AnyFuture, std::remove_cvref_t<F>>)
    auto run_until_complete(F&& function);
    /// Runs until `stop` is called. A loop may be run in another thread than it was made in, as long as it is empty.
    void run_forever();
    /// Ends `run_forever` when the iteration that runs is over.
    void stop() { is_stopping_ = true; }
    bool is_running() const { return is_running_; }
    /// Cancels the tasks that are left, runs them to their end, and forgets what is scheduled. Calling it twice does nothing.
    ///
    /// Throws:    UsageError when the loop runs.
    void close();
    bool is_closed() const { return is_closed_; }
    /// Cancels the tasks that are left, newest first, and runs until they have ended or nothing can happen any more. The
    /// exceptions of those that failed meanwhile go to the exception handler.
    ///
    /// Throws:    UsageError when a loop runs.
    /// Source:    the end of asyncio.run, CPython 3.13.
    void cancel_all_tasks();
    /// Registers what is to be done, in a task of its own, when the loop is about to be closed: first what concerns
    /// generators, then executors, each in order of registration.
    void at_shutdown(ShutdownPhase phase, std::function<void()> function);
    /// Calls what was registered with `at_shutdown`, once; `Runner` does it. What fails is told to the exception handler.
    void run_shutdown();
    /// Closes the asynchronous generators that have begun and not ended, all at once, in tasks of their own, and waits for
    /// that. What fails is told to the exception handler; generators that begin afterwards are told as a warning.
    ///
    /// Yields:    if there are such generators.
    /// Cancelled: those that are being closed go on.
    /// Order:     they are closed in the order in which they began.
    /// Throws:    CancelledError; UsageError outside a task.
    /// Source:    asyncio's loop.shutdown_asyncgens, CPython 3.13.
    void shutdown_asyncgens();

    // ---- when something goes wrong -----------------------------------------------------------------------------

    using ExceptionHandler = std::function<void(EventLoop&, const LoopException&)>;
    /// Sets who is told of exceptions that nobody caught; null: `default_exception_handler`.
    void set_exception_handler(ExceptionHandler handler);
    const ExceptionHandler& get_exception_handler() const { return exception_handler_; }
    /// Tells the handler; it runs in the context of the task or callback that it is about. What it throws goes to the
    /// default handler.
    void call_exception_handler(const LoopException& what);
    /// Prints to standard error in the real world, and makes a note in a simulated one.
    void default_exception_handler(const LoopException& what);

    /// Sets who is told what the loop has to say beside exceptions; null: in the real world warnings are printed to standard
    /// error, in a simulated one they are notes of the report.
    void set_log_handler(std::function<void(EventLoop&, const LogRecord&)> handler) { log_handler_ = std::move(handler); }

    /// Turns debug mode on or off: steps and callbacks that take longer than `slow_callback_duration` are told, as are tasks
    /// that nobody looked at, resources that nobody closed, and how long the selector took; what may be called on the loop's
    /// thread only is checked to be.
    void set_debug(bool is_debug);
    bool get_debug() const { return is_debug_; }
    /// From when on a step is slow, by the world's clock: simulated steps take time only by `busy_for`.
    std::chrono::nanoseconds slow_callback_duration = std::chrono::milliseconds(100);
    /// Lets the step that runs take `duration`, as a computation or a blocking call does: nothing else of the loop can go
    /// meanwhile. In the real world the thread sleeps.
    ///
    /// Throws:    UsageError outside a step, and with `Sharing::tracked`, as nobody records who reads the clock.
    /// Source:    time.sleep in a coroutine.
    void busy_for(std::chrono::nanoseconds duration);
    /// Tells of something that fails nothing.
    void warn(FindingKind kind, const std::string& message);

    World& world() { return *world_; }

    // ---- for the library itself ---------------------------------------------------------------------------------

    /// Begins a run of a simulated world with nothing in the loop.
    void begin_run();
    /// Destroys what the run left; handles to it are stale from then on.
    void end_run();

    /// Runs until the loop is stopped, nothing can happen any more, or the world has a verdict.
    enum class Outcome { stopped, stuck, verdict };
    Outcome run_some();
    /// Runs until `main` is done, as `run_until_complete` does, and leaves it to the caller to look at the result.
    Outcome run_main(detail::FutureBase& main);
    /// Runs until nothing can happen any more, or for 10,000 steps: some tasks never rest.
    void run_to_quiescence();
    /// Runs what is due until `when`, in order of time, with what that schedules; the clock ends there. Simulated worlds only.
    ///
    /// Throws:    UsageError when a loop runs.
    void run_until(VirtualTime when);
    /// Ends every task: cancels them, newest first and main last; then unwinds; then gives up. Returns how many it gave up.
    std::size_t tear_down();

    /// Returns whether the caller is on the thread that runs the loop, or ran it last.
    bool is_on_own_thread() const { return thread_ == std::this_thread::get_id(); }

    /// Returns the task or simulated thread that runs; null in a callback.
    detail::TaskBase* current_task() const { return current_; }
    /// Returns the callback that runs; null in a task.
    detail::HandleBase* current_handle() const { return current_handle_; }
    /// Returns the number of the run: one for all loops of a run.
    detail::RunSerial run_serial() const { return objects_run_; }

    /// Parks the current task until `waitable` is done. The one way to wait.
    ///
    /// With `Failing::no` the wait is part of an operation that cannot fail there; with the others a sweep may cancel the
    /// wait so that the operation fails, and `throw_if_swept` is called before the program goes on.
    ///
    /// Throws:    CancelledError when the task was cancelled meanwhile.
    void park(detail::Waitable& waitable, const char* operation, Place place, detail::Failing failing = detail::Failing::no);
    /// Throws what a sweep wants the operation that ends here to throw; nothing when it is not about this one.
    ///
    /// Throws:    TimeoutError, InjectedFailure.
    void throw_if_swept() {
        if (swept_task_ != nullptr) [[unlikely]] {
            throw_swept();
        }
    }
    /// Lets every other ready entry go first, in the calm order.
    void yield(const char* operation, Place place);
    /// Makes a wait that would not suspend a place where others may go first, when the search asks for that; `seen` is what it
    /// would have waited for.
    void maybe_yield(const char* operation, Place place, detail::Tracked& seen) {
        if (forced_yields_) [[unlikely]] {
            force_yield(operation, place, seen);
        }
    }
    /// Tells that `task` is cancelled for another reason than a sweep, which comes first.
    void forget_swept(const detail::TaskBase& task) {
        swept_task_ = swept_task_ == &task ? nullptr : swept_task_;
    }
    /// Parks the current task for good: its run has a verdict.
    [[noreturn]] void park_failed();

    // ---- simulated threads ---------------------------------------------------------------------------------------

    /// Returns the loop that decides what goes next in this run: this one, unless it is a guest in the run of another.
    EventLoop& root() { return *root_; }
    /// Lets a blocked thread or task go on at a moment, whatever it waits for; in a simulated world.
    void add_deadline(detail::ThreadDeadline& deadline) { root_->threads_.add_deadline(deadline); }
    void remove_deadline(detail::ThreadDeadline& deadline) { root_->threads_.remove_deadline(deadline); }
    /// Returns where other threads leave callbacks; it outlives the loop.
    const std::shared_ptr<detail::Inbox>& inbox() const { return inbox_; }
    /// Leaves a callback with another loop of this run, or with this one, on behalf of who runs in this one.
    bool post_to(detail::Inbox& inbox, std::function<void()>& callback);
    /// Tells that a thread of the operating system called in a simulated world.
    void tell_foreign_call() { foreign_call_.store(true, std::memory_order_release); }

    /// Begins a thread: runs it, inside the step of who made it, up to the first operation it announces.
    void add_thread(detail::ThreadBase& thread);
    /// Returns whether an operation on something that threads share may be overtaken by one of a thread.
    bool has_threads() const { return threads_.is_active(); }
    /// Announces what the running thread, or the running task of a loop that has threads, does next, and lets others go
    /// first. Comes back when it is its turn. An operation that is not `possible` waits until `allow` is called for it;
    /// `obstacle` tells reports for what. Callbacks run on the loop's stack and cannot be overtaken.
    ///
    /// Throws:    UsageError when a callback would have to wait.
    void announce(const Announcement& next, bool possible, detail::Waitable* obstacle, const char* operation,
                  Place place);
    /// Allows what `who` has announced, or forbids it, because what it needs has come free or was taken.
    void allow(detail::TaskBase& who, bool possible);
    detail::ThreadSet& threads() { return threads_; }

    void wake(detail::TaskBase& task, WakeReason reason);
    void schedule(detail::HandleBase& handle, detail::Lane& lane, detail::Block* lane_owner);
    void arm(detail::HandleBase& handle, std::int64_t when_ns);
    /// Takes a handle back, wherever it is.
    void unschedule(detail::HandleBase& handle);

    /// Returns the key of the task that runs, or that of nobody.
    std::uint64_t running_key() const { return current_ != nullptr ? current_->entity.key : key_; }

    void add_task(detail::TaskBase& task);
    /// As above, with a context of its own or eagerly.
    [[gnu::cold]] void add_task(detail::TaskBase& task, const TaskOptions& options);
    void remove_task(detail::TaskBase& task);
    template <class F>
    void for_each_task(F&& f) {
        for (detail::TaskBase& task : tasks_) {
            f(task);
        }
    }
    /// As above, of all loops of the run, and with the simulated threads.
    template <class F>
    void for_each_task_and_thread(F&& f) {
        root_->for_each_task(f);
        for (EventLoop* guest : root_->guests_) {
            guest->for_each_task(f);
        }
        for (detail::ThreadBase* thread : root_->threads_.live()) {
            f(*thread);
        }
    }

    /// Allocates a block of this loop's present run.
    template <class B, class... A>
    B* make_block(A&&... arguments);

    /// Counts one object more of the running task, and returns its ordinal.
    std::uint32_t next_object() { return ++(current_ != nullptr ? current_->objects_made : outside_objects_); }
    /// Gives `object` its key, the next ordinal of its kind in the running task, and tells its name.
    void identify(detail::Tracked& object, std::uint64_t kind_hash, const char* kind, const std::string* name);
    /// Gives `object` the key of the running task's present wait (it makes one a step).
    void identify_wait(detail::Tracked& object);

    void report_never_retrieved(const detail::FutureBase& future);
    std::vector<detail::OpenResource*>& open_resources() { return open_resources_; }
    void add_generator(detail::GeneratorBase& generator);
    void remove_generator(detail::GeneratorBase& generator);
    /// Returns whether the task of that key was cancelled by a mishap in this run.
    bool is_victim(std::uint64_t task_key) const;

private:
    using TaskList = boost::intrusive::list<detail::TaskBase>;
    class Running;
    class SurvivingTermination;

    std::span<const Candidate> candidates() override;
    Candidate candidate(const detail::Ready& entry, std::uint32_t rank) const;
    bool begin_iteration();
    void tick();
    std::int64_t choose_deadline();
    void wait_for_world();
    /// Whether a step is made in any of the ways that few searches need: traced, told to the strategy, prepared, in asyncio's
    /// order, or with time that may pass.
    enum class Watched : bool { no, yes };
    template <Watched watched>
    bool step();
    bool pick_and_step();
    template <Watched watched>
    void begin_step(detail::EntityState& entity, WakeReason wake, const EntityStep& enabled_by, std::uint32_t taken);
    template <Watched watched>
    void end_step(const detail::EntityState& entity, EntityKind kind, WakeReason wake, StepEnd end);
    template <Watched watched>
    void step_task(detail::TaskBase& task);
    void run_task(detail::TaskBase& task);
    void fail_over_steps();
    void keep_calm(std::uint32_t taken);
    void trace_step(WakeReason wake, EntityStep enabled_by, std::uint32_t taken);
    void report_step(const detail::EntityState& entity, EntityKind kind, WakeReason wake, StepEnd end);
    [[gnu::noinline, gnu::cold]] void tell_pause(TraceEventKind kind, std::uint64_t object, const char* operation,
                                                 Place place);
    void observe_wait(detail::Waitable& waitable, const char* operation, Place place);
    [[gnu::noinline, gnu::cold]] void attend_wait(detail::TaskBase& task, detail::Waitable& waitable, const char* operation,
                                                  Place place, detail::Failing failing);
    [[gnu::noinline, gnu::cold]] void attend_yield(detail::TaskBase& task, const char* operation, Place place);
    bool resume(detail::TaskBase& task);
    void run_handle(detail::HandleBase& handle);
    void tell_names(std::uint64_t key, std::uint64_t creator, std::string segment);
    void let_time_pass();
    void report_clock_step(WakeReason wake);
    void release_late_timers();
    std::uint32_t timers_that_may_pass() const;
    void release_due_timers();
    bool may_time_pass();
    void maybe_inject_cancellation(detail::TaskBase& task);
    void force_yield(const char* operation, Place place, detail::Tracked& seen);
    bool sweep_await(detail::TaskBase& task, const char* operation, Place place);
    void cancel_blocked(detail::TaskBase& task);
    void look_for_progress();
    void look_for_livelock();
    bool has_everybody_gone() const;
    void report_livelock();
    void count_overtaking(const detail::TaskBase& task, const char* operation, Place place);
    void note_wake(const detail::TaskBase& task);
    /// Returns whether the step that ends now is one too many that ends here and has changed nothing.
    bool is_spinning(const detail::TaskBase& who, const char* operation, Place place) {
        const std::uint64_t steps = world_->steps();
        if (spin_.who == &who && spin_.steps + 1 == steps) {
            return is_spinning_on(operation, place);
        }
        spin_.who = &who;
        spin_.steps = steps;
        spin_.count = 0;
        return false;
    }
    bool is_spinning_on(const char* operation, Place place);
    std::uint32_t rank_of_held_back() const;
    void hold_back_if_spinning(detail::TaskBase& thread);
    void let_held_back_go();
    void throw_swept();
    void suspend();
    void suspend(detail::Suspension& suspension);
    [[noreturn]] void refuse_to_wait();
    [[noreturn]] void stay();
    void drain_threadsafe();
    bool was_called_from_elsewhere();
    void check_usable() {
        if (is_use_checked_) [[unlikely]] {
            check_use();
        }
    }
    void check_use();
    std::string wrong_caller() const;
    void tell_wrong_caller(const std::string& who);
    void check_waker();
    void watch_callers() { is_use_checked_ = are_callers_watched_ = true; }
    void register_task(detail::TaskBase& task);
    void start_eagerly(detail::TaskBase& task);
    AnyTask make_by_factory(TaskMaker maker, const TaskOptions& options);
    void prepare_step(detail::TaskBase& task);
    void note_step_begins(std::string who);
    void report_if_slow();
    void tell_exception(const detail::TaskBase& task, const LoopException& what);
    void tell_unclosed();
    void forget_generators();
    void look_at_step();
    void log_selector(std::chrono::nanoseconds timeout, std::int64_t began_ns);
    void log(LogRecord::Level level, const std::string& message);
    void run_until_done(detail::FutureBase& future);
    void unwind(detail::TaskBase& task);
    void abandon(detail::TaskBase& task);
    bool run_calmly(std::uint64_t steps_max);
    void run_what_ended_tasks_left();
    void stop_after(std::shared_ptr<const std::vector<detail::Ref<detail::TaskBase>>> tasks, std::size_t next);
    bool start_nested(detail::TaskBase& task);
    std::optional<Outcome> step_with_threads(bool is_first);
    std::uint32_t loop_candidates() const;
    bool step_among_threads();
    void step_thread(detail::ThreadBase& thread, std::uint32_t taken);
    void continue_held(std::uint32_t taken);
    void announce_end(detail::ThreadBase& thread);
    void remove_thread(detail::ThreadBase& thread);
    std::span<const Candidate> candidates_with_threads();
    std::size_t tear_down_threads();
    void let_go_of_held();
    std::size_t end_tasks();

    void move_to_this_thread();
    void join_run();
    void leave_run();
    void drop_tasks();
    Outcome run_as_guest();
    void prepare_guest();
    bool may_guest_return() const;
    bool is_runnable_guest() const;
    template <class F>
    void for_each_loop_in_order(F&& f);
    void fail_over_time();
    void let_guest_return();
    void note_guest_run(std::vector<std::uint64_t>& entities);
    void step_entry(std::uint32_t index, std::uint32_t taken);
    void step_guest(EventLoop& guest, std::uint32_t index, std::uint32_t taken);
    std::uint32_t guest_candidates() const;
    void release_all_due();
    void tick_among_threads();
    std::optional<std::int64_t> next_deadline();
    bool may_time_pass_among_threads();
    void accept(EventLoop& from, std::function<void()> callback);
    std::uint64_t inbox_key();
    void announce_inbox(std::uint64_t key, const char* operation);
    detail::Promises close_inbox();
    detail::Lane& lane_of(std::uint64_t caller);
    void drop_default_executor();

    World* world_;
    detail::ReadySet ready_;  // its batch is the iteration
    detail::TaskBase* current_ = nullptr;
    bool is_any_order_ = false;
    bool is_stopping_ = false;
    bool is_running_ = false;
    bool is_closed_ = false;
    bool forced_yields_ = false;
    bool prepares_steps_ = false;  // a cancellation may be injected, or debug mode takes the time
    bool may_pass_ = false;        // time, while entries are ready
    bool is_watched_ = true;       // the steps that `run_some` makes, and the waits in them
    Sweep sweep_ = Sweep::off;
    bool is_sharing_unknown_ = true;
    bool may_hold_back_ = false;  // tasks that spin
    bool counts_overtaking_ = false;
    std::uint64_t steps_look_ = 0;  // when this is exceeded, it is time to look; 0 in debug mode, which so sees every step
    detail::FiberPool* fibers_;
    detail::Hub hub_;
    detail::ThreadGlobals thread_globals_;
    detail::RunSerial run_ = detail::no_run;          // of its blocks
    detail::RunSerial objects_run_ = detail::no_run;  // of the objects that all loops of the run may use
    std::uint64_t key_ = detail::outside_key;
    EventLoop* root_ = this;
    detail::TimerQueue<detail::HandleBase*> timers_;
    TaskList tasks_;
    detail::ThreadSet threads_;
    Candidate calm_;  // who would have gone, when somebody else goes and that is traced
    std::optional<Announcement> announced_;  // what the running step began with, when a strategy wants steps
    std::uint32_t outside_tasks_ = 0;
    std::uint32_t outside_timers_ = 0;
    std::uint32_t outside_objects_ = 0;
    std::uint32_t ticks_ = 0;
    std::uint32_t refusals_ = 0;  // waits begun by the task that is being unwound
    std::uint32_t default_names_ = 0;  // given so far
    std::uint32_t nested_ = 0;         // eager starts that run inside one another
    detail::Lane loop_lane_;
    detail::HandleBase* current_handle_ = nullptr;
    boost::unordered_flat_map<std::uint64_t, std::uint32_t> name_copies_;  // looked up only
    std::vector<Candidate> candidates_;
    std::vector<std::uint64_t> victims_;
    const detail::TaskBase* swept_task_ = nullptr;  // its operation has yet to throw what the sweep lets it throw
    int requests_before_sweep_ = 0;                 // for cancellation, of that task
    std::uint64_t awaits_ = 0;                      // that the sweep has asked about
    detail::TaskBase* held_back_ = nullptr;         // a task that spins, until another entity has gone
    detail::TaskBase* held_back_thread_ = nullptr;  // a thread; the loop's own, if it is a task
    detail::SpinWatch spin_;
    detail::ProgressWatch watch_;
    detail::OvertakingWatch overtaking_;
    std::unique_ptr<World> own_world_;
    ExceptionHandler exception_handler_;
    std::function<void(EventLoop&, const LogRecord&)> log_handler_;
    TaskFactory task_factory_;
    std::array<std::vector<std::function<void()>>, 2> shutdown_functions_;  // by phase
    std::vector<detail::OpenResource*> open_resources_;
    std::vector<detail::GeneratorBase*> generators_;  // begun and not ended, in the order in which they began
    bool are_generators_shut_down_ = false;
    bool is_debug_ = false;
    bool is_use_checked_ = false;  // closed, in debug mode, or in a run with threads
    bool are_callers_watched_ = false;  // the last of these
    std::vector<EventLoop*> guests_;    // of a root: the other loops of the run, oldest first
    EventLoop* last_guest_ = nullptr;   // which made the step before
    detail::GuestRun* guest_run_ = nullptr;
    std::deque<std::pair<std::uint64_t, detail::Lane>> foreign_lanes_;  // of who calls from other threads
    std::shared_ptr<ThreadPoolExecutor> default_executor_;
    bool is_executor_shut_down_ = false;
    std::uint64_t steps_allowed_ = 0;
    std::int64_t step_began_ns_ = 0;  // in debug mode
    std::string step_of_;             // who it is, in debug mode
    std::thread::id thread_ = std::this_thread::get_id();
    std::atomic<bool> foreign_call_{false};  // in a simulated world
    std::shared_ptr<detail::Inbox> inbox_ = std::make_shared<detail::Inbox>();
    std::vector<Ready> selected_;
};

namespace detail {

/// The loop that runs on this thread, or null: the one place that knows it.
inline constinit thread_local EventLoop* current_loop = nullptr;

[[noreturn]] void no_running_loop(const char* operation);

/// Returns the running loop; `operation` is named in the error.
inline EventLoop& running_loop(const char* operation) {
    EventLoop* const loop = current_loop;
    if (loop == nullptr) [[unlikely]] {
        no_running_loop(operation);
    }
    return *loop;
}

/// Returns the running loop if its world is simulated, else null: what threads share is the operating system's then.
inline EventLoop* simulated_loop() {
    EventLoop* const loop = current_loop;
    return loop != nullptr && loop->world().is_simulated() ? loop : nullptr;
}

[[noreturn]] void no_current_task(const char* operation);

/// Makes sure that `get_event_loop` does not return a loop that is closed.
void forget_loop(const EventLoop& loop);

/// Where a task is suspended: lives in the frame that suspends it.
struct Suspension {
#if MISHAP_OWN_SWITCH
    explicit Suspension(TaskBase& task) { task.context = &own_context; }
    Context& context() { return own_context; }

    Context own_context;
#else
    explicit Suspension(TaskBase& task) : fibers_context(task.context) {}
    Context& context() { return *fibers_context; }

    Context* fibers_context;
#endif
    SavedState saved;
};

/// Throws UsageError when a loop runs on this thread. A simulated thread may run one of its own.
void refuse_nested_run();

/// Returns the running loop, and makes sure that a task is running in it.
inline EventLoop& running_task_loop(const char* operation) {
    EventLoop& loop = running_loop(operation);
    if (loop.current_task() == nullptr || loop.current_task()->is_thread) [[unlikely]] {
        no_current_task(operation);
    }
    return loop;
}

/// Returns `text` kept for the life of the thread; equal texts share one string.
const std::string* intern(std::string_view text);

/// What a function returns that is a coroutine of this library: a `Coro`.
template <class R>
concept HostedCoroutine = requires(R result) {
    typename R::promise_type;
    result.run_here();
};

/// A callback and the function it calls.
template <class F>
class FunctionHandle final : public HandleBase {
public:
    template <class G>
    explicit FunctionHandle(G&& function) : function_(std::forward<G>(function)) {}
    void invoke() override { function_(); }

private:
    F function_;
};

/// A function's type, as an address.
template <class F>
inline constexpr char type_tag = 0;

/// A callback of a future that is done.
template <class F, class T>
class DoneCallback final : public HandleBase {
public:
    template <class G>
    DoneCallback(const Future<T>& future, G&& function) : future_(future), function_(std::forward<G>(function)) {}
    void invoke() override { function_(future_); }
    bool calls(const void* type, [[maybe_unused]] const void* function) const override {
        if constexpr (requires(const F& a, const F& b) { static_cast<bool>(a == b); }) {
            return type == &type_tag<F> && static_cast<bool>(function_ == *static_cast<const F*>(function));
        } else {
            return false;
        }
    }

private:
    Future<T> future_;
    F function_;
};

}  // namespace detail

/// Returns the loop that runs on this thread.
///
/// Throws:    UsageError when none does.
inline EventLoop& get_running_loop() { return detail::running_loop("get_running_loop()"); }

/// Returns the running loop, else the one given to `set_event_loop`.
///
/// Throws:    UsageError when there is neither.
/// Source:    asyncio.get_event_loop, as of CPython 3.14.
EventLoop& get_event_loop();
/// Sets the loop that `get_event_loop` returns on this thread while none runs; null: none. A loop that is closed is forgotten.
void set_event_loop(EventLoop* loop);
/// Makes a loop in the world of the one that runs, else in the real world.
std::unique_ptr<EventLoop> new_event_loop();

/// Returns the task that runs; an invalid handle in a callback or a simulated thread.
inline AnyTask current_task() {
    detail::TaskBase* const task = detail::running_loop("current_task()").current_task();
    return task != nullptr && !task->is_thread ? AnyTask(task) : AnyTask();
}

/// Returns the tasks that are not done, oldest first.
std::vector<AnyTask> all_tasks();

/// Makes a task in the running loop; see `EventLoop::create_task`.
template <class F>
auto create_task(F&& function, const TaskOptions& options = {}) {
    return detail::running_loop("create_task()").create_task(std::forward<F>(function), options);
}

/// Leaves the current task's stack for the loop's, and comes back when the task is resumed.
inline void EventLoop::suspend() {
    detail::Suspension suspension(*current_);
    suspend(suspension);
}

/// As above, prepared before: a task that makes itself ready does that when it can be known where it will be suspended.
inline void EventLoop::suspend(detail::Suspension& suspension) {
    detail::park_state(thread_globals_, suspension.saved);
    detail::switch_context(suspension.context(), hub_.context);
    detail::resume_state(thread_globals_, suspension.saved);
}

// ---- what every task and future begins with ----------------------------------------------------------------------

namespace detail {

inline FutureBase::FutureBase(EventLoop& loop, void* value, bool is_task)
    : is_task_(is_task), loop_(&loop), value_(value), maker_(loop.running_key()) {
    if (is_task) {
        loop.next_object();  // it gets a task's key, yet counts as an object
    } else {
        identify();
    }
}

inline TaskBase::TaskBase(EventLoop& loop, void* value, const TaskOptions& options)
    : FutureBase(loop, value, true), name(options.name.empty() ? nullptr : intern(options.name)) {
    is_task_entry = true;
}

}  // namespace detail

// ---- templates ---------------------------------------------------------------------------------------------------

template <class B, class... A>
B* EventLoop::make_block(A&&... arguments) {
    void* const room = detail::block_pool().allocate(sizeof(B), run_, detail::SlotHeader::Content::block);
    if constexpr (std::is_nothrow_constructible_v<B, A...>) {
        return new (room) B(std::forward<A>(arguments)...);
    } else {
        try {
            return new (room) B(std::forward<A>(arguments)...);
        } catch (...) {
            detail::block_pool().release(room);
            throw;
        }
    }
}

template <class F>
Handle EventLoop::call_soon(F&& callback, ContextRef context) {
    check_usable();
    auto* const handle = make_block<detail::FunctionHandle<std::decay_t<F>>>(std::forward<F>(callback));
    Handle result(handle);
    if (detail::contexts_in_use || context.get() != nullptr) [[unlikely]] {
        detail::give_context(*handle, context.get());
    }
    if (current_ != nullptr) {
        schedule(*handle, current_->callbacks, current_);
    } else {
        schedule(*handle, loop_lane_, nullptr);
    }
    return result;
}

template <class F>
TimerHandle EventLoop::call_at(VirtualTime when, F&& callback, ContextRef context) {
    check_usable();
    auto* const handle = make_block<detail::FunctionHandle<std::decay_t<F>>>(std::forward<F>(callback));
    TimerHandle result(handle);
    if (detail::contexts_in_use || context.get() != nullptr) [[unlikely]] {
        detail::give_context(*handle, context.get());
    }
    arm(*handle, when.time_since_epoch().count());
    return result;
}

template <class F>
TimerHandle EventLoop::call_later(std::chrono::nanoseconds delay, F&& callback, ContextRef context) {
    return call_at(deadline_in(delay), std::forward<F>(callback), context);
}

template <class F>
auto EventLoop::create_task(F&& function, const TaskOptions& options) {
    using Function = std::decay_t<F>;
    if constexpr (detail::HostedCoroutine<Function>) {
        function.belong_to_task();
        return create_task([kept = std::forward<F>(function)]() mutable { return kept.run_here(); }, options);
    } else {
        using Result = std::decay_t<std::invoke_result_t<Function&>>;
        if constexpr (detail::HostedCoroutine<Result>) {
            // A function that returns a coroutine: the task runs what it returns, and keeps the function, which the coroutine
            // may refer to.
            return create_task([kept = std::forward<F>(function)]() mutable { return kept().run_here(); }, options);
        } else {
            check_usable();
            using State = detail::TaskState<Function, Result>;
            if (task_factory_ != nullptr) [[unlikely]] {
                auto make = [&](const TaskOptions& chosen) -> detail::TaskBase& {
                    auto* const task = make_block<State>(*this, std::forward<F>(function), chosen);
                    ++detail::header_of(task).references;  // an eager task may end before anybody else knows it
                    add_task(*task, chosen);
                    return *task;
                };
                using Make = decltype(make);
                const auto call = [](void* self, const TaskOptions& chosen) -> detail::TaskBase& {
                    return (*static_cast<Make*>(self))(chosen);
                };
                const AnyTask made = make_by_factory(TaskMaker(&make, call), options);
                return Task<Result>(&made.task_state());
            }
            auto* const task = make_block<State>(*this, std::forward<F>(function), options);
            Task<Result> handle(task);
            if (detail::contexts_in_use || options.context.get() != nullptr || options.eager_start.has_value()) [[unlikely]] {
                add_task(*task, options);
            } else {
                add_task(*task);
            }
            return handle;
        }
    }
}

template <class F>
    requires(!std::is_base_of_v<detail::AnyFuture, std::remove_cvref_t<F>>)
auto EventLoop::run_until_complete(F&& function) {
    const auto task = create_task(std::forward<F>(function));
    return run_until_complete(task);
}

template <class T>
Future<T> EventLoop::create_future() {
    check_usable();
    return Future<T>(make_block<detail::FutureState<T>>(*this));
}

template <class T>
T EventLoop::run_until_complete(const Future<T>& future) {
    run_until_done(future.state());
    if constexpr (std::is_void_v<T>) {
        future.result();
    } else if constexpr (std::is_copy_constructible_v<T>) {
        return future.result();
    } else {
        future.state().throw_unless_succeeded("run_until_complete()");
        return std::move(*static_cast<detail::Value<T>*>(future.state().value())->value);
    }
}

template <class T>
template <class... A>
void Future<T>::set_result(A&&... arguments) const {
    detail::FutureBase& future = state();
    if (future.is_task()) {
        throw UsageError("set_result() was called on a task: its result is what its function returns");
    }
    if (future.is_done()) {
        throw InvalidStateError("set_result() on a future that is done already; ask done() first");
    }
    static_cast<detail::Value<T>*>(future.value())->set(std::forward<A>(arguments)...);
    future.finish();
}

template <class T>
std::add_lvalue_reference_t<const T> Future<T>::result() const {
    detail::FutureBase& future = state();
    future.throw_unless_succeeded("result()");
    if constexpr (!std::is_void_v<T>) {
        return *static_cast<const detail::Value<T>*>(future.value())->value;
    }
}

template <class T>
template <class F>
Handle Future<T>::add_done_callback(F&& callback, ContextRef context) const {
    detail::FutureBase& future = state();
    using Callback = detail::DoneCallback<std::decay_t<F>, T>;
    auto* const handle = future.loop().make_block<Callback>(*this, std::forward<F>(callback));
    Handle result(handle);
    if (detail::contexts_in_use || context.get() != nullptr) [[unlikely]] {
        detail::give_context(*handle, context.get());
    }
    future.add_callback(handle);
    return result;
}

template <class T>
template <class F>
std::size_t Future<T>::remove_done_callback(const F& callback) const {
    using Function = std::decay_t<F>;
    static_assert(std::equality_comparable<Function>,
                  "callbacks of this type cannot be compared; cancel the handle that add_done_callback() gave");
    const Function& function = callback;
    return state().remove_callbacks(&detail::type_tag<Function>, &function);
}

}  // namespace mishap
