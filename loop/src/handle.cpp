#include <mishap/loop/handle.hpp>

#include <mishap/loop/event_loop.hpp>

namespace mishap {

void Handle::cancel() {
    detail::HandleBase& handle = *handle_;
    if (handle.is_cancelled) {
        return;
    }
    handle.is_cancelled = true;
    if (handle.loop != nullptr) {
        handle.loop->unschedule(handle);
    }
}

bool Handle::cancelled() const { return handle_->is_cancelled; }

VirtualTime TimerHandle::when() const { return VirtualTime(std::chrono::nanoseconds(handle_->when_ns)); }

namespace detail {

void stale_handle() {
    throw UsageError(
        "a Task, Future or Handle was used that refers to nothing: it is empty, or belongs to a run that is over. Keep such "
        "handles inside the program under test and take results out of it as plain values");
}

}  // namespace detail
}  // namespace mishap
