#include <mishap/loop/await.hpp>

namespace mishap::detail {

void await_done(FutureBase& future, const char* operation, Place place) {
    EventLoop& loop = running_task_loop("await()");
    if (&future.loop() != &loop) {
        throw UsageError("await() was given a future of another loop; use the loop that made it");
    }
    if (future.is_done()) {
        future.mark_retrieved();
        loop.maybe_yield(operation, place, future);
        return;
    }
    if (&future == loop.current_task()) {
        throw UsageError("a task waits for itself: it would wait for ever");
    }
    loop.park(future, operation, place, Failing::here);
    loop.throw_if_swept();
}

}  // namespace mishap::detail
