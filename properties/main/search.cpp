#include "search.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>
#include <mishap/sim/make_strategy.hpp>
#include <mishap/properties/detail/tape_places.hpp>
#include <mishap/properties/sweep.hpp>

#include "channel.hpp"
#include "crash.hpp"
#include "shared_search.hpp"

namespace mishap::detail {

namespace {

struct ScenarioSearch {
    const Scenario& scenario;
    const Sweep sweep;  // off: it is explored
    const ExploreOptions options;
    std::string_view replay_command;
};

Outcome work(const ScenarioSearch& search, SharedSearch& shared, unsigned worker, int fd, bool wants_progress) {
    ExploreOptions options = search.options;
    options.first_run = worker;
    options.stride = shared.processes();
    options.runs_max = (options.runs_max - worker + options.stride - 1) / options.stride;
    if (wants_progress) {
        options.progress = [fd](const Progress& progress) { send(fd, progress); };
    }
    if (search.sweep != Sweep::off) {
        return outcome_of(sweep(search.scenario.body, search.sweep, options), search.replay_command);
    }
    SharedPart part(shared, worker);
    Outcome outcome = outcome_of(explore_part(search.scenario.body, options, part), search.replay_command);
    outcome.all_digests = part.take_digests();
    return outcome;
}

Outcome outcome_of_death(const ScenarioSearch& search, const WorkerEnd& end, std::uint64_t run, unsigned processes) {
    Report report;
    report.name = search.scenario.name;
    report.seed = search.options.effective_seed();
    report.finding = describe_death(end);
    Finding& finding = *report.finding;
    finding.place = search.scenario.place;
    if (!end.outcome.has_value()) {
        finding.details.push_back(search.sweep != Sweep::off ? std::string("in a sweep, or while its finding was confirmed")
                                  : run == SharedSearch::none ? "after the search, while its finding was confirmed or shrunk"
                                                            : fmt::format("in run {}, seed {}", run, report.seed));
        report.tape_path = keep_tape(search.options.out, search.scenario.name, end.process, finding, finding.details);
        report.replay_line = report.tape_path;
    }
    Outcome outcome = outcome_of(report, search.replay_command);
    if (end.last_word == LastWord::mishap_bug) {
        outcome.exit_code = exit_fault;
    }
    if (run != SharedSearch::none) {
        outcome.run = run;
        outcome.runs = (run - end.worker) / processes + 1;
    }
    return outcome;
}

/// Returns one outcome for all parts of a search.
Outcome merge(const ScenarioSearch& search, std::vector<Outcome> parts) {
    Report total;
    total.name = search.scenario.name;
    std::vector<std::uint64_t> digests;
    std::size_t told = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const Outcome& part = parts[i];
        total.search.runs += part.runs;
        total.search.elapsed = std::max(total.search.elapsed, part.elapsed);
        digests.insert(digests.end(), part.all_digests.begin(), part.all_digests.end());
        const Outcome& best = parts[told];
        const bool is_failure = part.exit_code != exit_clean;
        const bool is_better = best.exit_code == exit_clean ? is_failure || (part.is_exhausted && !best.is_exhausted)
                                                            : is_failure && part.run < best.run;
        told = is_better ? i : told;
    }
    std::sort(digests.begin(), digests.end());
    total.search.digests = static_cast<std::uint64_t>(std::unique(digests.begin(), digests.end()) - digests.begin());
    Outcome outcome = std::move(parts[told]);
    if (parts.size() > 1) {
        outcome.digests = total.search.digests;
        outcome.headline =
            outcome.exit_code == exit_clean && !outcome.is_exhausted ? total.headline() : std::move(outcome.headline);
    }
    outcome.runs = total.search.runs;
    outcome.elapsed = total.search.elapsed;
    outcome.seed = search.options.effective_seed();
    return outcome;
}

}  // namespace

Outcome search_scenario(const Scenario& scenario, const Settings& settings, std::string_view replay_command,
                        ProgressLine& progress) {
    const ScenarioSearch search{scenario, settings.sweep, options_of(scenario, settings), replay_command};
    if (settings.jobs == 0) {
        ExploreOptions options = search.options;
        if (progress.is_shown()) {
            options.progress = [&progress](const Progress& so_far) { progress.show(so_far); };
        }
        return outcome_of(search.sweep != Sweep::off ? sweep(scenario.body, search.sweep, options)
                                                     : explore(scenario.body, options),
                          replay_command);
    }
    // A systematic search is one walk, and a script is one run, as is a sweep; there is no part of it to give away.
    const bool is_one_walk = describe(search.options.strategy).is_systematic || !search.options.script.empty() ||
                             search.sweep != Sweep::off;
    const std::uint64_t jobs_max = is_one_walk ? 1 : search.options.runs_max;
    SharedSearch shared(static_cast<unsigned>(std::min<std::uint64_t>(settings.jobs, std::max<std::uint64_t>(jobs_max, 1))));
    std::vector<Outcome> deaths;
    const auto on_end = [&](const WorkerEnd& end) {
        const std::uint64_t run = shared.position(end.worker);
        shared.begin(end.worker, SharedSearch::none);
        if (has_died(end)) {
            if (run != SharedSearch::none) {
                shared.fail(run);
            }
            progress.clear();
            deaths.push_back(outcome_of_death(search, end, run, shared.processes()));
        }
    };
    const std::vector<WorkerEnd> ends = supervise(
        shared.processes(),
        {.work = [&](unsigned worker, int fd) { return work(search, shared, worker, fd, progress.is_shown()); },
         .on_progress = [&](const Progress& total) { progress.show(total); },
         .on_end = on_end,
         .on_interrupt =
             [&](pid_t process) {
                 std::error_code ignored;
                 std::filesystem::remove(in_flight_path(search.options.out, scenario.name, process), ignored);
             }});
    std::vector<Outcome> parts;
    for (const WorkerEnd& end : ends) {
        if (end.outcome.has_value()) {
            parts.push_back(*end.outcome);
        }
    }
    parts.insert(parts.end(), deaths.begin(), deaths.end());
    return merge(search, std::move(parts));
}

}  // namespace mishap::detail
