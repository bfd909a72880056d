// Prints the tables of docs/exploration.md: what the strategies make of programs that are known exactly.
//
// bench_exploration [TRACES_MAX]    (default: 100000)

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <mishap/properties/detail/body_program.hpp>
#include <mishap/sim/dpor.hpp>
#include <mishap/sim/random_walk.hpp>
#include <sys/resource.h>

#include "exploration/trace_programs.hpp"

namespace {

using namespace mishap;

/// What an enumeration of one program has seen; failures do not end it.
struct Enumeration {
    std::uint64_t stuck = 0;
    std::uint64_t events = 0;
    double seconds = 0;
    Dpor::Counts counts;
    bool is_exhausted = false;
};

ExploreOptions of_threads() {
    ExploreOptions options;
    options.races = Detect::off;  // the programs are made of races
    options.lost_updates = Detect::off;
    return options;
}

Enumeration enumerate(const test::TraceProgram& row) {
    const ExploreOptions options = of_threads();
    World world(options.world());
    detail::BodyProgram program(row.body, options, world);
    Dpor strategy;
    Enumeration seen;
    std::vector<Blocked> blocked;
    const auto begin = std::chrono::steady_clock::now();
    for (std::uint64_t run = 0; strategy.begin_run({run}); ++run) {
        world.begin_run(&strategy);
        program.run(world);
        blocked.clear();
        for (const World::BlockedEntity& entity : world.blocked()) {
            blocked.push_back({entity.who.entity, entity.who.step, entity.pending.span()});
        }
        strategy.end_run({.failed = world.has_failed(),
                          .abandoned = world.choices().is_abandoned(),
                          .steps = world.verdict().steps,
                          .digest = world.verdict().digest,
                          .fingerprint = world.fingerprint(),
                          .blocked = blocked});
        seen.events = std::max(seen.events, world.verdict().steps);
        if (world.has_failed() && world.finding()->kind == FindingKind::stuck) {
            ++seen.stuck;
        }
    }
    seen.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    seen.counts = strategy.counts();
    seen.is_exhausted = strategy.is_exhausted();
    return seen;
}

void print_traces(std::uint64_t traces_max) {
    fmt::print("| program | parameters | traces | found | deadlocked | redundant runs | steps | traces/s |\n");
    fmt::print("|---|---|---:|---:|---:|---:|---:|---:|\n");
    std::vector<double> rates;
    std::uint64_t wrong = 0;
    for (const test::TraceProgram& row : test::trace_programs(traces_max)) {
        const Enumeration seen = enumerate(row);
        const bool is_right = seen.is_exhausted && seen.counts.interleavings == row.traces && seen.stuck == row.deadlocked &&
                              seen.counts.redundant == 0;
        wrong += is_right ? 0 : 1;
        const double rate = static_cast<double>(row.traces) / seen.seconds;
        const bool is_long_enough = seen.seconds > 0.02;
        if (is_long_enough && seen.events >= 10 && seen.events <= 25) {
            rates.push_back(rate);
        }
        fmt::print("| {} | {} | {} | {} | {} | {} | {} | {} |\n", row.name, row.parameters, row.traces,
                   seen.counts.interleavings, seen.stuck, seen.counts.redundant, seen.events,
                   is_long_enough ? fmt::format("{:.0f}", rate) : std::string());
    }
    std::sort(rates.begin(), rates.end());
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    fmt::print("\n{} rows differ from the known numbers; the median of the {} rows of 10 to 25 steps that took long enough is "
               "{:.0f} traces/s; at most {} MiB resident.\n",
               wrong, rates.size(), rates.empty() ? 0.0 : rates[rates.size() / 2], usage.ru_maxrss / 1024);
}

}  // namespace

int main(int argc, char** argv) {
    print_traces(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 100'000);
}
