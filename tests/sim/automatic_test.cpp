#include <mishap/sim/automatic.hpp>

#include <algorithm>

#include <mishap/sim/make_strategy.hpp>

#include "sim/machine.hpp"
#include "sim/machine_programs.hpp"
#include "support/catch.hpp"

namespace mishap {
namespace {

using test::Machine;

/// Makes runs until there are no more, one fails, or `runs_max` were made; returns how many.
std::uint64_t search(Machine& machine, Strategy& strategy, std::uint64_t runs_max) {
    std::uint64_t runs = 0;
    while (runs < runs_max && machine.play(strategy, runs)) {
        ++runs;
        if (machine.has_failed()) {
            break;
        }
    }
    return runs;
}

std::vector<std::uint64_t> digests(Strategy& strategy, std::uint64_t runs) {
    Machine machine(test::fib_join(3));
    std::vector<std::uint64_t> result;
    for (std::uint64_t run = 0; run < runs && machine.play(strategy, run); ++run) {
        result.push_back(machine.digest());
    }
    return result;
}

}  // namespace

TEST_CASE("an automatic search ends by having made every interleaving, and knows how many there are") {
    for (const auto& [program, traces] : {std::pair{test::fib_join(3), 141}, {test::readers(4), 16}, {test::casrot(4), 14}}) {
        Machine machine(program);
        Automatic automatic(7);
        const std::uint64_t runs = search(machine, automatic, 1'000'000);
        INFO(program.name << " took " << runs << " runs");
        CHECK(automatic.is_exhausted());
        CHECK(automatic.interleavings() == static_cast<std::uint64_t>(traces));
        CHECK(runs < 8 * static_cast<std::uint64_t>(traces) + 200);
    }
}

TEST_CASE("an automatic search makes the same runs again from the same seed, and others from another") {
    Automatic one(3);
    Automatic again(3);
    Automatic other(4);
    const std::vector<std::uint64_t> runs = digests(one, 100);
    CHECK(runs == digests(again, 100));
    CHECK(runs != digests(other, 100));
}

TEST_CASE("every member makes runs, from the first ones on") {
    Machine machine(test::peterson(2, 3));
    Automatic automatic(1);
    search(machine, automatic, 8);
    for (const Automatic::Share& share : automatic.shares()) {
        INFO(share.name);
        CHECK(share.runs == 1);
    }
    search(machine, automatic, 4'000);
    for (const Automatic::Share& share : automatic.shares()) {
        INFO(share.name);
        CHECK(share.runs >= 60);
    }
}

TEST_CASE("when the random members repeat themselves, the enumeration gets most of the effort") {
    Machine machine(test::mutex_counter(3, 3));  // 1680 interleavings
    Automatic automatic(1);
    search(machine, automatic, 1'000'000);
    REQUIRE(automatic.is_exhausted());
    std::uint64_t of_enumeration = 0;
    std::uint64_t all = 0;
    for (const Automatic::Share& share : automatic.shares()) {
        all += share.runs;
        of_enumeration += share.role == Automatic::Role::enumeration ? share.runs : 0;
    }
    CHECK(of_enumeration == 1680);
    CHECK(all < 6 * of_enumeration);
}

TEST_CASE("the bound for something new falls as the search goes on") {
    Machine machine(test::peterson(2, 2));
    Automatic automatic(1);
    CHECK(automatic.next_is_new_max() == 1.0);
    search(machine, automatic, 200);
    const double early = *automatic.next_is_new_max();
    search(machine, automatic, 4'000);
    CHECK(*automatic.next_is_new_max() < early);
}

TEST_CASE("a process that does not make the first run leaves systematic search to the one that does") {
    for (const Automatic::Share& share : Automatic(1, false).shares()) {
        CHECK(share.role == Automatic::Role::random);
    }
}

TEST_CASE("every strategy has one name, and is made by it") {
    for (const StrategyName& name : strategy_names()) {
        INFO(name.name);
        CHECK(std::count_if(strategy_names().begin(), strategy_names().end(),
                            [&](const StrategyName& other) { return other.name == name.name; }) == 1);
        const std::unique_ptr<Strategy> strategy = make_strategy(name.kind, 1);
        Machine machine(test::casrot(4));
        CHECK(machine.play(*strategy, 0));
    }
}

}  // namespace mishap
