#include "differential/tool/reference.hpp"

#include <array>
#include <csignal>
#include <stdexcept>

#include <sys/wait.h>
#include <unistd.h>

namespace mishap::test::language {

Reference::Reference(const std::string& python, const std::string& script) {
    std::array<int, 2> to{};
    std::array<int, 2> from{};
    if (pipe(to.data()) != 0 || pipe(from.data()) != 0) {
        throw std::runtime_error("no pipe");
    }
    std::signal(SIGPIPE, SIG_IGN);  // a reference that is gone is told by its silence
    process_ = fork();
    if (process_ == 0) {
        dup2(to[0], STDIN_FILENO);
        dup2(from[1], STDOUT_FILENO);
        for (const int descriptor : {to[0], to[1], from[0], from[1]}) {
            close(descriptor);
        }
        execlp(python.c_str(), python.c_str(), "-B", script.c_str(), "--serve", static_cast<char*>(nullptr));
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    input_ = fdopen(to[1], "w");
    output_ = fdopen(from[0], "r");
    version_ = read_line();
    if (version_.rfind("3.", 0) != 0) {
        throw std::runtime_error(python + " is no CPython 3");
    }
    minor_ = std::stoi(version_.substr(2));
}

Reference::~Reference() {
    std::fclose(input_);
    std::fclose(output_);
    waitpid(process_, nullptr, 0);
}

std::vector<std::string> Reference::run(const Program& program) {
    const std::string json = to_json(program) + '\n';
    if (std::fwrite(json.data(), 1, json.size(), input_) != json.size() || std::fflush(input_) != 0) {
        throw std::runtime_error("the reference has gone");
    }
    std::vector<std::string> lines;
    for (std::string line = read_line(); !line.empty(); line = read_line()) {
        lines.push_back(line);
    }
    return lines;
}

std::string Reference::read_line() {
    std::string line;
    for (int c = std::getc(output_); c != '\n'; c = std::getc(output_)) {
        if (c == EOF) {
            throw std::runtime_error("the reference has gone");
        }
        line += static_cast<char>(c);
    }
    return line;
}

}  // namespace mishap::test::language
