#pragma once

#include <mishap/loop/event_loop.hpp>

namespace mishap::detail {

/// Adds a level to the await stack of the current task for as long as it lives: "gather", "timeout".
class AwaitScope {
public:
    AwaitScope(TaskBase& task, const char* operation, Place place) : task_(task), frame_{operation, place, task.frames} {
        task_.frames = &frame_;
    }
    ~AwaitScope() { task_.frames = frame_.outer; }
    AwaitScope(const AwaitScope&) = delete;
    AwaitScope& operator=(const AwaitScope&) = delete;

private:
    TaskBase& task_;
    AwaitFrame frame_;
};

}  // namespace mishap::detail
