#include "sim/machine.hpp"

#include <set>

#include <mishap/sim/exhaustive.hpp>
#include <mishap/sim/random_walk.hpp>

#include "sim/machine_programs.hpp"
#include "sim/traces.hpp"
#include "support/catch.hpp"

namespace mishap::test {
namespace {

constexpr std::uint64_t runs_for_all = 70'000;  // every run of these programs is made

ThreadBody wait_for_ready(Machine& m, Machine::Variable ready, Machine::Mutex mutex, Machine::CondVar cond_var) {
    const std::int64_t is_ready = co_await m.read(ready);
    if (is_ready == 0) {
        co_await m.lock(mutex);
        co_await m.wait(cond_var, mutex);
        co_await m.unlock(mutex);
    }
}

ThreadBody make_ready(Machine& m, Machine::Variable ready, Machine::CondVar cond_var) {
    co_await m.write(ready, 1);
    co_await m.signal(cond_var);
}

MachineProgram lost_wakeup() {
    return {"lost_wakeup", [](Machine& m) {
                const Machine::Variable ready = m.variable();
                const Machine::Mutex mutex = m.mutex();
                const Machine::CondVar cond_var = m.cond_var();
                m.thread(wait_for_ready(m, ready, mutex, cond_var));
                m.thread(make_ready(m, ready, cond_var));
            }, {}};
}

ThreadBody increment(Machine& m, Machine::Variable x) {
    const std::int64_t value = co_await m.read(x);
    co_await m.write(x, value + 1);
}

ThreadBody spawn_two(Machine& m, Machine::Variable x) {
    const auto one = static_cast<std::uint32_t>(co_await m.spawn(increment(m, x)));
    const auto two = static_cast<std::uint32_t>(co_await m.spawn(increment(m, x)));
    co_await m.join({one});
    co_await m.join({two});
    const std::int64_t sum = co_await m.read(x);
    m.check(sum == 2);
}

MachineProgram spawning() {
    return {"spawning", [](Machine& m) { m.thread(spawn_two(m, m.variable())); }, {}};
}

ThreadBody choose_and_write(Machine& m, Machine::Variable x) {
    co_await m.read(x);
    const std::uint32_t chosen = m.choose(3);
    co_await m.write(x, chosen);
}

}  // namespace

TEST_CASE("exhaustive search of the machine meets each trace of programs whose numbers of traces are known") {
    for (const MachineProgram& program : {readers(4), ainc(4), casrot(4), mutex_counter(2, 3), phil_ordered(3),
                                          phil_deadlock(3), deadlock_ab(), condvar_pc(2), ring_nolock(4), lastwrite(4)}) {
        INFO(program.name);
        Machine machine(program);
        std::uint64_t expected = program.name == "lastwrite N=4" ? 24 : 0;
        for (const CountedProgram& row : counted_programs(100'000)) {
            expected = row.program.name == program.name ? row.traces : expected;
        }
        Exhaustive strategy;
        std::set<std::string> traces;
        std::set<std::uint64_t> fingerprints;
        std::uint64_t runs = 0;
        while (machine.play(strategy, runs) && runs < runs_for_all) {
            ++runs;
            traces.insert(canonical_trace(machine));
            fingerprints.insert(machine.fingerprint());
        }
        CHECK(strategy.is_exhausted());
        CHECK(traces.size() == expected);
        CHECK(fingerprints.size() == expected);
    }
}

TEST_CASE("a signal that comes before the wait is lost, with the probability that the reference model has") {
    Machine machine(lost_wakeup());
    RandomWalk strategy(1);
    std::uint64_t stuck = 0;
    for (std::uint64_t run = 0; run < 40'000; ++run) {
        machine.play(strategy, run);
        stuck += machine.outcome() == Machine::Outcome::stuck ? 1U : 0U;
    }
    CHECK(stuck > 9'600);  // a quarter, within 4.6 standard deviations
    CHECK(stuck < 10'400);
}

TEST_CASE("threads that are spawned run and are joined, and the increments that get lost are found") {
    Machine machine(spawning());
    Exhaustive strategy;
    std::uint64_t runs = 0;
    std::uint64_t failed = 0;
    while (machine.play(strategy, runs)) {
        ++runs;
        CHECK_FALSE(machine.is_stuck());
        failed += machine.has_failed() ? 1U : 0U;
    }
    CHECK(failed > 0);
    CHECK(failed < runs);
}

TEST_CASE("a failed check ends the run of a machine, unless it keeps going") {
    Machine machine(spawning());
    Machine patient(spawning(), {.keeps_going = true});
    RandomWalk strategy(3);
    std::uint64_t run = 0;
    do {
        machine.play(strategy, run);
    } while (!machine.has_failed() && ++run < 1000);
    patient.play(strategy, run);
    CHECK(machine.has_failed());
    CHECK(patient.has_failed());
    CHECK(machine.events().size() == patient.events().size());  // the check comes last
}

TEST_CASE("each answer to a data question makes a run of its own") {
    Machine machine({"choosing", [](Machine& m) { m.thread(choose_and_write(m, m.variable())); }, {}});
    Exhaustive strategy;
    std::set<std::int64_t> values;
    std::uint64_t runs = 0;
    while (machine.play(strategy, runs)) {
        ++runs;
        values.insert(machine.value({0}));
    }
    CHECK(runs == 3);
    CHECK(values == std::set<std::int64_t>{0, 1, 2});
}

TEST_CASE("class 0 is the thread that made the last step, the others follow cyclically") {
    class Looking final : public Strategy {
    public:
        const char* name() const override { return "looking"; }
        bool begin_run(const RunInfo&) override { return true; }
        std::uint32_t pick(const Question& question) override {
            orders.emplace_back();
            for (const Candidate& candidate : question.candidates()) {
                orders.back().push_back(candidate.key);
            }
            return orders.size() == 1 ? 1 : 0;
        }
        std::vector<std::vector<std::uint64_t>> orders;
    } looking;
    Machine machine(disjoint(3, 1));
    machine.play(looking, 0);
    REQUIRE(looking.orders.size() >= 2);
    const std::vector<std::uint64_t>& first = looking.orders[0];
    CHECK(looking.orders[1] == std::vector<std::uint64_t>{first[1], first[2], first[0]});
}

}  // namespace mishap::test
