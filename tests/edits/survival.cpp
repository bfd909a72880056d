#include "survival.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>
#include <mishap/properties/detail/body_program.hpp>
#include <mishap/sim/repair.hpp>
#include <mishap/sim/replay_line.hpp>

namespace mishap::edits {

namespace {

constexpr std::uint64_t search_runs_max = 200'000;

ExploreOptions options_of(const Fixture& fixture) {
    ExploreOptions options = fixture.options;
    options.name = fixture.name;
    options.runs_max = search_runs_max;
    options.confirm_in_child = false;  // the programs are small and known to be deterministic
    return options;
}

/// Counts of one row of a table.
struct Count {
    std::size_t all = 0;
    std::size_t as_recorded = 0;
    std::size_t replays = 0;
    std::size_t by_search = 0;
    std::size_t by_chance = 0;
    std::uint64_t repair_runs_most = 0;

    void add(const Outcome& outcome) {
        if (outcome.fate == Fate::no_bug) {
            return;
        }
        ++all;
        as_recorded += outcome.as_recorded ? 1U : 0U;
        replays += outcome.fate == Fate::replays ? 1U : 0U;
        by_search += outcome.fate == Fate::replays && outcome.by_search ? 1U : 0U;
        by_chance += outcome.by_chance ? 1U : 0U;
        repair_runs_most = std::max(repair_runs_most, outcome.fate == Fate::replays ? outcome.repair_runs : 0);
    }
    std::string row(const std::string& name) const {
        return fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", name, all, as_recorded, replays, by_search, repair_runs_most,
                           by_chance);
    }
};

/// Returns whether the replay of the program as it is now needs the last resort.
bool is_searched_for(const Fixture& fixture, const Recorded& recorded) {
    const ReplayLine line = parse_replay_line(recorded.line);
    const std::function<void()> body = fixture.body;
    const ExploreOptions options = options_of(fixture);
    World world(line.options);
    detail::BodyProgram program(body, options, world);
    return repair(program, world, line.mishaps, recorded.signature).by_search;
}

bool is_found(const Report& report, const Recorded& recorded) {
    return !report.passed() && is_same_failure(recorded.signature, report.finding->signature());
}

constexpr const char* heading =
    "| {} | edits | as recorded | replays | by search | further runs, at most | by chance |\n|---|---|---|---|---|---|---|\n";

}  // namespace

Recorded record(const Fixture& fixture) {
    apply({});
    const Report report = explore(fixture.body, options_of(fixture));
    if (report.passed()) {
        throw std::logic_error(std::string("no failure was found in the fixture ") + fixture.name);
    }
    return {to_line({report.name, report.options.world(), report.mishaps}), report.finding->signature()};
}

Outcome replay_edited(const Fixture& fixture, const Recorded& recorded, const Edit& edit) {
    apply(edit);
    ExploreOptions options = options_of(fixture);
    options.found = recorded.signature;
    const Report replayed = replay(recorded.line, fixture.body, options);
    Outcome outcome{fixture.name, edit};
    outcome.repair_runs = replayed.repair_runs;
    outcome.by_search = is_searched_for(fixture, recorded);
    options.shrink = false;
    options.strategy = Strategy::random;
    options.runs_max = replayed.repair_runs + 1;
    outcome.by_chance = is_found(explore(fixture.body, options), recorded);
    if (replayed.verdict == ReplayVerdict::same_failure) {
        outcome.fate = Fate::replays;
        outcome.as_recorded = replayed.repair_runs == 0;
        return outcome;
    }
    options.strategy = Strategy::automatic;
    options.runs_max = search_runs_max;
    outcome.fate = is_found(explore(fixture.body, options), recorded) ? Fate::lost : Fate::no_bug;
    return outcome;
}

std::vector<Outcome> measure() {
    std::vector<Outcome> outcomes;
    for (const Fixture& fixture : all_fixtures()) {
        const Recorded recorded = record(fixture);
        for (const Edit& edit : available()) {
            outcomes.push_back(replay_edited(fixture, recorded, edit));
        }
    }
    apply({});
    return outcomes;
}

std::string to_tables(const std::vector<Outcome>& outcomes) {
    Count total;
    std::string text = fmt::format(heading, "edit");
    for (const Operator edited : operators) {
        Count count;
        for (const Outcome& outcome : outcomes) {
            if (outcome.edit.edited == edited) {
                count.add(outcome);
                total.add(outcome);
            }
        }
        text += count.row(to_text(edited));
    }
    text += total.row("all") + "\n" + fmt::format(heading, "program");
    for (const Fixture& fixture : all_fixtures()) {
        Count count;
        for (const Outcome& outcome : outcomes) {
            if (outcome.fixture == fixture.name) {
                count.add(outcome);
            }
        }
        text += count.row(fixture.name);
    }
    return text;
}

}  // namespace mishap::edits
