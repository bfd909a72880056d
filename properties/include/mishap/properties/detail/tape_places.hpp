#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <sys/types.h>

#include <mishap/sim/finding.hpp>
#include <mishap/sim/tape_file.hpp>

namespace mishap::detail {

// Where the tapes of a scenario lie: `<out>/<scenario>/<hash of the finding's signature>.tape`, and while a process makes
// runs `<out>/<scenario>/in-flight-<pid>.tape`.

std::filesystem::path tape_folder(const std::string& out, const std::string& scenario);
std::filesystem::path tape_path(const std::string& out, const std::string& scenario, const Finding& finding);
std::filesystem::path in_flight_path(const std::string& out, const std::string& scenario, pid_t process);

/// Reads a tape file, or what a process that died left of the tape of its run.
///
/// Throws:    UsageError if it is neither, or cannot be read.
TapeFile read_any_tape(const std::filesystem::path& path);

/// Returns `text` as one word for a POSIX shell; as it is when it needs no quotes.
std::string shell_word(std::string_view text);

}  // namespace mishap::detail
