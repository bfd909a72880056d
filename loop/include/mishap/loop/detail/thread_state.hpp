// What the C++ runtime and the C library keep once a thread but every fiber needs for itself: the exceptions
// being handled or thrown, and errno. Without this, two fibers suspended inside `catch` rethrow each other's
// exception.
//
// The hub is such a party too, as `run` may be called inside `catch`. So the loop parks its own state on
// entry and resumes it on exit; a fiber resumes its state (at first a fresh one) after every arrival and
// parks it before leaving.
//
// Invariant: while no fiber runs, the thread has no exception in flight.

#pragma once

namespace mishap::detail {

/// The head of `__cxa_eh_globals`, whose layout the Itanium C++ ABI fixes (Exception Handling, 2.2.2).
struct ExceptionGlobals {
    void* caught = nullptr;
    unsigned int uncaught = 0;
};

/// Where this thread keeps its state.
struct ThreadGlobals {
    ExceptionGlobals* exception_globals = nullptr;
    int* errno_address = nullptr;
};

/// Looks the addresses up, once for each entry of a loop.
ThreadGlobals capture_thread_globals() noexcept;

/// What was moved out of the thread: `caught` and `uncaught` are empty unless an exception was in flight.
struct SavedState {
    void* caught;
    unsigned int uncaught;
    int error_number;
};

/// Moves the thread's state into `saved`.
inline void park_state(const ThreadGlobals& thread, SavedState& saved) noexcept {
    ExceptionGlobals& current = *thread.exception_globals;
    saved = {current.caught, current.uncaught, *thread.errno_address};
    if (saved.caught != nullptr || saved.uncaught != 0) [[unlikely]] {
        current = ExceptionGlobals{};
    }
}

/// Moves `saved` back into the thread.
inline void resume_state(const ThreadGlobals& thread, const SavedState& saved) noexcept {
    *thread.errno_address = saved.error_number;
    if (saved.caught != nullptr || saved.uncaught != 0) [[unlikely]] {
        *thread.exception_globals = {saved.caught, saved.uncaught};
    }
}

}  // namespace mishap::detail
