// Prints tables of docs/exploration.md: how soon each strategy finds a bug, how right its estimate is, how fast it is.
//
// bench_strategies bugs [SEEDS]             (default: 200)
// bench_strategies calibration [SEARCHES]   (default: 400)
// bench_strategies speed [RUNS]             (default: 500000)

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <mishap/primitives/mutex.hpp>
#include <mishap/primitives/shared.hpp>
#include <mishap/primitives/thread.hpp>
#include <mishap/sim/make_strategy.hpp>
#include <mishap/sim/random_walk.hpp>

#include "exploration/calibration.hpp"
#include "exploration/sctbench.hpp"
#include "exploration/search_cost.hpp"
#include "exploration/trace_programs.hpp"
#include "measure.hpp"

namespace {

using namespace mishap;
using test::SearchCost;

constexpr std::uint64_t runs_max = 10'000;

std::string text(const SearchCost& cost) {
    return cost.has_found_all() ? fmt::format("{:.1f}", cost.mean()) : "-";
}

void print_bugs(std::uint64_t seeds) {
    double log_sum = 0;
    double worst = 0;
    std::uint64_t missed = 0;
    bool is_first = true;
    const std::vector<test::KnownProgram> programs = test::sctbench();
    for (const test::KnownProgram& known : programs) {
        test::Played played(known.program.on(test::Actors::Kind::threads));
        const test::Comparison comparison = test::compare(played, seeds, runs_max);
        if (std::exchange(is_first, false)) {
            fmt::print("| program |");
            for (const test::Comparison::Single& single : comparison.singles) {
                fmt::print(" {} |", describe(single.kind).name);
            }
            fmt::print(" automatic | to the best | missed |\n|---|");
            for (std::size_t i = 0; i < comparison.singles.size() + 3; ++i) {
                fmt::print("---:|");
            }
            fmt::print("\n");
        }
        fmt::print("| {} |", known.program.name);
        for (const test::Comparison::Single& single : comparison.singles) {
            fmt::print(" {} |", text(single.cost));
        }
        const SearchCost& automatic = comparison.automatic;
        fmt::print(" {} | {:.2f} | {} |\n", text(automatic), comparison.ratio(), automatic.searches - automatic.found);
        std::fflush(stdout);
        log_sum += std::log(comparison.ratio());
        worst = std::max(worst, comparison.ratio());
        missed = std::max(missed, automatic.searches - automatic.found);
    }
    fmt::print("\nAgainst the best single strategy of each program: {:.2f} in the geometric mean, {:.2f} at worst; at most {} of "
               "{} searches of a program found nothing.\n",
               std::exp(log_sum / static_cast<double>(programs.size())), worst, missed, seeds);
}

struct Estimator {
    Strategy::Kind kind;
    std::uint64_t warm_up;
};
constexpr Estimator estimators[] = {
    {Strategy::random, 0}, {Strategy::pos, 0}, {Strategy::urw, 20}, {Strategy::surw, 20}, {Strategy::pct, 10}};

void print_calibration(std::uint64_t searches) {
    fmt::print("| program | interleavings | runs |");
    for (const Estimator& estimator : estimators) {
        fmt::print(" {} |", describe(estimator.kind).name);
    }
    fmt::print("\n|---|---:|---:|---:|---:|---:|---:|---:|\n");
    double lowest = 1;
    for (const test::TraceProgram& program : test::trace_programs(150)) {
        const std::string name = program.name + " " + program.parameters;
        if (name != "fib_join N=3" && name != "lastzero N=5" && name != "casrot N=6" && name != "peterson N=1,K=2" &&
            name != "mutex_counter N=3,K=2") {
            continue;
        }
        for (const std::uint64_t runs : {30U, 100U, 300U}) {
            fmt::print("| {} | {} | {} |", name, program.traces, runs);
            for (const Estimator& estimator : estimators) {
                const test::Calibration result = test::calibrate(
                    program.body, {.make = [&](std::uint64_t seed) { return make_strategy(estimator.kind, seed); },
                                   .warm_up = estimator.warm_up,
                                   .runs = runs,
                                   .searches = searches,
                                   .truth_runs = 100'000});
                lowest = std::min(lowest, result.coverage());
                fmt::print(" {:.1f} % |", 100 * result.coverage());
                std::fflush(stdout);
            }
            fmt::print("\n");
        }
    }
    fmt::print("\nAt least {:.1f} % of {} searches, with 95 % promised.\n", 100 * lowest, searches);
}

void count_by_threads() {
    Shared<int> n{0};
    Thread threads[3];
    for (Thread& thread : threads) {
        thread = Thread([&n] {
            for (int i = 0; i < 20; ++i) {
                n.store(n.load() + 1);
            }
        });
    }
    join_all(threads);
}

void count_by_threads_with_mutex() {
    Shared<int> n{0};
    Mutex mutex;
    Thread threads[3];
    for (Thread& thread : threads) {
        thread = Thread([&] {
            for (int i = 0; i < 10; ++i) {
                mutex.lock();
                n.store(n.load() + 1);
                mutex.unlock();
            }
        });
    }
    join_all(threads);
}

void print_speed(std::uint64_t runs) {
    struct Row {
        const char* name;
        void (*body)();
        Detect detect;
    };
    fmt::print("| three threads | detectors | runs/s | steps/s | MiB after a tenth | MiB at the end |\n"
               "|---|---|---:|---:|---:|---:|\n");
    for (const Row& row : {Row{"load and store, 20 times each", count_by_threads, Detect::off},
                           Row{"the same under a mutex, 10 times each", count_by_threads_with_mutex, Detect::off},
                           Row{"the same under a mutex, 10 times each", count_by_threads_with_mutex, Detect::finding}}) {
        ExploreOptions options = test::only_checks();
        options.races = options.lost_updates = row.detect;
        test::Played played(row.body, options);
        RandomWalk walk(1);
        std::uint64_t steps = 0;
        std::int64_t resident_early = 0;
        const std::clock_t begin = std::clock();  // of the processor: neighbours do not count
        for (std::uint64_t run = 0; run < runs; ++run) {
            played.play(walk, run);
            steps += played.steps();
            if (run == runs / 10) {
                resident_early = bench::memory_in_use().resident_bytes;
            }
        }
        const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
        constexpr double mib = 1024 * 1024;
        fmt::print("| {} | {} | {:.0f} | {:.2f} million | {:.1f} | {:.1f} |\n", row.name,
                   row.detect == Detect::off ? "off" : "races, lost updates", static_cast<double>(runs) / seconds,
                   static_cast<double>(steps) / seconds / 1e6, static_cast<double>(resident_early) / mib,
                   static_cast<double>(bench::memory_in_use().resident_bytes) / mib);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view table = argc > 1 ? argv[1] : "";
    const std::uint64_t number = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 0;
    if (table == "bugs") {
        print_bugs(number != 0 ? number : 200);
        return 0;
    }
    if (table == "calibration") {
        print_calibration(number != 0 ? number : 400);
        return 0;
    }
    if (table == "speed") {
        print_speed(number != 0 ? number : 500'000);
        return 0;
    }
    fmt::print(stderr, "usage: bench_strategies bugs [SEEDS] | calibration [SEARCHES] | speed [RUNS]\n");
    return 2;
}
