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
/// resumes the innermost coroutine. So a chain of any depth takes one frame of stack.
class CoroHost {
public:
    /// Runs `outermost` to its end.
    void run(std::coroutine_handle<> outermost);

    /// Remembers whom to resume when `request` is done; called as a coroutine suspends.
    void suspend(std::coroutine_handle<> innermost, HostRequest request) {
        innermost_ = innermost;
        request_ = request;
    }
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

}  // namespace mishap::detail
