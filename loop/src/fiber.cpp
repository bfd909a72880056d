#include <mishap/loop/detail/fiber.hpp>

#include <algorithm>
#include <cerrno>
#include <new>

#include <mishap/loop/detail/immortal.hpp>
#include <mishap/loop/task.hpp>
#include <mishap/sim/errors.hpp>

namespace mishap::detail {

namespace {

/// Runs the tasks that a fiber is given, one after another, for as long as the thread lives.
void fiber_main(void* argument) {
    Fiber& fiber = *static_cast<Fiber*>(argument);
    for (;;) {
        TaskBase& task = *fiber.task;
        errno = 0;  // what the task before left must not be seen
        // One of the two places where the library catches what user code throws (the other runs callbacks).
        try {
            task.run_body();
            task.finish_normally();
        } catch (...) {
            task.finish_with_current_exception();
        }
        fiber.task = nullptr;
        fiber.hub->ended = &fiber;
        switch_context(fiber.context, fiber.hub->context);
    }
}

StackOptions& options_of_thread() {
    static thread_local StackOptions options;
    return options;
}

FiberPool*& pool_of_thread() {
    static thread_local FiberPool* pool = nullptr;
    return pool;
}

}  // namespace

void FiberPool::make() {
    Stack* const stack = stacks_.acquire();
    // The fiber lies on top of its own stack: that page is touched anyway.
    auto* const place = stack->top - (sizeof(Fiber) + 15) / 16 * 16;
    Fiber* const fiber = new (place) Fiber;
    fiber->stack = stack;
    Stack usable = *stack;
    usable.top = place;
    make_context(fiber->context, usable, fiber_main, fiber);
    idle_.push_back(fiber);
}

void FiberPool::shuffle() {
    constexpr std::size_t idle_min = 8;
    while (idle_.size() < idle_min) {
        make();
    }
    std::rotate(idle_.begin(), idle_.begin() + static_cast<std::ptrdiff_t>(idle_.size() / 3 + 1), idle_.end());
}

void FiberPool::quarantine(const Context& context) { stacks_.quarantine(stacks_.find_by_content(&context)); }

FiberPool& fiber_pool() {
    FiberPool*& pool = pool_of_thread();
    if (pool == nullptr) {
        pool = make_immortal<FiberPool>(options_of_thread());  // lives as long as the thread: abandoned stacks stay mapped
    }
    return *pool;
}

void set_stack_options(const StackOptions& options) {
    if (pool_of_thread() != nullptr) {
        throw UsageError(
            "the stack options were set after the first task of this thread; set them before anything runs, or with the "
            "environment variable MISHAP_STACK_SIZE");
    }
    options_of_thread() = options;
}

}  // namespace mishap::detail
