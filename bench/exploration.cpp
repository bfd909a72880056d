// Prints a table of docs/exploration.md: what optimal DPOR makes of programs whose numbers of traces are known.
//
// bench_exploration [TRACES_MAX]    (default: 100000)
// bench_exploration tasks           the programs on tasks, against exhaustive search

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <mishap/properties/check_reduction.hpp>
#include <mishap/properties/detail/body_program.hpp>
#include <mishap/sim/dpor.hpp>

#include "exploration/trace_programs.hpp"
#include "measure.hpp"

namespace {

using namespace mishap;

/// What an enumeration of one program has seen; failures do not end it.
struct Enumeration {
    std::uint64_t stuck = 0;
    std::uint64_t events = 0;
    double seconds = 0;
    Dpor::Counts counts;
    std::int64_t resident_bytes = 0;
    bool is_exhausted = false;
};

/// The rows whose median is the speed of DPOR: runs of 10 to 25 steps, of every kind of program there is.
constexpr std::string_view speed_rows[] = {
    "readers N=12",        "floating_read N=7", "binc N=5",         "casrot N=8",     "account N=4",
    "write_read_pair N=5", "lastzero N=6",      "peterson N=1,K=2", "token_ring N=4", "phil_deadlock N=4",
};
constexpr double seconds_min = 0.2;  // shorter rows are searched again and again for so long

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }  // neighbours do not count

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
    const double begin = cpu_seconds();
    for (std::uint64_t run = 0; strategy.begin_run({run}); ++run) {
        world.begin_run(&strategy);
        program.run(world);
        strategy.end_run(summary_of(world, blocked));
        seen.events = std::max(seen.events, world.verdict().steps);
        if (world.has_failed() && world.finding()->kind == FindingKind::stuck) {
            ++seen.stuck;
        }
    }
    seen.seconds = cpu_seconds() - begin;
    seen.counts = strategy.counts();
    seen.is_exhausted = strategy.is_exhausted();
    seen.resident_bytes = bench::memory_in_use().resident_bytes;  // while the strategy remembers what it has seen
    return seen;
}

/// Returns the traces a second of the row; those that are short are searched several times.
double traces_per_second(const test::TraceProgram& row, double seconds_once) {
    double seconds = seconds_once;
    std::uint64_t searches = 1;
    for (; seconds < seconds_min; ++searches) {
        seconds += enumerate(row).seconds;
    }
    return static_cast<double>(row.traces) * static_cast<double>(searches) / seconds;
}

void print_traces(std::uint64_t traces_max) {
    fmt::print("| program | parameters | traces | found | deadlocked | redundant runs | steps | traces/s |\n");
    fmt::print("|---|---|---:|---:|---:|---:|---:|---:|\n");
    std::vector<double> rates;
    std::uint64_t wrong = 0;
    std::int64_t resident_most = 0;
    for (const test::TraceProgram& row : test::trace_programs(traces_max)) {
        const Enumeration seen = enumerate(row);
        const bool is_right = seen.is_exhausted && seen.counts.interleavings == row.traces && seen.stuck == row.deadlocked &&
                              seen.counts.redundant == 0;
        wrong += is_right ? 0 : 1;
        const std::string name = row.name + " " + row.parameters;
        const bool is_named = std::find(std::begin(speed_rows), std::end(speed_rows), name) != std::end(speed_rows);
        std::string rate_text;
        if (is_named || seen.seconds > 0.02) {
            const double rate = is_named ? traces_per_second(row, seen.seconds) : static_cast<double>(row.traces) / seen.seconds;
            rate_text = is_named ? fmt::format("**{:.0f}**", rate) : fmt::format("{:.0f}", rate);
            if (is_named) {
                rates.push_back(rate);
            }
        }
        fmt::print("| {} | {} | {} | {} | {} | {} | {} | {} |\n", row.name, row.parameters, row.traces,
                   seen.counts.interleavings, seen.stuck, seen.counts.redundant, seen.events, rate_text);
        std::fflush(stdout);
        resident_most = std::max(resident_most, seen.resident_bytes);
    }
    std::sort(rates.begin(), rates.end());
    const std::size_t middle = rates.size() / 2;
    const double median = rates.empty() ? 0 : (rates[(rates.size() - 1) / 2] + rates[middle]) / 2;
    fmt::print("\n{} rows differ from the known numbers; the median of the {} rows in bold is {:.0f} traces/s; at most {:.1f} MiB "
               "resident.\n",
               wrong, rates.size(), median, static_cast<double>(resident_most) / (1024 * 1024));
}

/// Compares DPOR of the same programs on tasks with plain exhaustive search.
int print_tasks() {
    ExploreOptions options = of_threads();
    options.sharing = Sharing::tracked;
    options.runs_max = 100'000;
    fmt::print("| program on tasks | parameters | orders | interleavings | runs of DPOR | redundant or impossible |\n");
    fmt::print("|---|---|---:|---:|---:|---:|\n");
    std::size_t wrong = 0;
    const std::vector<test::TraceProgram> rows = test::task_programs();
    for (const test::TraceProgram& row : rows) {
        const ReductionCheck check = check_reduction(row.body, options);
        wrong += check.is_optimal() ? 0 : 1;
        fmt::print("| {} | {} | {} | {} | {} | {} |\n", row.name, row.parameters, check.all.runs, check.all.interleavings.size(),
                   check.reduced.runs, check.wasted);
    }
    fmt::print("\n{} of {} rows differ: in interleavings, final states or verdicts, or in a run that was made in vain.\n", wrong,
               rows.size());
    return wrong == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1 && std::string_view(argv[1]) == "tasks") {
        return print_tasks();
    }
    print_traces(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 100'000);
}
