#include <algorithm>
#include <cstdio>
#include <exception>

#include <fmt/format.h>
#include <mishap/sim/build_name.hpp>
#include <unistd.h>

#include "commands.hpp"
#include "crash.hpp"
#include "search.hpp"
#include "selection.hpp"

namespace mishap::detail {

namespace {

/// Writes at once: what is being done must be known even if it never ends.
void print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}

std::string verdict_of(const Outcome& outcome) {
    switch (outcome.exit_code) {
        case exit_clean: return coloured("ok   ", Colour::good);
        case exit_findings: return coloured("FAIL ", Colour::bad);
        case exit_usage: return coloured("USAGE", Colour::bad);
        case exit_fault: return coloured("FAULT", Colour::bad);
    }
    return "?";
}

std::string statistics(const Outcome& outcome) {
    // A process that died did not say how many of its runs were distinct, or how long they took.
    return count_of(outcome.runs, "run") + (outcome.digests == 0 ? "" : fmt::format(", {} distinct", outcome.digests)) +
           (outcome.elapsed.count() == 0 ? "" : fmt::format(", {} runs/s", rate_text(outcome.runs, outcome.elapsed)));
}

/// Returns what there is to say beside the verdict: the whole report of a failure, promises and notes otherwise.
std::string details_of(const Outcome& outcome) {
    if (outcome.exit_code != exit_clean) {
        return "\n" + outcome.text + "\n";
    }
    const std::size_t first_line_end = outcome.text.find('\n');
    return first_line_end == std::string::npos ? std::string() : outcome.text.substr(first_line_end + 1);
}

}  // namespace

ExitCode run_scenarios(const std::vector<std::string>& patterns, const Settings& settings, std::string_view replay_command) {
    const std::vector<Scenario> scenarios = select_scenarios(patterns);
    print(fmt::format("{}\n{}\n", build_name(), describe(settings)));
    recover_leftovers(settings.out, replay_command);
    std::size_t width = 0;
    for (const Scenario& scenario : scenarios) {
        width = std::max(width, scenario.name.size());
    }
    ExitCode worst = exit_clean;
    std::size_t clean = 0;
    for (const Scenario& scenario : scenarios) {
        const std::string start =
            fmt::format("{:<{}}  seed {:<20}  ", scenario.name, width, options_of(scenario, settings).effective_seed());
        print(start);
        ProgressLine progress(scenario.name);
        Outcome outcome;
        try {
            outcome = search_scenario(scenario, settings, replay_command, progress);
        } catch (const std::exception&) {
            print("\n");  // what is wrong is told on a line of its own
            throw;
        }
        progress.clear();
        const bool is_start_overwritten = progress.is_shown() && ::isatty(STDOUT_FILENO) == 1;
        print(fmt::format("{}{}  {}; {}\n{}", is_start_overwritten ? "\r" + start : "", verdict_of(outcome), statistics(outcome),
                          outcome.headline, details_of(outcome)));
        worst = std::max(worst, outcome.exit_code);
        clean += outcome.exit_code == exit_clean ? 1 : 0;
    }
    print(fmt::format("{} of {} passed\n", clean, count_of(scenarios.size(), "scenario")));
    return worst;
}

}  // namespace mishap::detail
