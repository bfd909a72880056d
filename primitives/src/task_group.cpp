#include <mishap/primitives/task_group.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace mishap {

void TaskGroup::enter() {
    EventLoop& loop = detail::running_task_loop("task_group()");
    if (state_) {
        throw UsageError("a TaskGroup was run twice; make a new one for each body");
    }
    state_ = detail::Ref<detail::GroupState>(loop.make_block<detail::GroupState>(*loop.current_task()));
    if (is_cancelled_before_) {
        state_->cancel();
    }
}

void TaskGroup::cancel() {
    if (state_) {
        state_->cancel();
    } else {
        is_cancelled_before_ = true;
    }
}

void TaskGroup::check_accepts_tasks() const {
    if (!state_) {
        throw UsageError("create_task() of a TaskGroup that does not run; call it in the body given to run()");
    }
    state_->check_accepts_tasks();
}

namespace detail {

void body_without_result() {
    throw UsageError(
        "TaskGroup.cancel() has cut a body short that has a result to give; let it return a std::optional or nothing");
}

// A request that the parent has not been told of is not one that it knows: it must come through (compare gh-134471).
GroupState::GroupState(TaskBase& parent)
    : parent_(&parent), cancelling_at_entry_(parent.cancelling() - (parent.must_cancel ? 1 : 0)) {
    cell_.key = child_key(parent.entity.key, hash_text("group"), parent.entity.step);
}

void GroupState::explain(WaitExplanation& explanation) const {
    explanation.what = fmt::format("{} task{} of a TaskGroup", unfinished_, unfinished_ == 1 ? "" : "s");
    for (const Ref<TaskBase>& task : tasks_) {
        if (!task->is_done()) {
            explanation.holders.push_back(task.get());
        }
    }
    explanation.is_join = true;
}

void GroupState::check_accepts_tasks() const {
    if (is_finished()) {
        throw UsageError("create_task() of a TaskGroup that is finished; make tasks while its body or a task of it runs");
    }
    if (is_aborting_) {
        throw UsageError("create_task() of a TaskGroup that is shutting down, because its body or a task of it failed, or it was cancelled");
    }
}

void GroupState::add(TaskBase& task) {
    touch();
    forget_finished();
    tasks_.emplace_back(&task);
    ++unfinished_;
    auto callback = [group = Ref<GroupState>(this), &task] { group->task_done(task); };
    task.add_callback(task.loop().make_block<FunctionHandle<decltype(callback)>>(std::move(callback)));
    if (is_aborting_) {
        task.cancel(nullptr);  // a task that began at once, and ended the group before it was known to it (gh-155418)
    }
}

void GroupState::cancel() {
    if (is_finished() || is_aborting_) {
        return;
    }
    abort();
    if (!is_exiting_) {
        cancel_parent();
    }
}

/// Ends what the body waits for; `exit` takes the request back.
void GroupState::cancel_parent() {
    is_parent_cancel_requested_ = true;
    was_cancel_pending_ = parent_->must_cancel;
    parent_->cancel(nullptr);
    cancelling_after_request_ = parent_->cancelling();
}

bool GroupState::take_request_back() {
    const bool is_undelivered =
        parent_->must_cancel && !was_cancel_pending_ && parent_->cancelling() == cancelling_after_request_;
    const int left = parent_->uncancel();
    if (is_undelivered) {
        parent_->must_cancel = false;  // else it would end a wait that is no concern of the group's
    }
    return left <= cancelling_at_entry_;
}

/// Drops finished tasks once they are the greater part, so that a group that lives for ever does not grow.
void GroupState::forget_finished() {
    if (tasks_.size() > 2 * unfinished_ + 8) {
        std::erase_if(tasks_, [](const Ref<TaskBase>& task) { return task->is_done(); });
    }
}

void GroupState::abort() {
    is_aborting_ = true;
    touch();
    for (const Ref<TaskBase>& task : tasks_) {
        task->cancel(nullptr);
    }
}

void GroupState::touch() { parent_->loop().world().touch(cell_, Access::update); }

void GroupState::task_done(TaskBase& task) {
    --unfinished_;
    touch();
    if (waiter_ != nullptr && unfinished_ == 0 && !waiter_->look()) {
        waiter_->finish();
    }
    if (task.state() == Waitable::State::cancelled) {
        return;
    }
    std::exception_ptr exception = task.exception();
    if (exception == nullptr) {
        return;
    }
    errors_.push_back(exception);
    if (parent_->is_done()) {
        // Only when the parent was given up: nobody else is left to tell.
        task.loop().call_exception_handler({"a task of a TaskGroup failed after its parent had ended", std::move(exception)});
    } else if (!is_aborting_ && !is_parent_cancel_requested_) {
        abort();
        cancel_parent();
    }
}

std::exception_ptr GroupState::wait_once(Place place) {
    /// Forgets the waiter before its stack frame goes.
    struct Waiting {
        Waiter*& slot;
        ~Waiting() { slot = nullptr; }
    };
    touch();
    Waiter waiter(parent_->loop(), this);
    waiter_ = &waiter;
    const Waiting waiting{waiter_};
    try {
        waiter.wait("wait for tasks", place);
    } catch (const CancelledError&) {
        return std::current_exception();
    }
    return nullptr;
}

void GroupState::exit(std::exception_ptr body_failure, bool is_body_cancelled, Place place) {
    is_exiting_ = true;
    touch();
    std::exception_ptr cancellation = is_body_cancelled ? body_failure : nullptr;
    if (body_failure != nullptr && !is_aborting_) {
        abort();
    }
    // Each cancellation of the parent ends one wait; the group waits on all the same.
    while (unfinished_ != 0) {
        const std::exception_ptr cancelled = wait_once(place);
        touch();  // whether tasks are left, and that nobody waits just now
        if (cancelled != nullptr && cancellation == nullptr && body_failure == nullptr) {
            cancellation = cancelled;  // while aborting too: else one from outside is lost to `cancel` (gh-155433)
        }
        if (cancelled != nullptr && !is_aborting_) {
            abort();
        }
    }
    if (is_parent_cancel_requested_ && take_request_back()) {
        cancellation = nullptr;  // the request was the group's own, and nobody else made one
    }
    if (cancellation != nullptr && errors_.empty()) {
        std::rethrow_exception(cancellation);
    }
    if (body_failure != nullptr && !is_body_cancelled) {
        errors_.push_back(std::move(body_failure));
    }
    if (errors_.empty()) {
        return;
    }
    if (parent_->cancelling() != 0) {
        // Somebody outside cancelled the parent: the errors go first, its next wait is cancelled, the count is kept.
        parent_->uncancel();
        parent_->cancel(nullptr);
    }
    throw ExceptionGroup("unhandled errors in a TaskGroup", std::exchange(errors_, {}));
}

}  // namespace detail
}  // namespace mishap
