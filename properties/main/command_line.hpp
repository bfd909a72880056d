#pragma once

#include <string>
#include <vector>

#include "settings.hpp"

namespace mishap::detail {

enum class Command { list, run, sweep, replay, help, version };

/// A command line as it was understood.
struct CommandLine {
    Command command = Command::help;
    std::vector<std::string> patterns;  // of list and run
    std::string replayed;               // a line or a file
    bool exports = false;               // replay prints C++
    std::string help;
    Settings settings;
};

/// Reads the environment, then the arguments, which have the last word.
///
/// Throws:    UsageError.
CommandLine read_command_line(int argument_count, const char* const* arguments);

}  // namespace mishap::detail
