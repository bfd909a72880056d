// Tasks that a factory makes.

#include <mishap/loop/event_loop.hpp>

namespace mishap {

AnyTask TaskMaker::operator()(const TaskOptions& options) {
    if (made_.is_valid()) {
        throw UsageError("a task factory made its task twice; call `make` once and return what it gives");
    }
    detail::TaskBase& task = make_(self_, options);
    made_ = AnyTask(&task);
    detail::Ref<detail::TaskBase>::drop(&task);
    return made_;
}

AnyTask EventLoop::make_by_factory(TaskMaker maker, const TaskOptions& options) {
    const TaskFactory factory = task_factory_;  // it may set another
    const AnyTask task = factory(*this, maker, options);
    if (!task.is_valid() || !(task == maker.made_)) {
        throw UsageError("a task factory returned something else than the task it was to make; return what `make` gives");
    }
    return task;
}

AnyTask eager_task_factory(EventLoop&, TaskMaker& make, const TaskOptions& options) {
    TaskOptions chosen = options;
    chosen.eager_start = options.eager_start.value_or(true);
    return make(chosen);
}

}  // namespace mishap
