#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <boost/intrusive/list_hook.hpp>
#include <mishap/loop/detail/entity.hpp>
#include <mishap/loop/future.hpp>

namespace mishap {

/// What can be said of a task when it is made.
struct TaskOptions {
    /// Appears in reports and paths; empty: `task#` and the ordinal among its siblings.
    std::string_view name;
    /// The task runs in this context itself; none: in a copy of its creator's.
    ContextRef context = {};
    /// Runs the task's first step at once, inside its creator's, up to its first wait; not set: what the task factory says.
    std::optional<bool> eager_start = {};
};

namespace detail {

struct Context;

/// The state that all tasks share: a future, an entity, and a stack while it runs.
class TaskBase : public FutureBase,
                 public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::normal_link>>,
                 public Ready {
public:
    TaskBase(EventLoop& loop, void* value, const TaskOptions& options);
    ~TaskBase() override {
        report_unseen();
        if (has_extras) [[unlikely]] {
            drop_extras(*this);
        }
    }

    bool cancel(const std::string* message) override;
    void explain(WaitExplanation& explanation) const override;

    /// Runs the program's function and stores its result; on the task's own stack.
    virtual void run_body() = 0;
    /// Destroys the program's function before its time, when the task never started.
    virtual void drop_body() = 0;

    /// Ends the task with its result, or as cancelled when a request came after its last wait (bpo-30048).
    void finish_normally();
    /// Ends the task with what is being thrown; called inside `catch`.
    void finish_with_current_exception();
    /// Ends the task with a CancelledError that left its function, or that it was given before it began.
    void finish_with_cancelled_error(const std::string* message);

    /// Throws what a resumed task must not overlook: that it is given up, or cancelled.
    void throw_if_interrupted() {
        if (is_interrupted()) [[unlikely]] {
            throw_interruption();
        }
    }
    bool is_interrupted() const { return must_cancel || is_abandoning; }

    int cancelling() const { return cancel_requests_; }
    int uncancel();

    /// Returns the name given last, else the default one.
    std::string displayed_name() const;
    void number(std::uint32_t number) { task_number_ = number; }
    /// Returns the last part of the path.
    std::string segment() const;
    /// Returns the path as far as it is known: all of it on replay, the last part otherwise.
    std::string path() const;

    [[noreturn]] void throw_interruption();

    // What every step uses lies together, from `Ready` to the number of its steps: on two cache lines at most.
    Context* context = nullptr;           // to be switched to for the next step; null before the first
    AwaitFrame* frames = nullptr;
    bool must_cancel = false;
    bool is_abandoning = false;           // teardown unwinds it with TaskAbandoned
    bool is_eligible = false;             // for an injected cancellation
    bool is_main : 1 = false;             // these four share a byte: there may be a million tasks
    bool has_extras : 1 = false;          // see extras.hpp
    bool is_thread : 1 = false;           // a simulated thread, see ThreadBase
    bool is_passing_request : 1 = false;  // for cancellation, to what it waits for
    int cancel_requests_ = 0;
    EntityState entity;
    Waitable* waiting_on = nullptr;
    const std::string* must_cancel_message = nullptr;
    const std::string* name = nullptr;    // as given; null when none was
    std::uint32_t ordinal = 0;            // of nameless ones among their siblings; copy number of named ones
    std::uint32_t tasks_made = 0;
    std::uint32_t timers_made = 0;
    std::uint32_t objects_made = 0;
    Lane callbacks;                       // of what it schedules
};

/// Holds a task's function, made once and destroyed as soon as it has run.
template <class F, class T>
class TaskState final : public TaskBase, public Value<T> {
public:
    template <class G>
    TaskState(EventLoop& loop, G&& function, const TaskOptions& options)
        : TaskBase(loop, static_cast<Value<T>*>(this), options), function_(std::forward<G>(function)) {}

    void run_body() override {
        if constexpr (std::is_void_v<T>) {
            (*function_)();
        } else {
            this->set((*function_)());
        }
        function_.reset();
    }
    void drop_body() override { function_.reset(); }

private:
    std::optional<F> function_;
};

}  // namespace detail

/// A function that runs on its own stack, and the future of its result. Copies are handles to one task.
///
/// Source:    asyncio.Task, CPython 3.13.
template <class T>
class Task : public Future<T> {
public:
    Task() = default;
    explicit Task(detail::TaskBase* state) : Future<T>(state) {}

    /// Returns the name given, else `Task-` and a number that no other nameless task of this run has.
    std::string get_name() const { return task_state().displayed_name(); }
    /// Gives the task another name, for the program; reports go on to name it by its path.
    void set_name(std::string_view name) const;
    /// Returns the context in which the task runs.
    Context get_context() const;
    /// Returns how many requests for cancellation are open.
    int cancelling() const { return task_state().cancelling(); }
    /// Takes one request back and returns how many are left; reaching 0 clears a pending one (CPython 3.13).
    int uncancel() const { return task_state().uncancel(); }

    detail::TaskBase& task_state() const { return static_cast<detail::TaskBase&>(this->state()); }
};

/// A task whatever its result.
class AnyTask : public detail::AnyFuture {
public:
    AnyTask() = default;
    explicit AnyTask(detail::TaskBase* state) : AnyFuture(state) {}
    template <class T>
    AnyTask(const Task<T>& task) : AnyFuture(task) {}

    std::string get_name() const { return task_state().displayed_name(); }
    void set_name(std::string_view name) const;
    Context get_context() const;
    std::string path() const { return task_state().path(); }
    int cancelling() const { return task_state().cancelling(); }
    int uncancel() const { return task_state().uncancel(); }

    detail::TaskBase& task_state() const { return static_cast<detail::TaskBase&>(this->state()); }
};

template <class T>
void Task<T>::set_name(std::string_view name) const {
    AnyTask(*this).set_name(name);
}

}  // namespace mishap
