#include <cstdio>
#include <exception>
#include <string>

#include <fmt/format.h>
#include <mishap/loop/detail/fiber.hpp>
#include <mishap/properties/detail/tape_places.hpp>
#include <mishap/properties/detail/watchdog.hpp>
#include <mishap/sim/build_name.hpp>
#include <mishap/sim/errors.hpp>

#include "command_line.hpp"
#include "commands.hpp"

namespace {

using namespace mishap::detail;

int perform(const CommandLine& line, const char* program) {
    const Settings& settings = line.settings;
    if (settings.stack_size_bytes.has_value()) {
        StackOptions options;
        options.stack_size_bytes = *settings.stack_size_bytes;
        set_stack_options(options);
    }
    // The size of stacks is no choice and on no tape, but it decides whether one overflows.
    const std::string stack_size = settings.stack_size_text.empty() ? "" : " --stack-size " + settings.stack_size_text;
    const std::string replay_command = shell_word(program) + stack_size + " replay";
    switch (line.command) {
        case Command::list: return list_scenarios(line.patterns);
        case Command::run:
        case Command::sweep: return run_scenarios(line.patterns, settings, replay_command);
        case Command::replay: return replay_scenario(line.replayed, settings, replay_command, line.exports);
        case Command::version: std::puts(mishap::build_name().c_str()); return exit_clean;
        case Command::help: std::fputs(line.help.c_str(), stdout); return exit_clean;
    }
    return exit_fault;
}

/// Returns `code`, or that of a fault where what was printed did not arrive (a full disk, say).
int after_output(int code, const char* program) {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) {
        return code;
    }
    std::fputs(fmt::format("{}: not all of the output could be written; make room for it, or send it elsewhere\n", program).c_str(),
               stderr);
    return exit_fault;
}

}  // namespace

int main(int argument_count, char** arguments) {
    const char* const program = argument_count > 0 ? arguments[0] : "scenarios";
    set_exit_code_of_mishap_bugs(exit_fault);
    try {
        return after_output(perform(read_command_line(argument_count, arguments), program), program);
    } catch (const mishap::UsageError& error) {
        std::fflush(stdout);
        std::fputs(fmt::format("{}: {}\n", program, error.what()).c_str(), stderr);
        return exit_usage;
    } catch (const std::exception& error) {
        std::fflush(stdout);
        std::fputs(fmt::format("{}: mishap itself has failed: {}\n", program, error.what()).c_str(), stderr);
        return exit_fault;
    }
}
