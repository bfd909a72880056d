#pragma once

#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include <mishap/loop/detail/await_scope.hpp>
#include <mishap/loop/detail/waiter.hpp>
#include <mishap/primitives/detail/ensure_future.hpp>

namespace mishap {

namespace detail {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

/// The part of a group that its tasks' callbacks know; it lives until the last of them is called.
class GroupState final : public Block, public Explainer {
public:
    explicit GroupState(TaskBase& parent);

    /// Ends the group without an error: cancels the tasks, and the body if it runs.
    void cancel();

    void explain(WaitExplanation& explanation) const override;

    void check_accepts_tasks() const;
    void add(TaskBase& task);
    /// Cancels all tasks, in the order in which they were made.
    void abort();
    /// Waits for all tasks; then throws what the group has to say, or `body_failure`.
    void exit(std::exception_ptr body_failure, bool is_body_cancelled, Place place);
    bool is_finished() const { return is_exiting_ && unfinished_ == 0; }

private:
    void touch();
    void task_done(TaskBase& task);
    void forget_finished();
    /// Waits once; returns the CancelledError that ended the wait, if one did.
    std::exception_ptr wait_once(Place place);
    void cancel_parent();
    /// Takes the group's own request back; returns whether nobody else has cancelled the parent since the group began.
    bool take_request_back();

    Ref<TaskBase> parent_;
    int cancelling_at_entry_;  // requests that the parent had been told of
    Tracked cell_;  // what its tasks change when they end
    std::vector<Ref<TaskBase>> tasks_;  // oldest first; finished ones are dropped now and then
    std::size_t unfinished_ = 0;        // tasks whose callback has not been called
    std::vector<std::exception_ptr> errors_;
    Waiter* waiter_ = nullptr;          // of the parent, while it waits for the tasks
    bool is_exiting_ = false;
    bool is_aborting_ = false;
    bool is_parent_cancel_requested_ = false;
    bool was_cancel_pending_ = false;  // for the parent, when the group requested its cancellation
    int cancelling_after_request_ = 0;
};

[[noreturn]] void body_without_result();

/// Returns the result of a body that was cut short by `TaskGroup::cancel`.
template <class Result>
Result result_of_cut_body() {
    if constexpr (is_optional<Result>) {
        return std::nullopt;
    } else {
        body_without_result();
    }
}

}  // namespace detail

/// Runs tasks that all end before the body's scope does.
///
/// When a task of the group fails, the others are cancelled, and the body too if it still runs; when all have ended, an
/// ExceptionGroup of the failures is thrown. When the body fails or is cancelled, the tasks are cancelled. Most programs
/// call `task_group`; the class is for those who cancel it, or make tasks in it, from elsewhere.
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

    /// Ends the group early and without an error: cancels its tasks and, if it still runs, its body.
    ///
    /// What they throw besides CancelledError is still thrown, and so is CancelledError when somebody else has cancelled
    /// the task that runs the group. Before `run`, the group is cancelled as it begins; afterwards, and when it is called
    /// again, it does nothing. A body with a result must not be cut short, unless that is a `std::optional`.
    ///
    /// Source:    asyncio.TaskGroup.cancel, CPython 3.15.
    void cancel();

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
            return result.value.has_value() ? std::move(*result.value) : detail::result_of_cut_body<Result>();
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
    bool is_cancelled_before_ = false;
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
