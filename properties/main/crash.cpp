#include "crash.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>
#include <mishap/properties/detail/tape_places.hpp>
#include <mishap/sim/detail/tape_words.hpp>
#include <mishap/sim/errors.hpp>
#include <mishap/sim/mapped_tape.hpp>
#include <sys/wait.h>

#include "terminal.hpp"

namespace mishap::detail {

namespace {

std::string signal_name(int signal) {
    struct Named {
        int signal;
        const char* name;
    };
    constexpr Named names[] = {{SIGSEGV, "SIGSEGV"}, {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},
                               {SIGILL, "SIGILL"},   {SIGKILL, "SIGKILL"}, {SIGTERM, "SIGTERM"}, {SIGTRAP, "SIGTRAP"}};
    for (const Named& named : names) {
        if (named.signal == signal) {
            return named.name;
        }
    }
    return fmt::format("signal {}", signal);
}

/// Returns the process that `path` is named after, if it is the tape of a run in flight.
std::optional<pid_t> process_of(const std::filesystem::path& path) {
    constexpr std::string_view prefix = "in-flight-";
    const std::string stem = path.stem().string();
    return path.extension() == ".tape" && stem.substr(0, prefix.size()) == prefix
               ? read_number<pid_t>(std::string_view(stem).substr(prefix.size()))
               : std::nullopt;
}

bool is_alive(pid_t process) { return ::kill(process, 0) == 0 || errno != ESRCH; }

void recover_leftover(const std::filesystem::path& path, pid_t process, std::string_view replay_command) {
    try {
        const TapeFile file = recover_mapped_tape(path);
        const std::filesystem::path recovered = path.parent_path() / fmt::format("recovered-{}.tape", process);
        write_tape_file(recovered, file);
        std::filesystem::remove(path);
        std::fputs(fmt::format("note: process {} died in the middle of a run of {}; its tape is kept, replay it with\n{} {}\n",
                               process, file.scenario, replay_command, shell_word(recovered.string()))
                       .c_str(),
                   stdout);
    } catch (const UsageError& error) {
        std::filesystem::path damaged = path;
        damaged += ".damaged";
        std::error_code ignored;
        std::filesystem::rename(path, damaged, ignored);
        std::fputs(fmt::format("note: process {} died and left nothing to replay. {}\n", process, error.what()).c_str(),
                   stdout);
    }
}

}  // namespace

bool has_died(const WorkerEnd& end) {
    return !end.outcome.has_value() || !WIFEXITED(end.status) || WEXITSTATUS(end.status) != 0;
}

Finding describe_death(const WorkerEnd& end) {
    Finding finding{.kind = FindingKind::crashed};
    if (end.outcome.has_value()) {
        finding.label = "at exit";
        finding.what = "the process failed after its last run, when it ended; what it said stands above (a leak, perhaps)";
    } else if (end.last_word == LastWord::hung) {
        finding.kind = FindingKind::hung;
        finding.label = "hung";
        finding.what = "it was stopped; the stack it had stands above";
    } else if (end.last_word == LastWord::stack_overflow) {
        finding.label = "stack overflow";
        finding.what = "a task used up its stack";
    } else if (end.last_word == LastWord::mishap_bug) {
        finding.label = "mishap bug";
        finding.what = "mishap contradicts itself, as it says above; please report it together with the tape";
    } else if (WIFSIGNALED(end.status)) {
        finding.label = signal_name(WTERMSIG(end.status));
        finding.what = fmt::format("{} ({}) ended the process", finding.label, ::strsignal(WTERMSIG(end.status)));
    } else {
        finding.label = fmt::format("exit code {}", WEXITSTATUS(end.status));
        finding.what =
            fmt::format("the process ended with exit code {}; what it said stands above", WEXITSTATUS(end.status));
    }
    return finding;
}

std::string keep_tape(const std::string& out, const std::string& scenario, pid_t process, const Finding& finding,
                      std::vector<std::string>& details) {
    const std::filesystem::path in_flight = in_flight_path(out, scenario, process);
    std::error_code error;
    if (!std::filesystem::exists(in_flight, error)) {
        return {};
    }
    try {
        TapeFile file = recover_mapped_tape(in_flight);
        file.found = finding.signature();
        const std::filesystem::path kept = tape_path(out, scenario, finding);
        write_tape_file(kept, file);
        std::filesystem::remove(in_flight);
        details.push_back(fmt::format("its tape was recovered: {}, {}, not shrunk", count_of(file.dense.size(), "choice"),
                                      count_of(mishap_count(file.dense), "mishap")));
        return kept.string();
    } catch (const UsageError& why) {
        details.emplace_back(why.what());
        return {};
    }
}

void recover_leftovers(const std::string& out, std::string_view replay_command) {
    std::error_code error;
    std::vector<std::filesystem::path> paths;
    for (std::filesystem::recursive_directory_iterator entry(out, error), end; !error && entry != end; entry.increment(error)) {
        paths.push_back(entry->path());
    }
    std::sort(paths.begin(), paths.end());
    for (const std::filesystem::path& path : paths) {
        const std::optional<pid_t> process = process_of(path);
        if (process.has_value() && !is_alive(*process)) {
            recover_leftover(path, *process, replay_command);
        }
    }
}

}  // namespace mishap::detail
