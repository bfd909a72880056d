#pragma once

#include <chrono>
#include <string>

#include <mishap/sim/world.hpp>

namespace mishap::detail {

/// Notices a step that never returns.
///
/// A timer looks again and again whether the run has made a step; when one has taken longer than the limit, it prints what
/// is running, its stack and where its tape is, and ends the process with exit code 1: the run cannot be unwound.
class Watchdog {
public:
    /// `limit` is real time, 0: never. `tape_path` is the file that holds the tape of the run in flight; empty: none.
    Watchdog(const World& world, const std::string& name, const std::string& tape_path, std::chrono::nanoseconds limit);
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

private:
    bool is_armed_ = false;
};

/// What a process says to its supervisor, in one byte, before it ends in the middle of a run.
enum class LastWord : char { hung = 'h', stack_overflow = 'o', mishap_bug = 'b' };

/// Makes this process send its last word to `fd` and leave the tape of the run in flight to whoever reads that.
void set_supervisor(int fd);

/// Makes a contradiction in the library end the process with `exit_code` instead of aborting it.
void set_exit_code_of_mishap_bugs(int exit_code) noexcept;

}  // namespace mishap::detail
