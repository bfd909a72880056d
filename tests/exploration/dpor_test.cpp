// Optimal partial order reduction on simulated threads: counts that are known.

#include <mishap/sim/dpor.hpp>

#include <chrono>
#include <set>

#include <mishap/loop/await.hpp>
#include <mishap/loop/sleep.hpp>
#include <mishap/properties/check_reduction.hpp>
#include <mishap/properties/detail/body_program.hpp>

#include "exploration/trace_programs.hpp"
#include "support/catch.hpp"

#ifndef MISHAP_TRACES_MAX
#define MISHAP_TRACES_MAX 100000  // larger ones are for bench/exploration
#endif

using namespace mishap;
using namespace mishap::test;

namespace {

ExploreOptions of_threads() {
    ExploreOptions options;
    options.races = Detect::off;  // programs of races
    options.lost_updates = Detect::off;
    options.runs_max = 20'000;
    return options;
}

}  // namespace

TEST_CASE("every interleaving of threads is made once, and deadlocks among them") {
    for (const TraceProgram& row : trace_programs(MISHAP_TRACES_MAX)) {
        INFO(row.name << " " << row.parameters);
        const ExploreOptions options = of_threads();
        World world(options.world());
        detail::BodyProgram program(row.body, options, world);
        Dpor strategy;
        std::set<std::uint64_t> fingerprints;
        std::uint64_t stuck = 0;
        std::uint64_t runs = 0;
        std::vector<Blocked> blocked;
        for (; runs <= row.traces && strategy.begin_run({runs}); ++runs) {
            world.begin_run(&strategy);
            program.run(world);
            strategy.end_run(summary_of(world, blocked));
            stuck += world.has_failed() && world.finding()->kind == FindingKind::stuck ? 1U : 0U;
            fingerprints.insert(world.fingerprint());
        }
        CHECK(strategy.is_exhausted());
        CHECK(runs == row.traces);
        CHECK(fingerprints.size() == row.traces);
        CHECK(stuck == row.deadlocked);
        CHECK(strategy.counts().redundant == 0);
    }
}

TEST_CASE("the reduction loses no verdict and no final state of small thread programs") {
    std::size_t compared = 0;
    for (const TraceProgram& row : trace_programs(40)) {
        if (row.name == "race_tail" || row.name == "indexer" || row.name == "filesystem" || row.name == "disjoint" ||
            row.name == "readers" || row.name == "condvar_pc") {
            continue;  // too many orders to make them all
        }
        const ReductionCheck check = check_reduction(row.body, of_threads());
        INFO(row.name << " " << row.parameters << "\n" << check.to_text());
        if (check.all.is_exhausted) {
            ++compared;
            CHECK(check.is_optimal());
        }
    }
    CHECK(compared > 10);
}

TEST_CASE("without the promise, every order of tasks is made, each once") {
    const ReductionCheck check = check_reduction([] {
        const auto step = [] { sleep(std::chrono::seconds(0)); };
        const auto one = create_task(step);
        const auto two = create_task(step);
        await(one);
        await(two);
    });
    REQUIRE(check.all.is_exhausted);
    CHECK(check.reduced.is_exhausted);
    CHECK(check.wasted == 0);
    CHECK(check.reduced.runs == check.all.runs);
}
