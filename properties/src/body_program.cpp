#include <mishap/properties/detail/body_program.hpp>

#include <fmt/format.h>

namespace mishap::detail {

namespace {

/// Returns what a blocked task or thread would do if it could go on.
Announcement pending_of(EventLoop& loop, const TaskBase& task) {
    if (task.is_thread) {
        return static_cast<const ThreadBase&>(task).next;
    }
    if (loop.threads().held() == &task) {
        return loop.threads().held_next();
    }
    return Announcement({.object = task.waiting_on->key, .access = Access::read, .may_block = true});
}

/// Returns whether it is a thread that serves whoever comes, and nobody has.
bool is_idle(const TaskBase& task) {
    return task.is_thread && static_cast<const ThreadBase&>(task).may_idle && task.waiting_on != nullptr;
}

std::string describe_swept(const World& world) {
    const World::SweptAwait& swept = world.swept();
    const char* const verb = world.options().sweep == Sweep::cancel    ? "was cancelled"
                             : world.options().sweep == Sweep::timeout ? "timed out"
                                                                       : "failed";
    return fmt::format("await {} {}: {}", swept.number, verb, describe_await(swept.operation, swept.place, swept.task));
}

}  // namespace

std::string describe_await(const char* operation, const Place& place, const std::string& task) {
    std::string text = operation;
    if (place.line != 0) {
        text += fmt::format(" at {}:{}", place.file, place.line);
    }
    return text + " in " + task;
}

void BodyProgram::run(World& world) {
    if (options_.reset) {
        options_.reset();
    }
    loop_.begin_run();
    {
        const Task<void> main = loop_.create_task([this] { body_(); }, {.name = "main"});
        const EventLoop::Outcome outcome = loop_.run_main(main.state());
        if (!world.has_failed() && !world.choices().is_abandoned()) {
            judge(world, main.state(), outcome);
        }
        if (world.has_failed() && world.swept().number != 0) {
            world.add_to_finding(describe_swept(world));
        }
        world.end_verdict();
        const std::size_t abandoned = loop_.tear_down();
        if (abandoned != 0) {
            world.note({FindingKind::leaked_task, fmt::format("{} task{} refused to end when the run was over", abandoned,
                                                              abandoned == 1 ? "" : "s")});
        }
    }
    loop_.end_run();
}

void BodyProgram::judge(World& world, FutureBase& main, EventLoop::Outcome outcome) {
    if (outcome == EventLoop::Outcome::stuck) {
        loop_.for_each_task_and_thread([&](const TaskBase& task) {
            if (!task.is_done() && task.waiting_on != nullptr) {
                world.tell_blocked({task.entity.key, task.entity.step}, pending_of(loop_, task));
            }
        });
        if (std::optional<Finding> finding = explain_stuck(loop_)) {
            world.fail(std::move(*finding));
        }
        return;
    }
    main.mark_retrieved();
    if (main.state() == Waitable::State::cancelled) {
        if (world.spent().cancellations != 0 || world.spent().sweeps != 0) {
            judge_cancelled_main(world);
        } else {
            world.fail({.kind = FindingKind::exception, .what = "the program ended with CancelledError", .label = "CancelledError"});
        }
        return;
    }
    if (world.spent().sweeps != 0 && is_injected(main.peek_exception())) {
        judge_cancelled_main(world);
        return;
    }
    if (main.peek_exception() != nullptr) {
        const std::string what = describe_exception(main.peek_exception());
        world.fail({.kind = FindingKind::exception,
                    .what = fmt::format("the program ended with {}", what),
                    .label = what.substr(0, what.find(": "))});
        return;
    }
    note_leftovers(world);
}

/// A cancellation or an error that was injected has come out of main: nobody's fault. What goes on must still be right.
void BodyProgram::judge_cancelled_main(World& world) {
    world.choices().be_calm();
    loop_.run_to_quiescence();
    if (world.has_failed() && (world.finding()->kind == FindingKind::over_budget ||
                               world.finding()->kind == FindingKind::livelock)) {
        world.withdraw_finding();  // a task that never rests is at home in a program whose main has ended
    }
    if (!world.has_failed()) {
        if (std::optional<Finding> finding = explain_stranded(loop_)) {
            world.fail(std::move(*finding));
        }
    }
}

void BodyProgram::note_leftovers(World& world) {
    loop_.for_each_task_and_thread([&](const TaskBase& task) {
        if (task.is_done() || is_idle(task)) {
            return;
        }
        const std::string what = fmt::format("{} {} was still alive when the program ended: {}",
                                             task.is_thread ? "thread" : "task", task.segment(), await_stack(task));
        if (options_.leaks_are_findings) {
            world.fail({.kind = FindingKind::leaked_task, .what = what, .label = "leaked task", .tasks = {task.path()}});
        } else {
            world.note({FindingKind::leaked_task, what});
        }
    });
    if (options_.leaks_are_findings) {
        for (const Note& note : world.notes()) {
            const bool is_leak = note.kind == FindingKind::never_retrieved || note.kind == FindingKind::never_awaited ||
                                 note.kind == FindingKind::unclosed;
            if (is_leak) {
                const bool is_retrieval = note.kind == FindingKind::never_retrieved;
                world.fail({.kind = note.kind, .what = note.what, .label = is_retrieval ? "never retrieved" : to_text(note.kind)});
            }
        }
    }
}

}  // namespace mishap::detail
