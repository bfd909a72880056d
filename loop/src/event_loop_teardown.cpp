// What happens to tasks that are left when a run has its verdict or a loop is closed.

#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include <mishap/loop/event_loop.hpp>
#include <mishap/sim/errors.hpp>

#include "running.hpp"

namespace mishap {

namespace {
constexpr std::uint64_t calm_steps_max = 10'000;    // for tasks to leave in good order after their cancellation
constexpr std::uint32_t refusals_max = 100;         // waits that a task may begin while it is being unwound

std::terminate_handler terminate_before = nullptr;

}  // namespace

/// Gives up a task instead of the process when what its wait throws may not leave it: the wait is in a destructor.
///
/// The runtime calls the handler on the task's own stack, before anything of that is unwound.
class EventLoop::SurvivingTermination {
public:
    SurvivingTermination() { terminate_before = std::set_terminate(stay_or_terminate); }
    ~SurvivingTermination() { std::set_terminate(terminate_before); }
    SurvivingTermination(const SurvivingTermination&) = delete;
    SurvivingTermination& operator=(const SurvivingTermination&) = delete;

private:
    [[noreturn]] static void stay_or_terminate() {
        EventLoop* const loop = detail::current_loop;
        if (loop != nullptr && loop->current_ != nullptr && loop->world_->is_tearing_down()) {
            loop->stay();
        }
        terminate_before();
        std::abort();
    }
};

std::size_t EventLoop::tear_down() {
    if (tasks_.empty() && threads_.live().empty() && guests_.empty()) {
        return 0;
    }
    const Running running(*this);
    world_->begin_teardown();
    is_stopping_ = false;
    std::optional<SurvivingTermination> surviving;
    if (world_->is_simulated()) {
        surviving.emplace();
    }
    // Threads first: what they refer to may be a task's. Before them the tasks of the loops that they run.
    std::size_t abandoned = 0;
    for (auto guest = guests_.rbegin(); guest != guests_.rend(); ++guest) {
        detail::current_loop = *guest;
        (*guest)->let_go_of_held();
        abandoned += (*guest)->end_tasks();
        detail::current_loop = this;
    }
    abandoned += tear_down_threads();
    return abandoned + end_tasks();
}

/// Ends the tasks of this loop: cancels, runs, unwinds and at last gives up; returns how many it gave up.
std::size_t EventLoop::end_tasks() {
    std::size_t abandoned = 0;
    for (auto task = tasks_.rbegin(); task != tasks_.rend(); ++task) {
        task->cancel(nullptr);
    }
    // In the real world they may take as many steps as they like; one that waits for nothing the loop knows is unwound.
    run_calmly(world_->is_simulated() ? calm_steps_max : ~std::uint64_t{0} / 2);
    while (!tasks_.empty()) {
        const detail::Ref<detail::TaskBase> task(&tasks_.back());  // the loop lets go of it when it ends
        unwind(*task);
        if (!task->is_done()) {
            abandon(*task);
            ++abandoned;
        }
    }
    return abandoned;
}

void EventLoop::cancel_all_tasks() {
    std::vector<detail::Ref<detail::TaskBase>> left;
    for (auto task = tasks_.rbegin(); task != tasks_.rend(); ++task) {
        left.emplace_back(&*task);
    }
    if (left.empty()) {
        return;
    }
    if (root_ != this) {
        for (const auto& task : left) {
            task->cancel(nullptr);
        }
        stop_after(std::make_shared<const std::vector<detail::Ref<detail::TaskBase>>>(left), 0);
        run_as_guest();
        is_stopping_ = false;
    } else {
        const Running running(*this);
        for (const auto& task : left) {
            task->cancel(nullptr);
        }
        if (run_calmly(world_->is_simulated() ? calm_steps_max : ~std::uint64_t{0} / 2)) {
            run_what_ended_tasks_left();
        }
        is_stopping_ = false;
    }
    for (const auto& task : left) {
        if (task->state() != detail::Waitable::State::finished || task->peek_exception() == nullptr) {
            continue;
        }
        task->mark_retrieved();
        tell_exception(*task, {"unhandled exception while run() cancelled what was left", task->peek_exception(), task->path()});
    }
}

/// Stops the loop when the callbacks of these tasks, from the `next` on, have been called: one after the other, as a count would be
/// something that they share.
void EventLoop::stop_after(std::shared_ptr<const std::vector<detail::Ref<detail::TaskBase>>> tasks, std::size_t next) {
    if (next == tasks->size()) {
        call_soon([this] { stop(); });
        return;
    }
    detail::TaskBase& task = *(*tasks)[next];
    auto go_on = [this, tasks = std::move(tasks), next] { stop_after(tasks, next + 1); };
    const detail::Ref<detail::HandleBase> callback(make_block<detail::FunctionHandle<decltype(go_on)>>(std::move(go_on)));
    task.add_callback(callback.get());
}

/// Calls the callbacks of tasks that have ended: those of this iteration and of two more, as asyncio does when it waits for them.
void EventLoop::run_what_ended_tasks_left() {
    for (int iterations = 0; iterations < 3 && !ready_.empty(); ++iterations) {
        if (ready_.batch_left() == 0) {
            ready_.begin_batch();
        }
        while (ready_.batch_left() != 0) {
            pick_and_step();
        }
    }
}

void EventLoop::at_shutdown(ShutdownPhase phase, std::function<void()> function) {
    shutdown_functions_[static_cast<std::size_t>(phase)].push_back(std::move(function));
}

void EventLoop::run_shutdown() {
    if (!generators_.empty()) {
        at_shutdown(ShutdownPhase::generators, [this] { shutdown_asyncgens(); });
    }
    are_generators_shut_down_ = true;
    for (auto& functions : shutdown_functions_) {
        for (std::function<void()>& function : std::exchange(functions, {})) {
            const auto task = create_task(std::move(function), {.name = "shutdown"});
            run_main(task.state());
            if (task.done() && !task.cancelled() && task.exception() != nullptr) {
                call_exception_handler({"a shutdown function failed", task.exception()});  // the others are called all the same
            }
        }
    }
}

void EventLoop::run_to_quiescence() {
    const Running running(*this);
    const std::uint64_t end = world_->steps() + calm_steps_max;
    while (world_->steps() < end) {
        if (threads_.is_active()) {
            is_stopping_ = false;
            if (step_with_threads(false).has_value()) {
                return;
            }
        } else if (ready_.batch_left() == 0) {
            is_stopping_ = false;
            if (!begin_iteration()) {
                return;
            }
        } else if (!pick_and_step()) {
            return;
        }
    }
}

void EventLoop::run_until(VirtualTime when) {
    detail::invariant(world_->is_simulated(), "only a simulated clock can be moved");
    const std::int64_t when_ns = when.time_since_epoch().count();
    const Running running(*this);
    while (!world_->has_failed()) {
        is_stopping_ = false;
        if (ready_.batch_left() != 0) {
            pick_and_step();
        } else if ((ready_.empty() && (timers_.empty() || timers_.earliest() > when_ns)) || !begin_iteration()) {
            break;
        }
    }
    if (world_->now_ns() < when_ns) {
        world_->move_clock(when_ns);
    }
}

/// Runs what is ready, calmly; the clock moves as far as the tasks that leave make it.
bool EventLoop::run_calmly(std::uint64_t steps_max) {
    const std::uint64_t end = world_->steps() + steps_max;
    while (!tasks_.empty() && world_->steps() < end) {
        if (ready_.batch_left() == 0) {
            if (!world_->is_simulated()) {
                drain_threadsafe();
            }
            if (!world_->is_simulated() && ready_.empty() && timers_.empty()) {
                return false;
            }
            is_stopping_ = false;  // main's end asks to stop, and others may have to be waited for
            if (!begin_iteration()) {
                return false;
            }
            if (ready_.batch_left() == 0) {
                continue;
            }
        }
        pick_and_step();
    }
    return tasks_.empty();
}

/// Resumes a task once more, so that its wait throws what nobody catches by name.
void EventLoop::unwind(detail::TaskBase& task) {
    task.is_abandoning = true;
    refusals_ = 0;
    if (ready_.contains(task)) {
        ready_.remove(task);
        ready_.end_batch();
    }
    world_->begin_step({task.entity.key, ++task.entity.step}, &task.entity.chain);
    run_task(task);
    ready_.end_batch();
}

/// Gives up a task that would not end: its stack is never used again, and nobody touches it.
void EventLoop::abandon(detail::TaskBase& task) {
    if (task.context != nullptr) {
        fibers_->quarantine(*task.context);
    }
    if (ready_.contains(task)) {
        ready_.remove(task);
    }
    tasks_.erase(tasks_.iterator_to(task));
}

/// A task that is being unwound tries to wait: its wait throws, unless that would end the program (it is in a
/// destructor) or it has caught too many already; then it stays where it is for good.
void EventLoop::refuse_to_wait() {
    if (std::uncaught_exceptions() > 0 || ++refusals_ > refusals_max) {
        stay();
    }
    throw detail::TaskAbandoned();
}

void EventLoop::stay() {
    for (;;) {
        suspend();
    }
}

void EventLoop::park_failed() {
    if (current_ == nullptr) {
        throw detail::TaskAbandoned();  // in a callback: its trampoline knows it
    }
    detail::TaskBase& task = *current_;
    while (!task.is_abandoning) {
        suspend();
    }
    refuse_to_wait();
}

}  // namespace mishap
