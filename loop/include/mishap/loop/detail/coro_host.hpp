#pragma once

#include <coroutine>
#include <exception>

namespace mishap::detail {

/// What a coroutine wants done while it is suspended: a function that may wait, and its argument.
struct HostRequest {
    void (*perform)(void* argument) = nullptr;
    void* argument = nullptr;
};

/// Runs a chain of coroutines from the base frame of one task.
///
/// A coroutine that awaits suspends for real and leaves a request; the host performs it, waiting on the task's stack, and
/// resumes the innermost coroutine. A coroutine that awaits another, or ends, names whom to resume next. So a chain of any
/// depth takes one frame of stack, in every build: symmetric transfer is a jump only where the compiler optimises, and in
/// other builds a mere loop over short coroutines would use up a task's stack.
class CoroHost {
public:
    /// Runs `outermost` to its end.
    void run(std::coroutine_handle<> outermost);

    /// Remembers whom to resume when `request` is done; called as a coroutine suspends.
    void suspend(std::coroutine_handle<> innermost, HostRequest request) {
        innermost_ = innermost;
        request_ = request;
    }
    /// Resumes `next` as soon as the running coroutine has suspended; null when the outermost has ended.
    void go_on_with(std::coroutine_handle<> next) noexcept { innermost_ = next; }
    /// Rethrows what the request threw; called as the coroutine resumes.
    void rethrow_if_failed();

private:
    std::coroutine_handle<> innermost_;
    HostRequest request_;
    std::exception_ptr failure_;
};

/// Memory for coroutine frames, from the pool of the thread.
void* allocate_frame(std::size_t size);
void release_frame(void* frame);
/// Returns whether the run that a frame belongs to is still alive.
bool is_frame_alive(void* frame, unsigned run);
unsigned run_of_frame(void* frame);

[[noreturn]] void empty_coro();
/// Tells that a coroutine goes that nobody ever awaited.
[[gnu::cold]] void never_awaited();

}  // namespace mishap::detail
