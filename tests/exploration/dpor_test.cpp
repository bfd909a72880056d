// Optimal partial order reduction on simulated threads and on tasks: counts that are known, and verdicts of a search
// that leaves nothing out.

#include <map>
#include <set>

#include <mishap/mishap.hpp>
#include <mishap/properties/detail/body_program.hpp>
#include <mishap/sim/dpor.hpp>
#include <mishap/sim/exhaustive.hpp>

#include "exploration/trace_programs.hpp"
#include "support/catch.hpp"

#ifndef MISHAP_TRACES_MAX
#define MISHAP_TRACES_MAX 100000  // larger ones are for bench/exploration
#endif

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

/// What a search that does not stop at failures has seen.
struct Seen {
    std::uint64_t runs = 0;
    std::uint64_t stuck = 0;
    bool is_exhausted = false;
    std::set<std::uint64_t> fingerprints;
    std::set<std::uint64_t> states;  // values read and written, in which interleaving, and how it ended
    std::set<std::string> verdicts;
};

Seen search_all(const std::function<void()>& body, Strategy& strategy, ExploreOptions options, std::uint64_t runs_max) {
    World world(options.world());
    detail::BodyProgram program(body, options, world);
    Seen seen;
    while (seen.runs < runs_max && strategy.begin_run({seen.runs})) {
        world.begin_run(&strategy);
        program.run(world);
        std::vector<Blocked> blocked;
        for (const World::BlockedEntity& entity : world.blocked()) {
            blocked.push_back({entity.who.entity, entity.who.step, entity.pending.span()});
        }
        strategy.end_run({.failed = world.has_failed(),
                          .abandoned = world.choices().is_abandoned(),
                          .steps = world.verdict().steps,
                          .digest = world.verdict().digest,
                          .fingerprint = world.fingerprint(),
                          .blocked = blocked});
        ++seen.runs;
        if (world.has_failed() && world.finding()->kind == FindingKind::stuck) {
            ++seen.stuck;
        }
        seen.fingerprints.insert(world.fingerprint());
        seen.states.insert(world.state());
        seen.verdicts.insert(world.has_failed() ? world.finding()->signature() : "passes");
    }
    seen.is_exhausted = strategy.is_exhausted();
    return seen;
}

ExploreOptions of_threads() {
    ExploreOptions options;
    options.races = Detect::off;  // programs of races
    options.lost_updates = Detect::off;
    return options;
}

/// Returns whether both searches end and agree on what can happen.
void check_against_exhaustive(const std::function<void()>& body, const ExploreOptions& options) {
    Dpor dpor;
    const Seen reduced = search_all(body, dpor, options, 200'000);
    Exhaustive exhaustive;
    const Seen all = search_all(body, exhaustive, options, 500'000);
    REQUIRE(reduced.is_exhausted);
    REQUIRE(all.is_exhausted);
    INFO(reduced.runs << " runs of interleavings, " << all.runs << " of orders");
    CHECK(reduced.verdicts == all.verdicts);
    CHECK(reduced.fingerprints.size() == all.fingerprints.size());
    CHECK(reduced.fingerprints == all.fingerprints);
    CHECK(reduced.states == all.states);
    CHECK(reduced.runs <= all.runs);
}

}  // namespace

TEST_CASE("every interleaving of threads is made once, and deadlocks among them") {
    for (const TraceProgram& row : trace_programs(MISHAP_TRACES_MAX)) {
        INFO(row.name << " " << row.parameters);
        Dpor strategy;
        const Seen seen = search_all(row.body, strategy, of_threads(), row.traces + 1);
        CHECK(seen.is_exhausted);
        CHECK(seen.runs == row.traces);
        CHECK(seen.fingerprints.size() == row.traces);
        CHECK(seen.stuck == row.deadlocked);
    }
}

TEST_CASE("the reduction loses no verdict and no final state of small thread programs") {
    for (const TraceProgram& row : trace_programs(40)) {
        if (row.name == "race_tail" || row.name == "indexer" || row.name == "filesystem" || row.name == "disjoint" ||
            row.name == "readers" || row.name == "condvar_pc") {
            continue;  // too many orders to make them all
        }
        INFO(row.name << " " << row.parameters);
        Dpor dpor;
        const Seen reduced = search_all(row.body, dpor, of_threads(), 1'000);
        Exhaustive exhaustive;
        const Seen all = search_all(row.body, exhaustive, of_threads(), 20'000);
        if (all.is_exhausted) {
            CHECK(reduced.fingerprints == all.fingerprints);
            CHECK(reduced.states == all.states);
            CHECK(reduced.verdicts == all.verdicts);
        }
    }
}

TEST_CASE("the reduction loses nothing of tasks that promise to share tracked objects only") {
    ExploreOptions options = of_threads();
    options.sharing = Sharing::tracked;
    SECTION("a lock and a shared counter") {
        check_against_exhaustive(
            [] {
                Lock lock;
                Shared<int> n;
                const auto add = [&] {
                    const auto guard = lock.guard();
                    const int seen = n.load();
                    sleep(0s);
                    n.store(seen + 1);
                };
                gather(create_task(add), create_task(add));
            },
            options);
    }
    SECTION("a queue of one, a producer and a consumer") {
        check_against_exhaustive(
            [] {
                Queue<int> queue(1);
                Shared<int> sum;
                gather(create_task([&] {
                           queue.put(1);
                           queue.put(2);
                       }),
                       create_task([&] {
                           sum.fetch_add(queue.get());
                           sum.fetch_add(queue.get());
                       }));
            },
            options);
    }
    SECTION("an event that may come before or after the wait") {
        check_against_exhaustive(
            [] {
                Event event;
                Shared<int> n;
                gather(create_task([&] {
                           event.wait();
                           n.fetch_add(1);
                       }),
                       create_task([&] {
                           n.fetch_add(2);
                           event.set();
                       }),
                       create_task([&] { n.load(); }));
            },
            options);
    }
    SECTION("a semaphore of one and an injected cancellation") {
        options.cancellations = 1;
        check_against_exhaustive(
            [] {
                Semaphore semaphore(1);
                const auto use = [&] {
                    semaphore.acquire();
                    sleep(0s);
                    semaphore.release();
                };
                gather(return_exceptions, create_task(use), create_task(use));
            },
            options);
    }
}

TEST_CASE("without the promise, every order of tasks is made, each once") {
    const auto body = [] {
        const auto step = [] { sleep(0s); };
        gather(create_task(step), create_task(step));
    };
    Dpor dpor;
    const Seen reduced = search_all(body, dpor, {}, 100'000);
    Exhaustive exhaustive;
    const Seen all = search_all(body, exhaustive, {}, 100'000);
    REQUIRE(all.is_exhausted);
    CHECK(reduced.is_exhausted);
    CHECK(reduced.runs == all.runs);
}
