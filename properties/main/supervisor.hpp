#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <mishap/properties/detail/watchdog.hpp>
#include <mishap/sim/explorer.hpp>
#include <sys/types.h>

#include "outcome.hpp"

namespace mishap::detail {

/// What became of a process that worked for this one.
struct WorkerEnd {
    unsigned worker = 0;
    pid_t process = 0;
    int status = 0;                     // as waitpid gives it
    std::optional<Outcome> outcome;     // none: it died before it was done
    std::optional<LastWord> last_word;  // if it had time for one
};

/// What the supervisor does beside waiting.
struct Supervision {
    /// Runs in the worker; progress goes to `fd`.
    std::function<Outcome(unsigned worker, int fd)> work;
    std::function<void(const Progress& total)> on_progress = {};
    std::function<void(const WorkerEnd& end)> on_end = {};
    /// Cleans up after a worker that was killed because the user interrupted this process.
    std::function<void(pid_t process)> on_interrupt = {};
};

/// Forks `count` workers and waits until all have ended; a worker that dies takes nobody along.
///
/// Throws:    UsageError as a worker did; std::runtime_error when a worker failed for another reason.
std::vector<WorkerEnd> supervise(unsigned count, const Supervision& supervision);

}  // namespace mishap::detail
