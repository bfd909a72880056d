#include <mishap/loop/future.hpp>

#include <fmt/format.h>
#include <mishap/loop/event_loop.hpp>

namespace mishap {
namespace detail {

namespace {
constexpr std::uint64_t future_kind = hash_text("future");
}

void FutureBase::identify() { loop_->identify(*this, future_kind, "future", nullptr); }

void FutureBase::report_never_retrieved() {
    retrieved_ = true;  // asyncio reports this once, when the future goes
    if (exception_ != nullptr || (is_done() && !is_watched_)) {
        loop_->report_never_retrieved(*this);
    }
}

bool FutureBase::cancel(const std::string* message) {
    if (is_done()) {
        return false;
    }
    finish_cancelled(message);
    return true;
}

void FutureBase::explain(WaitExplanation& explanation) const {
    const Names& names = loop_->world().names();
    explanation.what = names.knows(key) ? "future " + names.path(key) + ", which nobody has completed"
                                        : std::string("a future that nobody has completed");
    explanation.maker = maker_;
}

void FutureBase::check_pending(const char* operation) const {
    if (is_done()) {
        throw InvalidStateError(fmt::format("{} on a future that is done already; ask done() first", operation));
    }
}

void FutureBase::finish() {
    state_ = State::finished;
    loop_->world().tell_progress();
    loop_->world().touch(*this, Access::write, is_task_ ? "" : "completes");
    if (first_ != nullptr) {
        schedule_listeners();
    }
}

void FutureBase::finish_with(std::exception_ptr exception) {
    check_pending("set_exception()");
    exception_ = std::move(exception);
    retrieved_ = false;
    finish();
}

void FutureBase::finish_cancelled(const std::string* message) {
    state_ = State::cancelled;
    loop_->world().tell_progress();
    retrieved_ = true;
    cancel_message_ = message;
    loop_->world().touch(*this, Access::write, is_task_ ? "" : "cancels");
    schedule_listeners();
}

const std::string* FutureBase::take_cancel_message() {
    if (is_message_taken_) {
        return nullptr;
    }
    is_message_taken_ = is_message_for_one_;
    return cancel_message_;
}

bool FutureBase::throws_cancelled() const {
    if (exception_ == nullptr) {
        return state_ == State::cancelled;
    }
    try {
        std::rethrow_exception(exception_);
    } catch (const CancelledError&) {
        return true;
    } catch (...) {
        return false;
    }
}

void FutureBase::throw_unless_succeeded(const char* question) {
    loop_->world().touch(*this, Access::read);
    if (state_ == State::pending) {
        throw InvalidStateError(fmt::format("{} of a future that is not done; await it first", question));
    }
    if (state_ == State::cancelled) {
        const std::string* const message = take_cancel_message();
        throw CancelledError(message != nullptr ? *message : std::string());
    }
    retrieved_ = true;
    if (exception_ != nullptr) {
        std::rethrow_exception(exception_);
    }
}

std::exception_ptr FutureBase::exception() {
    if (state_ == State::finished) {
        loop_->world().touch(*this, Access::read);
        retrieved_ = true;
        return exception_;
    }
    throw_unless_succeeded("exception()");
    return nullptr;
}

void FutureBase::add_callback(HandleBase* handle) {
    handle->loop = loop_;
    is_watched_ = true;
    if (is_done()) {
        loop_->schedule(*handle, lane_, this);
        return;
    }
    handle->Listener::handle = handle;
    ++header_of(handle).references;  // of the list; schedule() takes its own
    add_listener(*handle);
}

void FutureBase::remove_callback(HandleBase& handle) {
    if (!is_done()) {
        remove_listener(handle);
        Ref<HandleBase>::drop(&handle);
    }
}

std::size_t FutureBase::remove_callbacks(const void* type, const void* function) {
    std::size_t removed = 0;
    for (Listener* listener = first_; listener != nullptr;) {
        Listener* const next = listener->next;
        if (listener->handle != nullptr && listener->handle->calls(type, function)) {
            remove_listener(*listener);
            Ref<HandleBase>::drop(listener->handle);
            ++removed;
        }
        listener = next;
    }
    return removed;
}

void FutureBase::schedule_listeners() {
    Listener* listener = first_;
    first_ = last_ = nullptr;
    while (listener != nullptr) {
        Listener* const next = listener->next;  // scheduling may reuse the listener's links
        if (listener->task != nullptr) {
            // Who waits will look, even if a cancellation replaces what it sees (asyncio asks for the result as it wakes).
            retrieved_ = true;
            loop_->wake(*listener->task, state_ == State::cancelled ? WakeReason::cancelled : WakeReason::future);
        } else if (listener->handle->is_cancelled) {
            Ref<HandleBase>::drop(listener->handle);
        } else {
            loop_->schedule(*listener->handle, lane_, this);
            --header_of(listener->handle).references;
        }
        listener = next;
    }
}

void AnyFuture::set_exception(std::exception_ptr exception) const {
    if (state_->is_task()) {
        throw UsageError("set_exception() was called on a task: it ends with what its function throws");
    }
    state_->finish_with(std::move(exception));
}

std::string AnyFuture::cancel_message() const {
    const std::string* const message = cancelled() ? state_->cancel_message() : nullptr;
    return message != nullptr ? *message : std::string();
}

bool AnyFuture::cancel(std::string_view message) const {
    return state_->cancel(message.empty() ? nullptr : intern(message));
}

}  // namespace detail
}  // namespace mishap
