#include <mishap/loop/call_graph.hpp>

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <mishap/loop/event_loop.hpp>

namespace mishap {

namespace {

/// Returns whether `task` cannot go on before `awaited` has ended.
bool awaits(const detail::TaskBase& task, const detail::FutureBase& awaited) {
    if (task.is_done() || task.waiting_on == nullptr) {
        return false;
    }
    if (task.waiting_on == &awaited) {
        return true;
    }
    detail::WaitExplanation explanation;
    task.waiting_on->explain(explanation);
    return explanation.is_join &&
           std::any_of(explanation.holders.begin(), explanation.holders.end(),
                       [&](const detail::TaskBase* holder) { return static_cast<const detail::FutureBase*>(holder) == &awaited; });
}

/// Walks from what is awaited to who awaits it.
class Walk {
public:
    Walk(EventLoop& loop, std::size_t limit) : loop_(loop), limit_(limit) {}

    FutureCallGraph from(const detail::FutureBase& future) {
        FutureCallGraph graph;
        if (future.is_task()) {
            const auto& task = static_cast<const detail::TaskBase&>(future);
            graph.name = task.displayed_name();
            for (const detail::AwaitFrame* frame = task.frames; frame != nullptr && graph.call_stack.size() < limit_;
                 frame = frame->outer) {
                graph.call_stack.push_back({frame->operation, frame->place});
            }
        }
        path_.push_back(&future);
        loop_.for_each_task_and_thread([&](const detail::TaskBase& task) {
            if (!awaits(task, future)) {
                return;
            }
            if (std::find(path_.begin(), path_.end(), &task) != path_.end()) {
                graph.awaited_by.push_back({task.displayed_name(), {}, {}});  // they wait for each other
            } else {
                graph.awaited_by.push_back(from(task));
            }
        });
        path_.pop_back();
        return graph;
    }

private:
    EventLoop& loop_;
    std::size_t limit_;
    std::vector<const detail::FutureBase*> path_;
};

void format(const FutureCallGraph& graph, const std::string& indent, std::string& text) {
    text += indent + (graph.name.empty() ? std::string("* Future") : fmt::format("* Task '{}'", graph.name)) + "\n";
    if (!graph.call_stack.empty()) {
        text += indent + "  + Call stack:\n";
        for (const FrameCallGraphEntry& frame : graph.call_stack) {
            text += fmt::format("{}  |   {}{}{}\n", indent, frame.operation, frame.place.file[0] != '\0' ? " at " : "",
                                frame.place.file[0] != '\0' ? fmt::format("{}:{}", frame.place.file, frame.place.line) : "");
        }
    }
    if (!graph.awaited_by.empty()) {
        text += indent + "  + Awaited by:\n";
        for (const FutureCallGraph& who : graph.awaited_by) {
            format(who, indent + "     ", text);
        }
    }
}

}  // namespace

FutureCallGraph capture_call_graph(const detail::AnyFuture& future, std::optional<std::size_t> limit) {
    return Walk(detail::running_loop("capture_call_graph()"), limit.value_or(~std::size_t{0})).from(future.state());
}

std::optional<FutureCallGraph> capture_call_graph() {
    const AnyTask task = current_task();
    return task.is_valid() ? std::optional(capture_call_graph(task)) : std::nullopt;
}

std::string format_call_graph(const FutureCallGraph& graph) {
    std::string text;
    format(graph, "", text);
    return text;
}

std::string format_call_graph(const detail::AnyFuture& future) { return format_call_graph(capture_call_graph(future)); }

void print_call_graph(const detail::AnyFuture& future) { std::fputs(format_call_graph(future).c_str(), stderr); }

}  // namespace mishap
