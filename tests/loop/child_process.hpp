#pragma once

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string>

namespace mishap::detail {

/// What became of a child process.
struct ChildResult {
    int exit_code = -1;  // -1 if a signal ended it
    int signal = 0;
    std::string error_output;
};

/// Runs `body` in a forked child and waits for it; a body that returns makes the child exit with 0.
template <class Body>
ChildResult run_in_child(Body body) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) {
        throw std::runtime_error("pipe failed");
    }
    const pid_t child = fork();
    if (child < 0) {
        throw std::runtime_error("fork failed");
    }
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        const rlimit no_core{};
        setrlimit(RLIMIT_CORE, &no_core);
        body();
        _exit(0);
    }
    close(ends[1]);
    ChildResult result;
    std::array<char, 4096> buffer{};
    for (ssize_t count = 0; (count = read(ends[0], buffer.data(), buffer.size())) > 0;) {
        result.error_output.append(buffer.data(), static_cast<std::size_t>(count));
    }
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFEXITED(status)) {
        result.exit_code = WEXITSTATUS(status);
    } else {
        result.signal = WTERMSIG(status);
    }
    return result;
}

}  // namespace mishap::detail
