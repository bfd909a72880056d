#pragma once

#include <filesystem>
#include <string>

namespace mishap::test {

/// How a command ended, and what it said.
struct Ended {
    int code = -1;  // 128 and the signal's number when one ended it, as shells have it
    std::string output;
    std::string errors;
};

/// Runs commands in a folder of its own, without any variable of the user's that mishap reads. `$F` is the fixture.
class Shell {
public:
    Shell();
    ~Shell();
    Shell(const Shell&) = delete;
    Shell& operator=(const Shell&) = delete;

    Ended run(const std::string& command) const;
    /// Runs `command` with a terminal for output and errors, and returns what it wrote there.
    std::string run_on_terminal(const std::string& command) const;
    const std::filesystem::path& folder() const { return folder_; }

private:
    std::filesystem::path folder_;
};

bool contains(const std::string& text, const std::string& part);

/// Returns the command that stands alone on the line after "replay with".
std::string replay_command_in(const std::string& output);

/// Returns the line of `text` that has `part`, or nothing.
std::string line_with(const std::string& text, const std::string& part);

}  // namespace mishap::test
