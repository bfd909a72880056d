#include <mishap/sim/dpor.hpp>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <mishap/sim/exhaustive.hpp>
#include <mishap/sim/explorer.hpp>
#include "sim/taking_turns.hpp"
#include <mishap/sim/random_walk.hpp>

#include "sim/machine_programs.hpp"
#include "sim/random_programs.hpp"
#include "sim/traces.hpp"
#include "support/catch.hpp"

#ifndef MISHAP_TRACES_MAX
#define MISHAP_TRACES_MAX 100000
#endif

namespace mishap::test {
namespace {

constexpr Machine::Options patient{.keeps_going = true};

/// What a search made of a program.
struct Seen {
    std::set<std::uint64_t> fingerprints;
    std::uint64_t runs = 0;
    std::uint64_t stuck = 0;
    std::uint64_t steps = 0;
};

Seen explore_all(Machine& machine, Strategy& strategy, std::uint64_t runs_max) {
    Seen seen;
    while (seen.runs < runs_max && machine.play(strategy, seen.runs)) {
        ++seen.runs;
        seen.fingerprints.insert(machine.fingerprint());
        seen.stuck += machine.is_stuck() ? 1U : 0U;
        seen.steps += machine.events().size();
    }
    return seen;
}

void check_row(const CountedProgram& row) {
    INFO(row.program.name);
    Machine machine(row.program, patient);
    Dpor strategy;
    const Seen seen = explore_all(machine, strategy, row.traces + 1000);
    CHECK(strategy.counts().interleavings == row.traces);
    CHECK(strategy.counts().redundant == 0);
    CHECK(strategy.counts().impossible == 0);
    CHECK(seen.runs == row.traces);
    CHECK(seen.fingerprints.size() == row.traces);
    CHECK(seen.stuck == row.deadlocked);
    CHECK(strategy.is_exhausted());
    CHECK_FALSE(strategy.has_diverged());
}

/// Whether runs may be made in vain, which they may only where a step's possibility has to be guessed.
enum class Waste : std::uint8_t { none, some };

/// Compares with exhaustive search, whose runs are told apart by the traces' normal forms.
void check_random(const RandomShape& shape, Machine::Options options, Waste waste = Waste::none) {
    constexpr std::uint64_t programs = 60;
    constexpr std::uint64_t runs_max = std::min(20000, MISHAP_TRACES_MAX);
    std::uint64_t compared = 0;
    for (std::uint64_t seed = 0; seed < programs; ++seed) {
        const MachineProgram program = random_program(seed, shape);
        INFO(program.name);
        Machine machine(program, options);
        Exhaustive every_run(Exhaustive::unbounded, false);
        std::set<std::string> all;
        for (std::uint64_t run = 0; run < runs_max && machine.play(every_run, run); ++run) {
            all.insert(canonical_trace(machine));
        }
        if (!every_run.is_exhausted()) {
            continue;
        }
        ++compared;
        Dpor strategy;
        std::set<std::string> met;
        std::uint64_t again = 0;
        for (std::uint64_t run = 0; run < 2 * all.size() + 100 && machine.play(strategy, run); ++run) {
            if (machine.outcome() != Machine::Outcome::abandoned) {
                again += met.insert(canonical_trace(machine)).second ? 0U : 1U;
            }
        }
        CHECK(strategy.is_exhausted());
        CHECK(met == all);
        CHECK(strategy.counts().interleavings == all.size());
        if (waste == Waste::none) {
            CHECK(again == 0);
            CHECK(strategy.counts().redundant == 0);
            CHECK(strategy.counts().impossible == 0);
        }
    }
    CHECK(compared > programs * 8 / 10);
}

ThreadBody increment_twice(Machine& m, Machine::Variable x) {
    for (int i = 0; i < 2; ++i) {
        const std::int64_t value = co_await m.read(x);
        co_await m.write(x, value + 1);
    }
}

MachineProgram lost_update() {
    return {"lost_update", [](Machine& m) {
                const Machine::Variable x = m.variable();
                m.thread(increment_twice(m, x));
                m.thread(increment_twice(m, x));
            }, [](const Machine& m) { return m.value({0}) == 4; }};
}

ThreadBody endless(Machine& m, Machine::Variable x) {
    for (;;) {
        co_await m.fetch_add(x, 1);
    }
}

}  // namespace

TEST_CASE("a run of each interleaving is made, each once and none in vain, as many as other checkers count") {
    for (const CountedProgram& row : counted_programs(MISHAP_TRACES_MAX)) {
        check_row(row);
    }
}

TEST_CASE("so it is with hundreds of thousands of interleavings", "[.large]") {
    for (const CountedProgram& row : counted_programs(1'000'000)) {
        if (row.traces > 100'000) {
            check_row(row);
        }
    }
}

TEST_CASE("random programs have the interleavings that exhaustive search finds") {
    SECTION("reads and writes") { check_random({.threads = 4, .operations = 3}, patient); }
    SECTION("updates that may turn out to be reads") {
        check_random({.threads = 4, .operations = 3, .has_updates = true}, patient);
    }
    SECTION("branches") {
        check_random({.threads = 4, .operations = 3, .has_updates = true, .has_branches = true}, patient);
    }
    SECTION("mutexes in any order, with deadlocks") {
        check_random({.operations = 6, .variables = 1, .mutexes = 2}, patient);
    }
    SECTION("mutexes and branches") {
        check_random({.operations = 5, .mutexes = 2, .has_updates = true, .has_branches = true}, patient);
    }
    SECTION("condition variables") {
        check_random({.operations = 5, .variables = 1, .mutexes = 1, .cond_vars = 1}, patient);
    }
    SECTION("two condition variables and two mutexes") {
        check_random({.operations = 5, .variables = 1, .mutexes = 2, .cond_vars = 2}, patient);
    }
    SECTION("data questions") {
        check_random({.has_updates = true, .has_branches = true, .data_classes = 3}, patient);
    }
    SECTION("threads that threads make and join") {
        check_random({.operations = 3, .has_updates = true, .has_spawns = true, .has_joins = true}, patient);
    }
    SECTION("all of these") {
        check_random({.operations = 6, .mutexes = 2, .cond_vars = 1, .has_updates = true, .has_branches = true,
                      .data_classes = 2, .has_spawns = true, .has_joins = true},
                     patient);
    }
}

TEST_CASE("footprints need not be known before the step") {
    constexpr Machine::Options tacit{.keeps_going = true, .announces = false};
    SECTION("reads, writes, updates and branches") {
        check_random({.threads = 4, .operations = 3, .has_updates = true, .has_branches = true}, tacit);
    }
    SECTION("short threads") {
        check_random({.threads = 5, .operations = 2, .variables = 3, .has_updates = true, .has_branches = true}, tacit);
    }
    SECTION("data questions") {
        check_random({.has_updates = true, .has_branches = true, .data_classes = 3}, tacit);
    }
    SECTION("threads that threads make") { check_random({.operations = 3, .has_updates = true, .has_spawns = true}, tacit); }
}

TEST_CASE("where it has to be guessed whether a step is possible, no interleaving is missed") {
    // Of a semaphore's release nobody knows whether one could be taken before it.
    check_random({.threads = 4, .operations = 3, .variables = 1, .semaphores = 1}, patient, Waste::some);
    check_random({.operations = 3, .has_updates = true, .semaphores = 2, .has_branches = true}, patient, Waste::some);
}

TEST_CASE("nothing is claimed before the last interleaving was made") {
    Machine machine(ainc(4));
    Dpor strategy;
    CHECK(explore_all(machine, strategy, 24).runs == 24);
    CHECK_FALSE(strategy.is_exhausted());
    CHECK_FALSE(machine.play(strategy, 24));
    CHECK(strategy.is_exhausted());
}

TEST_CASE("nothing is claimed after a run that was cut short") {
    Machine machine({"endless", [](Machine& m) { m.thread(endless(m, m.variable())); }, {}}, {.steps_max = 20});
    Dpor strategy;
    while (machine.play(strategy, 0)) {
    }
    CHECK(machine.outcome() == Machine::Outcome::over_budget);
    CHECK_FALSE(strategy.is_exhausted());
}

TEST_CASE("a run of more steps than can be kept ends the search without a claim") {
    Machine machine({"long", [](Machine& m) {
                         const Machine::Variable x = m.variable();
                         m.thread(endless(m, x));
                         m.thread(endless(m, x));
                     }, {}},
                    {.steps_max = 50'000});
    Dpor strategy;
    CHECK(machine.play(strategy, 0));
    CHECK_FALSE(machine.play(strategy, 1));
    CHECK_FALSE(strategy.is_exhausted());
}

TEST_CASE("an update that gets lost is found") {
    Machine machine(lost_update());
    Dpor strategy;
    std::uint64_t run = 0;
    while (machine.play(strategy, run) && !machine.has_failed()) {
        ++run;
    }
    CHECK(machine.has_failed());
    CHECK(run < 20);
}

TEST_CASE("equal searches make equal runs in equal order") {
    std::vector<std::uint64_t> digests[2];
    for (std::vector<std::uint64_t>& search : digests) {
        Machine machine(random_program(7, {.threads = 4, .has_updates = true, .has_branches = true, .data_classes = 2}), patient);
        Dpor strategy;
        for (std::uint64_t run = 0; machine.play(strategy, run); ++run) {
            search.push_back(machine.digest());
        }
    }
    CHECK(digests[0].size() >= 10);
    CHECK(digests[0] == digests[1]);
}

TEST_CASE("the first run is calm") {
    Machine machine(account(3));
    Dpor strategy;
    Exhaustive calm_first;
    machine.play(strategy, 0);
    const std::uint64_t digest = machine.digest();
    machine.play(calm_first, 0);
    CHECK(machine.digest() == digest);
}

TEST_CASE("beside other strategies it makes the runs that it makes alone") {
    std::vector<std::unique_ptr<Strategy>> members;
    members.push_back(std::make_unique<Dpor>());
    members.push_back(std::make_unique<RandomWalk>(5));
    const Dpor& dpor = static_cast<const Dpor&>(*members.front());
    TakingTurns both(std::move(members));
    Machine machine(lastzero(5), patient);
    const Seen seen = explore_all(machine, both, 10'000);
    CHECK(both.is_exhausted());
    CHECK(dpor.counts().interleavings == 64);
    CHECK(dpor.counts().redundant == 0);
    CHECK(seen.fingerprints.size() == 64);
}

TEST_CASE("a program that does something else after the same answers is found out") {
    std::uint32_t runs = 0;
    Machine machine({"moody", [&runs](Machine& m) {
                         const Machine::Variables x = m.variables(2, ++runs > 3 ? 7 : 0);
                         m.thread(increment_twice(m, x[0]));
                         m.thread(increment_twice(m, x[0]));
                     }, {}});
    Dpor strategy;
    explore_all(machine, strategy, 1000);
    CHECK(strategy.has_diverged());
    CHECK_FALSE(strategy.is_exhausted());
}

}  // namespace mishap::test
