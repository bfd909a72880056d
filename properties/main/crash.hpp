#pragma once

#include <string>
#include <string_view>

#include "supervisor.hpp"

namespace mishap::detail {

/// Returns whether the worker did not end as it should have.
bool has_died(const WorkerEnd& end);

/// Returns the finding that a worker died.
Finding describe_death(const WorkerEnd& end);

/// Makes a tape file of what a dead process left of its run in flight, and removes what it left. Returns the file's path, or
/// nothing when there was no tape; `details` gets a line about it.
std::string keep_tape(const std::string& out, const std::string& scenario, pid_t process, const Finding& finding,
                      std::vector<std::string>& details);

/// Looks below `out` for tapes that processes left which died before anybody could care for them, as in a debugger or when
/// the machine killed them all, turns them into tape files, and tells how to replay them.
void recover_leftovers(const std::string& out, std::string_view replay_command);

}  // namespace mishap::detail
