#pragma once

#include <mishap/loop/task.hpp>

namespace mishap::detail {

/// While it lives, the first SIGINT cancels a task of a loop that runs in the real world, and another one ends the process.
///
/// Only in the main thread, and only where SIGINT would have ended the process: whoever handles it goes on doing so.
///
/// Source:    asyncio.Runner, CPython 3.13, where the second one raises KeyboardInterrupt wherever the program is.
class Interrupts {
public:
    Interrupts(EventLoop& loop, const AnyTask& main);
    ~Interrupts();
    Interrupts(const Interrupts&) = delete;
    Interrupts& operator=(const Interrupts&) = delete;

    /// Throws KeyboardInterrupt when it was SIGINT alone that cancelled the task, which has ended as cancelled.
    void throw_if_interrupted() const;

private:
    AnyTask main_;
    EventLoop* loop_ = nullptr;  // null: SIGINT is none of its business
    bool has_come_ = false;
    bool is_late_ = false;  // it came when the task was over
};

}  // namespace mishap::detail
