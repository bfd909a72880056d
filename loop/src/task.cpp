#include <mishap/loop/task.hpp>

#include <fmt/format.h>
#include <mishap/loop/event_loop.hpp>

namespace mishap {
namespace detail {

bool TaskBase::cancel(const std::string* message) {
    if (is_done()) {
        return false;
    }
    loop_->world().touch(*this, Access::write, "cancels task");
    ++cancel_requests_;
    // What is waited for may be a task itself: the request goes down the chain (bpo-34872).
    // Down a chain that leads back here it goes once (tasks that await each other; asyncio: RecursionError).
    if (waiting_on != nullptr && !is_passing_request) {
        is_passing_request = true;
        const bool is_served = waiting_on->cancel(message);
        is_passing_request = false;
        if (is_served) {
            return true;
        }
    }
    must_cancel = true;
    must_cancel_message = message;
    return true;
}

int TaskBase::uncancel() {
    if (cancel_requests_ > 0) {
        --cancel_requests_;
        if (cancel_requests_ == 0) {
            must_cancel = false;
        }
    }
    return cancel_requests_;
}

void TaskBase::explain(WaitExplanation& explanation) const {
    explanation.what = "task " + path();
    explanation.holders.push_back(this);
    explanation.is_join = true;
}

void TaskBase::finish_normally() {
    if (must_cancel) {
        must_cancel = false;
        finish_cancelled(must_cancel_message);
    } else {
        finish();
    }
}

void TaskBase::finish_with_current_exception() {
    drop_body();
    try {
        throw;
    } catch (const CancelledError& error) {
        finish_with_cancelled_error(error.message().empty() ? nullptr : intern(error.message()));
    } catch (const TaskAbandoned&) {
        finish_cancelled(nullptr);
    } catch (...) {
        must_cancel = false;
        finish_with(std::current_exception());
    }
}

void TaskBase::finish_with_cancelled_error(const std::string* message) {
    // An injected cancellation is known by its message wherever it goes.
    is_message_for_one_ = message != nullptr && *message != injected_message();
    finish_cancelled(message);
}

void TaskBase::throw_interruption() {
    if (is_abandoning) {
        throw TaskAbandoned();
    }
    must_cancel = false;
    loop_->forget_swept(*this);
    throw CancelledError(must_cancel_message != nullptr ? *must_cancel_message : std::string());
}

std::string TaskBase::displayed_name() const {
    const std::string* const given = has_extras && extras_of(*this).name != nullptr ? extras_of(*this).name : name;
    return given != nullptr ? *given : fmt::format("Task-{}", task_number_);
}

std::string TaskBase::segment() const {
    if (name == nullptr) {
        return fmt::format("{}#{}", is_thread ? "thread" : "task", ordinal);
    }
    return ordinal <= 1 ? path_segment(*name) : fmt::format("{}~{}", path_segment(*name), ordinal);
}

std::string TaskBase::path() const {
    const Names& names = loop_->world().names();
    return names.knows(entity.key) ? names.path(entity.key) : segment();
}

}  // namespace detail

void AnyTask::set_name(std::string_view name) const { detail::make_extras(task_state()).name = detail::intern(name); }

}  // namespace mishap
