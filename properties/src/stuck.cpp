// What is said when tasks wait for each other, or for something that cannot come.

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <mishap/properties/detail/body_program.hpp>

namespace mishap::detail {

namespace {

struct Wait {
    const TaskBase* task = nullptr;
    WaitExplanation explanation;

    /// Returns whether the task waits for the end of others: then their waits are the ones to look at.
    bool is_join() const { return explanation.is_join; }
};

/// Makes a loop the current one while its objects explain themselves: it runs no more, but they ask it for tasks and names.
class AsCurrent {
public:
    explicit AsCurrent(EventLoop& loop) : before_(std::exchange(current_loop, &loop)) {}
    ~AsCurrent() { current_loop = before_; }
    AsCurrent(const AsCurrent&) = delete;
    AsCurrent& operator=(const AsCurrent&) = delete;

private:
    EventLoop* before_;
};

std::vector<Wait> blocked_waits(EventLoop& loop) {
    const AsCurrent as_current(loop);
    std::vector<Wait> waits;
    loop.for_each_task_and_thread([&](const TaskBase& task) {
        if (!task.is_done() && task.waiting_on != nullptr) {
            Wait wait{&task, {}};
            task.waiting_on->explain(wait.explanation);
            waits.push_back(std::move(wait));
        }
    });
    return waits;
}

const Wait* find(const std::vector<Wait>& waits, const TaskBase* task) {
    const auto found = std::find_if(waits.begin(), waits.end(), [&](const Wait& wait) { return wait.task == task; });
    return found != waits.end() ? &*found : nullptr;
}

/// Extends `path`, which ends with the task of `at`, until somebody waits for the first task of it; false: nobody does.
bool close_cycle(const std::vector<Wait>& waits, const Wait& at, std::vector<const TaskBase*>& path,
                 std::vector<const TaskBase*>& seen) {
    for (const TaskBase* holder : at.explanation.holders) {
        if (holder == path.front()) {
            return true;
        }
        const Wait* const next = find(waits, holder);
        if (next == nullptr || std::find(seen.begin(), seen.end(), holder) != seen.end()) {
            continue;
        }
        seen.push_back(holder);
        path.push_back(holder);
        if (close_cycle(waits, *next, path, seen)) {
            return true;
        }
        path.pop_back();
    }
    return false;
}

/// Returns the tasks of a cycle in "waits for something that ... holds", beginning with its oldest; empty: there is none.
std::vector<const TaskBase*> find_cycle(const std::vector<Wait>& waits) {
    for (const Wait& start : waits) {
        std::vector<const TaskBase*> path{start.task};
        std::vector<const TaskBase*> seen{start.task};
        if (close_cycle(waits, start, path, seen)) {
            return path;
        }
    }
    return {};
}

std::string names_of(const std::vector<const TaskBase*>& tasks) {
    std::string text;
    for (const TaskBase* task : tasks) {
        text += (text.empty() ? "" : ", ") + task->path();
    }
    return text;
}

Finding make_finding(const std::vector<Wait>& waits, std::string what, std::string label) {
    Finding finding{.kind = FindingKind::stuck, .what = std::move(what), .label = std::move(label)};
    for (const Wait& wait : waits) {
        std::string line = fmt::format("{} waits for {}", wait.task->path(), wait.explanation.what);
        if (!wait.explanation.holders.empty() && !wait.is_join()) {
            line += ", held by " + names_of(wait.explanation.holders);
        }
        if (wait.explanation.is_available) {
            line += ", which is free";
        }
        if (!wait.explanation.state.empty()) {
            line += fmt::format(" [{}]", wait.explanation.state);
        }
        finding.details.push_back(line);
        finding.details.push_back("    in " + await_stack(*wait.task));
    }
    return finding;
}

/// Returns whether a wait is what an injected cancellation leads to in a correct program: only the victim could have
/// ended it.
bool is_excused(const Wait& wait, const EventLoop& loop) {
    if (wait.is_join() || wait.explanation.is_signal) {
        return !wait.explanation.is_available;
    }
    return wait.explanation.maker != 0 && loop.is_victim(wait.explanation.maker);
}

}  // namespace

std::string await_stack(const TaskBase& task) {
    std::vector<const AwaitFrame*> frames;
    for (const AwaitFrame* frame = task.frames; frame != nullptr; frame = frame->outer) {
        frames.push_back(frame);
    }
    std::string text;
    for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
        text += text.empty() ? "" : " > ";
        text += (*frame)->operation;
        if ((*frame)->place.line != 0) {
            text += fmt::format(" at {}:{}", (*frame)->place.file, (*frame)->place.line);
        }
    }
    return text.empty() ? "nothing that waits" : text;
}

std::optional<Finding> explain_stuck(EventLoop& loop) {
    const std::vector<Wait> waits = blocked_waits(loop);
    const std::vector<const TaskBase*> cycle = find_cycle(waits);
    const bool has_victims = loop.world().spent().cancellations != 0 || loop.world().spent().sweeps != 0;
    if (has_victims && cycle.empty() &&
        std::all_of(waits.begin(), waits.end(), [&](const Wait& wait) { return is_excused(wait, loop); })) {
        return std::nullopt;
    }
    std::string what = fmt::format("{} task{} can never go on", waits.size(), waits.size() == 1 ? "" : "s");
    if (cycle.size() == 1) {
        what = "a task waits for itself";
    } else if (!cycle.empty()) {
        what = fmt::format("{} tasks wait for each other", cycle.size());
    }
    Finding finding = make_finding(waits, std::move(what), cycle.empty() ? "stuck" : "cycle");
    if (!cycle.empty()) {
        std::string line = "cycle: ";
        for (const TaskBase* task : cycle) {
            line += task->path() + " -> ";
            finding.tasks.push_back(task->path());
        }
        finding.details.push_back(line + cycle.front()->path());
    } else {
        for (const Wait& wait : waits) {
            if (!wait.is_join()) {
                finding.tasks.push_back(wait.task->path());
            }
        }
    }
    for (const Wait& wait : waits) {
        if (!wait.is_join() && wait.task->frames != nullptr) {
            finding.place = wait.task->frames->place;
            break;
        }
    }
    return finding;
}

std::optional<Finding> explain_stranded(EventLoop& loop) {
    std::vector<Wait> waits = blocked_waits(loop);
    std::erase_if(waits, [](const Wait& wait) { return !wait.explanation.is_available; });
    if (waits.empty()) {
        return std::nullopt;
    }
    Finding finding = make_finding(waits, "a task waits for something that is free", "stranded");
    for (const Wait& wait : waits) {
        finding.tasks.push_back(wait.task->path());
    }
    return finding;
}

}  // namespace mishap::detail
