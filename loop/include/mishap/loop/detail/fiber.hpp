#pragma once

#include <vector>

#include <mishap/loop/detail/context_switch.hpp>
#include <mishap/loop/detail/stack_pool.hpp>
#include <mishap/loop/detail/thread_state.hpp>

namespace mishap::detail {

class TaskBase;
class Fiber;

/// The loop's side of all switches.
struct Hub {
    Context context;
    Fiber* ended = nullptr;  // whose task has ended, when the hub is switched to
};

/// A stack on which tasks run, one after another: what finishes leaves it to the next, without building it anew.
///
/// It is used when a task begins and ends. While the task lasts, everything that a switch needs lies in the frame that
/// suspended it: one cache line less to wait for at each resumption.
class Fiber {
public:
    Context context;           // of an idle fiber; elsewhere than on x86-64 also of one whose task is suspended
    TaskBase* task = nullptr;  // whom it runs; null while idle
    Hub* hub = nullptr;
    Stack* stack = nullptr;
};

/// Keeps the fibers of a thread. Idle ones are reused last in first out, while their stacks are in the cache.
class FiberPool {
public:
    explicit FiberPool(const StackOptions& options) : stacks_(options) {}
    FiberPool(const FiberPool&) = delete;
    FiberPool& operator=(const FiberPool&) = delete;

    /// Returns a fiber that will run `task` when it is switched to.
    Fiber* acquire(TaskBase& task, Hub& hub) {
        if (idle_.empty()) [[unlikely]] {
            make();
        }
        Fiber* const fiber = idle_.back();
        idle_.pop_back();
        fiber->task = &task;
        fiber->hub = &hub;
        return fiber;
    }
    /// Takes back a fiber whose task is done.
    void release(Fiber* fiber) { idle_.push_back(fiber); }
    /// Keeps the fiber of an abandoned task, which was suspended with `context`, from ever running again.
    void quarantine(const Context& context);

    /// Changes which stacks the next tasks get: a program that depends on addresses is to behave differently then.
    void shuffle();

    const StackPool& stacks() const { return stacks_; }

private:
    void make();

    StackPool stacks_;
    std::vector<Fiber*> idle_;
};

/// Returns this thread's fibers, made with the options of `stack_options()`.
FiberPool& fiber_pool();

/// Sets how the stacks of this thread will be made; before its first task.
///
/// Throws:    UsageError when fibers exist already.
void set_stack_options(const StackOptions& options);

}  // namespace mishap::detail
