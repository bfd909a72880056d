#pragma once

#include <functional>

#include <mishap/loop/event_loop.hpp>
#include <mishap/properties/options.hpp>
#include <mishap/sim/explorer.hpp>

namespace mishap::detail {

/// A function of the user as a program: runs it as the first task of a loop, and judges how that ended.
class BodyProgram final : public Program {
public:
    BodyProgram(const std::function<void()>& body, const ExploreOptions& options, World& world)
        : body_(body), options_(options), loop_(world) {}

    void run(World& world) override;

private:
    void judge(World& world, FutureBase& main, EventLoop::Outcome outcome);
    void judge_cancelled_main(World& world);
    void note_leftovers(World& world);

    const std::function<void()>& body_;
    const ExploreOptions& options_;
    EventLoop loop_;
};

/// Returns what to say of a run in which tasks are alive and nothing can wake them. Nothing, when injected cancellations
/// explain it: the victims alone could have done what is waited for.
std::optional<Finding> explain_stuck(EventLoop& loop);

/// Returns what to say of live tasks that wait for something that is there to be had.
std::optional<Finding> explain_stranded(EventLoop& loop);

/// Returns an await in words: "Lock.acquire at b.cpp:7 in main/worker".
std::string describe_await(const char* operation, const Place& place, const std::string& task);

/// Returns what a task is doing, outermost first: "gather at a.cpp:3 > Lock.acquire at b.cpp:7".
std::string await_stack(const TaskBase& task);

}  // namespace mishap::detail
