#include <mishap/primitives/spawn.hpp>

namespace mishap {

bool kill(const AnyTask& task, std::optional<std::chrono::nanoseconds> timeout, Place place) {
    EventLoop& loop = detail::running_task_loop("kill()");
    if (&task.task_state() == loop.current_task()) {
        throw UsageError("a task kills itself, and would wait for its own end; let it return or throw");
    }
    if (!task.done()) {
        task.cancel();
        wait({task}, {.timeout = timeout}, place);
    }
    return task.done();
}

}  // namespace mishap
