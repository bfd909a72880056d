#pragma once

#include <mishap/loop/detail/stack_pool.hpp>

namespace mishap::detail {

/// Writes more about the running task to `fd`; called in a signal handler, so only with async-signal-safe
/// functions.
using OverflowDetails = void (*)(int fd) noexcept;

/// Makes an access to the guard below a fiber's stack end the process with a message and exit code 1.
///
/// To be called on each thread that runs fibers, before it runs them; cheap to repeat, at a few system calls,
/// and worth repeating, because test frameworks install handlers of their own for a while. The handler is the
/// process's and stays. It hands every other SIGSEGV and SIGBUS to the handler it found (a sanitizer's, for
/// example), or lets the default action happen.
void watch_stack_overflows();

/// Sets what is written after the message, for all threads; nullptr for nothing.
void set_overflow_details(OverflowDetails details) noexcept;

/// Writes the message to standard error and ends the process with exit code 1; async-signal-safe.
[[noreturn]] void report_stack_overflow(const Stack& stack) noexcept;

}  // namespace mishap::detail
