#pragma once

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace mishap {

/// Is thrown into a task that was cancelled. Not a `std::exception`, so that handlers of errors let it pass.
///
/// Source:    asyncio.CancelledError (a BaseException there, for the same reason).
class CancelledError {
public:
    explicit CancelledError(std::string message = {}) : message_(std::move(message)) {}
    /// Returns what was given to `cancel`.
    const std::string& message() const noexcept { return message_; }
    const char* what() const noexcept { return message_.c_str(); }

private:
    std::string message_;
};

/// Says that a future was asked for what its state does not allow.
class InvalidStateError : public std::logic_error {
public:
    using std::logic_error::logic_error;
};

/// Says that a deadline came before the work was done.
class TimeoutError : public std::runtime_error {
public:
    explicit TimeoutError(const std::string& what = "timed out") : std::runtime_error(what) {}
};

/// Says that SIGINT ended a `run`: it cancelled the main task, which then ended.
///
/// Source:    KeyboardInterrupt, as raised by asyncio.Runner.
class KeyboardInterrupt : public std::runtime_error {
public:
    KeyboardInterrupt() : std::runtime_error("interrupted by SIGINT") {}
};

/// Is what an await throws when a sweep lets it fail: it stands for any error that the operation may end with.
class InjectedFailure : public std::runtime_error {
public:
    explicit InjectedFailure(const std::string& what = "injected by mishap") : std::runtime_error(what) {}
};

/// Carries the failures of several tasks.
///
/// Source:    BaseExceptionGroup, as raised by asyncio.TaskGroup.
class ExceptionGroup : public std::runtime_error {
public:
    ExceptionGroup(const std::string& what, std::vector<std::exception_ptr> exceptions);
    /// Returns the failures, in the order in which they happened.
    const std::vector<std::exception_ptr>& exceptions() const noexcept { return exceptions_; }

private:
    std::vector<std::exception_ptr> exceptions_;
};

/// Returns what can be said of an exception in one line: its type and its text.
std::string describe_exception(const std::exception_ptr& exception);

namespace detail {

/// The TimeoutError of a sweep, known from those of the program.
class InjectedTimeout final : public TimeoutError {
public:
    InjectedTimeout() : TimeoutError("timed out (injected by mishap)") {}
};

/// Returns whether `exception` is what a sweep has let an await throw, or a group or chain of exceptions that leads to
/// nothing else.
bool is_injected(const std::exception_ptr& exception);

/// Returns the message of cancellations that are injected.
const std::string& injected_message();

/// Unwinds the stack of a task that is given up during teardown; private, so that no handler names it.
struct TaskAbandoned {};

}  // namespace detail
}  // namespace mishap
