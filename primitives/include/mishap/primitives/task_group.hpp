#pragma once

#include <exception>
#include <utility>
#include <vector>

#include <mishap/loop/detail/await_scope.hpp>
#include <mishap/loop/detail/waiter.hpp>
#include <mishap/primitives/detail/ensure_future.hpp>

namespace mishap {

namespace detail {

/// The part of a group that its tasks' callbacks know; it lives until the last of them is called.
class GroupState final : public Block, public Explainer {
public:
    explicit GroupState(TaskBase& parent);

    void explain(WaitExplanation& explanation) const override;

    void check_accepts_tasks() const;
    void add(TaskBase& task);
    /// Cancels all tasks, in the order in which they were made.
    void abort();
    /// Waits for all tasks; then throws what the group has to say, or `body_failure`.
    void exit(std::exception_ptr body_failure, bool is_body_cancelled, Place place);

private:
    void touch();
    void task_done(TaskBase& task);
    void forget_finished();
    /// Waits once; returns the CancelledError that ended the wait, if one did.
    std::exception_ptr wait_once(Place place);

    Ref<TaskBase> parent_;
    Tracked cell_;  // what its tasks change when they end
    std::vector<Ref<TaskBase>> tasks_;  // oldest first; finished ones are dropped now and then
    std::size_t unfinished_ = 0;        // tasks whose callback has not been called
    std::vector<std::exception_ptr> errors_;
    Waiter* waiter_ = nullptr;          // of the parent, while it waits for the tasks
    bool is_exiting_ = false;
    bool is_aborting_ = false;
    bool is_parent_cancel_requested_ = false;
};

}  // namespace detail

/// Runs tasks that all end before the body's scope does.
///
/// When a task of the group fails, the others are cancelled, and the body too if it still runs; when all have ended, an
/// ExceptionGroup of the failures is thrown. When the body fails or is cancelled, the tasks are cancelled. Most programs
/// call `task_group`.
///
/// Source:    asyncio.TaskGroup, CPython 3.13.
class TaskGroup {
public:
    TaskGroup() = default;
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    /// Makes a task of a function or a coroutine; the group waits for it.
    ///
    /// Throws:    UsageError unless the group runs, and when it is shutting down because something failed.
    template <class F>
    auto create_task(F&& function, const TaskOptions& options = {}) {
        check_accepts_tasks();
        auto task = detail::create_task_of(get_running_loop(), std::forward<F>(function), options);
        state_->add(task.task_state());
        return task;
    }

    /// Runs `body()` or `body(TaskGroup&)`, or the coroutine that it returns, then waits for the tasks; once.
    ///
    /// Yields:    where the body does, and while tasks are left; without tasks the exit does not yield.
    /// Cancelled: the tasks are cancelled and waited for.
    /// Order:     the body begins at once, in the current task.
    /// Throws:    ExceptionGroup of what the tasks and the body threw; CancelledError; UsageError outside a task or when
    ///            it was run before.
    template <class Body>
    auto run(Body&& body, Place place = Place::here()) {
        using Result = decltype(call_body(std::forward<Body>(body)));
        enter();
        const detail::AwaitScope scope(*detail::current_loop->current_task(), "TaskGroup", place);
        detail::Value<Result> result;
        std::exception_ptr failure;
        bool is_cancelled = false;
        // The helper that runs a body: whatever it throws, the tasks are waited for first.
        try {
            if constexpr (std::is_void_v<Result>) {
                call_body(std::forward<Body>(body));
            } else {
                result.set(call_body(std::forward<Body>(body)));
            }
        } catch (const detail::TaskAbandoned&) {
            throw;
        } catch (const CancelledError&) {
            failure = std::current_exception();
            is_cancelled = true;
        } catch (...) {
            failure = std::current_exception();
        }
        state_->exit(std::move(failure), is_cancelled, place);
        if constexpr (!std::is_void_v<Result>) {
            return std::move(*result.value);
        }
    }

private:
    template <class Body>
    auto call_body(Body&& body) {
        if constexpr (std::is_invocable_v<Body, TaskGroup&>) {
            return detail::call(std::forward<Body>(body), *this);
        } else {
            return detail::call(std::forward<Body>(body));
        }
    }
    void enter();
    void check_accepts_tasks() const;

    detail::Ref<detail::GroupState> state_;  // none before it runs
};

/// Runs `body(TaskGroup&)`, waits for all tasks that it made in the group, and returns its result.
///
/// ```
/// task_group([&](TaskGroup& group) {
///     group.create_task(read_all);
///     group.create_task(write_all);
/// });
/// ```
///
/// Yields:    where the body does, and while tasks are left; without tasks the exit does not yield.
/// Cancelled: the tasks are cancelled and waited for.
/// Order:     the body begins at once, in the current task.
/// Throws:    ExceptionGroup of what the tasks and the body threw; CancelledError; UsageError outside a task.
/// Source:    asyncio.TaskGroup, CPython 3.13.
template <class Body>
auto task_group(Body&& body, Place place = Place::here()) {
    TaskGroup group;
    return group.run(std::forward<Body>(body), place);
}

}  // namespace mishap
