#include "cli/shell.hpp"

#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mishap::test {

namespace {

std::string content_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// Prepares the shell that runs a command: its folder, its variables, and no core files.
std::string prelude(const std::filesystem::path& folder) {
    return "cd '" + folder.string() +
           "' && for v in $(env | sed -n 's/^\\(MISHAP_[A-Z_]*\\)=.*/\\1/p') NO_COLOR; do unset $v; done; ulimit -c 0; F='" +
           MISHAP_CLI_FIXTURE + "'; ";
}

}  // namespace

Shell::Shell() {
    std::string pattern = (std::filesystem::temp_directory_path() / "mishap-cli-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw std::runtime_error("no temporary folder");
    }
    folder_ = pattern;
}

Shell::~Shell() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

Ended Shell::run(const std::string& command) const {
    const std::string script = prelude(folder_) + "{ " + command + "\n} >output 2>errors";
    const int status = std::system(script.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), content_of(folder_ / "output"),
            content_of(folder_ / "errors")};
}

std::string Shell::run_on_terminal(const std::string& command) const {
    const std::string script = prelude(folder_) + command;
    int terminal = -1;
    const pid_t child = ::forkpty(&terminal, nullptr, nullptr, nullptr);
    if (child == 0) {
        ::execl("/bin/sh", "sh", "-c", script.c_str(), static_cast<char*>(nullptr));
        ::_exit(127);
    }
    std::string text;
    std::array<char, 4096> buffer;
    for (ssize_t size = 0; (size = ::read(terminal, buffer.data(), buffer.size())) > 0;) {
        text.append(buffer.data(), static_cast<std::size_t>(size));
    }
    ::close(terminal);
    ::waitpid(child, nullptr, 0);
    return text;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string replay_command_in(const std::string& output) {
    const std::string before = "\nreplay with\n";
    const std::size_t at = output.find(before);
    if (at == std::string::npos) {
        return {};
    }
    const std::size_t first = at + before.size();
    return output.substr(first, output.find('\n', first) - first);
}

std::string line_with(const std::string& text, const std::string& part) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (contains(line, part)) {
            return line;
        }
    }
    return {};
}

}  // namespace mishap::test
