#include <mishap/primitives/async_result.hpp>

#include <mishap/primitives/timeout.hpp>

namespace mishap::detail {

namespace {
constexpr ObjectKind kind{"AsyncResult", "result"};
}

AsyncResultBase::AsyncResultBase(std::string_view name) : Primitive(kind, name) {}

bool AsyncResultBase::ready() const {
    touch(Access::read, "AsyncResult.ready");
    return is_ready_;
}

bool AsyncResultBase::successful() const {
    touch(Access::read, "AsyncResult.successful");
    return is_ready_ && exception_ == nullptr;
}

std::exception_ptr AsyncResultBase::exception() const {
    touch(Access::read, "AsyncResult.exception");
    return exception_;
}

void AsyncResultBase::set_exception(std::exception_ptr exception, Place place) {
    tell(std::move(exception), "AsyncResult.set_exception", place);
}

void AsyncResultBase::tell(std::exception_ptr exception, const char* operation, Place place) {
    touch(Access::write, operation, place);
    exception_ = std::move(exception);
    is_ready_ = true;
    waiters_.wake_all();
}

void AsyncResultBase::check() const {
    touch(Access::read, "AsyncResult.get");
    if (!is_ready_) {
        throw TimeoutError();
    }
    if (exception_ != nullptr) {
        std::rethrow_exception(exception_);
    }
}

bool AsyncResultBase::wait(std::optional<std::chrono::nanoseconds> timeout, Place place) {
    EventLoop& loop = enter("AsyncResult.wait()");
    if (is_ready_) {
        touch_in(loop, Access::read, "AsyncResult.wait", place);
        loop.maybe_yield("AsyncResult.wait", place);
        return true;
    }
    touch_in(loop, Access::write, "AsyncResult.wait", place);
    const auto wait_here = [&] {
        WaitEntry entry(loop);
        waiters_.wait(entry, "AsyncResult.wait", place, Failing::here);
    };
    if (!timeout.has_value()) {
        wait_here();
        return true;
    }
    Timeout limit(loop.deadline_in(*timeout));
    try {
        limit.run(wait_here, place);
    } catch (const TimeoutError&) {
        if (!limit.expired()) {
            throw;  // a sweep's
        }
    }
    return is_ready_;
}

void AsyncResultBase::explain(const WaitQueue&, WaitExplanation& explanation) const {
    explanation.what = describe();
    explanation.state = with_waiters(is_ready_ ? "ready" : "not ready", waiters_.count());
    explanation.is_available = is_ready_;
    explanation.is_signal = true;
}

}  // namespace mishap::detail
