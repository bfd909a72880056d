#include <cstdio>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>
#include <mishap/properties/detail/tape_places.hpp>
#include <mishap/sim/detail/tape_words.hpp>
#include <mishap/sim/errors.hpp>
#include <mishap/sim/replay_line.hpp>

#include "commands.hpp"
#include "crash.hpp"
#include "selection.hpp"

namespace mishap::detail {

namespace {

/// Returns the scenario that a replay line or a tape file is about.
Scenario scenario_of(const std::string& replayed) {
    if (is_replay_line(replayed)) {
        return find_scenario(parse_replay_line(replayed).scenario, "This replay line");
    }
    std::error_code error;
    if (!std::filesystem::exists(replayed, error)) {
        throw UsageError(fmt::format("{} is neither a replay line, which begins with 'mishap1:', nor a file that exists here. "
                                     "Copy the whole line, or the path, that the failing run printed.",
                                     in_quotes(replayed)));
    }
    return find_scenario(read_any_tape(replayed).scenario, "The tape " + in_quotes(replayed));
}

Outcome outcome_of_death(const Scenario& scenario, const WorkerEnd& end, const std::string& replayed,
                         std::string_view replay_command) {
    Report report;
    report.name = scenario.name;
    report.finding = describe_death(end);
    report.finding->place = scenario.place;
    report.replay_line = replayed;
    return outcome_of(report, replay_command);
}

}  // namespace

ExitCode replay_scenario(const std::string& replayed, const Settings& settings, std::string_view replay_command,
                         bool exports) {
    const Scenario scenario = scenario_of(replayed);
    const auto play = [&](unsigned, int) {
        const Report report = replay(replayed, scenario.body, options_of(scenario, settings));
        Outcome outcome = outcome_of(report, replay_command);
        if (exports && outcome.exit_code == exit_findings) {
            outcome.text = report.to_cpp_test(fmt::format("mishap::scenario_body({})", cpp_literal(scenario.name)));
        }
        return outcome;
    };
    Outcome outcome;
    if (settings.jobs == 0) {
        outcome = play(0, -1);
    } else {
        // What is replayed may well kill its process again.
        const WorkerEnd end = supervise(1, {.work = play}).front();
        outcome = has_died(end) ? outcome_of_death(scenario, end, replayed, replay_command) : *end.outcome;
    }
    std::fputs(outcome.text.c_str(), stdout);
    if (outcome.exit_code == exit_clean) {
        std::fputs("It did not fail. If the program was changed since, this may be repaired; if not, it is another build.\n",
                   stdout);
    }
    return outcome.exit_code;
}

}  // namespace mishap::detail
