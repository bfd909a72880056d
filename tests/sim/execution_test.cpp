#include <mishap/sim/detail/execution.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

#include <mishap/sim/random_walk.hpp>

#include "sim/random_programs.hpp"
#include "sim/traces.hpp"
#include "support/catch.hpp"

namespace mishap::test {
namespace {

using detail::Execution;
using detail::Footprints;

/// Appends the steps of a machine's run from `first` on.
void append_run(Execution& execution, Footprints& footprints, const Machine& machine, std::uint32_t first) {
    const std::span<const Machine::Event> events = machine.events();
    for (std::uint32_t i = first; i < events.size(); ++i) {
        Execution::Arrival arrival;
        arrival.entity = events[i].thread;
        arrival.entity_key = events[i].thread + 1;
        arrival.footprint = footprints.intern({.touches = machine.footprint(events[i]), .disabled = {}});
        if (events[i].woke != Machine::none) {
            arrival.created = std::span<const std::uint32_t>(&events[i].woke, 1);
        }
        execution.append(arrival);
    }
}

/// Happens-before by its definition.
std::vector<std::vector<bool>> reference(const Machine& machine) {
    const std::span<const Machine::Event> events = machine.events();
    std::vector<std::vector<bool>> before(events.size(), std::vector<bool>(events.size(), false));
    for (std::size_t i = 0; i < events.size(); ++i) {
        for (std::size_t j = i; j-- > 0;) {
            if (events[i].thread == events[j].thread || machine.is_cause(j, i) ||
                do_conflict(machine.footprint(events[i]), machine.footprint(events[j]))) {
                before[j][i] = true;
                for (std::size_t k = 0; k < j; ++k) {
                    before[k][i] = before[k][i] || before[k][j];
                }
            }
        }
    }
    return before;
}

constexpr RandomShape shape{.threads = 4, .operations = 30, .variables = 3, .has_updates = true, .has_spawns = true};

}  // namespace

TEST_CASE("happens-before is the closure of program order, causes and conflicts") {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        Machine machine(random_program(seed, shape));
        RandomWalk walk(seed);
        machine.play(walk, 0);
        Footprints footprints;
        Execution execution(footprints);
        append_run(execution, footprints, machine, 0);
        const std::vector<std::vector<bool>> before = reference(machine);
        std::uint64_t wrong = 0;
        for (std::uint32_t i = 0; i < execution.size(); ++i) {
            for (std::uint32_t j = 0; j < execution.size(); ++j) {
                wrong += execution.happens_before(i, j) != before[i][j] ? 1U : 0U;
            }
        }
        CHECK(wrong == 0);
        // A race is a conflict between entities that nothing comes between.
        for (const Execution::Race& race : execution.races()) {
            CHECK(before[race.first][race.second]);
            for (std::uint32_t between = race.first + 1; between < race.second; ++between) {
                CHECK_FALSE((before[race.first][between] && before[between][race.second]));
            }
        }
    }
}

TEST_CASE("steps that were taken back leave nothing behind") {
    Machine machine(random_program(3, shape));
    RandomWalk walk(3);
    machine.play(walk, 0);
    Footprints footprints;
    Execution once(footprints);
    append_run(once, footprints, machine, 0);
    Execution again(footprints);
    append_run(again, footprints, machine, 0);
    for (const std::uint32_t size : {once.size() / 2, 1U, 0U, once.size() - 1}) {
        again.truncate(size);
        append_run(again, footprints, machine, size);
        REQUIRE(again.size() == once.size());
        for (std::uint32_t i = 0; i < once.size(); ++i) {
            CHECK(again.event(i).hash == once.event(i).hash);
            CHECK(again.event(i).chain == once.event(i).chain);
        }
        CHECK(again.races().size() == once.races().size());
    }
}

TEST_CASE("runs have the same steps, by their hashes, exactly if they are of one interleaving") {
    Machine machine(random_program(11, {.threads = 4, .has_updates = true}));
    RandomWalk walk(1);
    Footprints footprints;
    std::map<std::string, std::uint64_t> sums;
    std::set<std::uint64_t> distinct;
    for (std::uint64_t run = 0; run < 500; ++run) {
        machine.play(walk, run);
        Execution execution(footprints);
        append_run(execution, footprints, machine, 0);
        std::uint64_t sum = 0;
        for (std::uint32_t i = 0; i < execution.size(); ++i) {
            sum += execution.event(i).hash;
        }
        CHECK(sums.emplace(canonical_trace(machine), sum).first->second == sum);
        distinct.insert(sum);
    }
    CHECK(distinct.size() > 5);
    CHECK(distinct.size() == sums.size());
}

}  // namespace mishap::test
