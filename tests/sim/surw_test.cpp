#include <mishap/sim/surw.hpp>

#include <cmath>
#include <map>

#include "sim/machine_programs.hpp"
#include "support/catch.hpp"

namespace mishap {
namespace {

using test::Machine;
using test::MachineProgram;
using test::ThreadBody;

constexpr std::uint64_t profile_runs = 50;

ThreadBody work_then_access(Machine& m, Machine::Variable own, int work, Machine::Variable shared, int accesses) {
    for (int i = 0; i < work; ++i) {
        co_await m.write(own, i);
    }
    for (int i = 0; i < accesses; ++i) {
        co_await m.write(shared, i);
    }
}

/// One thread is at its accesses of x at once, the other after a long way.
MachineProgram near_and_far(int work) {
    return {"near_and_far",
            [=](Machine& m) {
                const Machine::Variable x = m.variable();
                m.thread(work_then_access(m, m.variable(), 0, x, 2));
                m.thread(work_then_access(m, m.variable(), work, x, 2));
            },
            {}};
}

ThreadBody write_often(Machine& m, Machine::Variable x, std::int64_t value, int times) {
    for (int i = 0; i < times; ++i) {
        co_await m.write(x, value);
    }
}

/// Fails if the thread of one write comes last.
MachineProgram uneven(int writes) {
    return {"uneven",
            [=](Machine& m) {
                const Machine::Variable x = m.variable();
                m.thread(write_often(m, x, 1, writes));
                m.thread(write_often(m, x, 2, 1));
            },
            [](const Machine& m) { return m.value(Machine::Variable{0}) != 2; }};
}

/// Returns the threads of the steps that access variable 0 of near_and_far: "abab".
std::string accesses_of_x(const Machine& machine, int work) {
    std::string order;
    std::map<std::uint32_t, int> steps;
    for (const Machine::Event& event : machine.events()) {
        const int step = ++steps[event.thread];
        if (event.thread == 0 || step > work) {
            order += static_cast<char>('a' + event.thread);
        }
    }
    return order;
}

double failure_rate(const MachineProgram& program, Strategy& strategy, std::uint64_t runs) {
    Machine machine(program);
    std::uint64_t failures = 0;
    for (std::uint64_t run = 0; run < profile_runs + runs; ++run) {
        machine.play(strategy, run);
        failures += run >= profile_runs && machine.has_failed() ? 1U : 0U;
    }
    return static_cast<double>(failures) / static_cast<double>(runs);
}

/// Plays without telling what threads are about to do, as it is with tasks.
class WithoutPending final : public Strategy, public CandidateSource {
public:
    explicit WithoutPending(Strategy& strategy) : strategy_(strategy) {}
    const char* name() const override { return "without pending"; }
    Needs needs() const override { return strategy_.needs(); }
    bool begin_run(const RunInfo& run) override { return strategy_.begin_run(run); }
    std::uint32_t pick(const Question& question) override {
        asked_ = question.candidates();
        Question hidden = question;
        hidden.source = this;
        return strategy_.pick(hidden);
    }
    void after_step(const Step& step) override { strategy_.after_step(step); }
    void end_run(const Summary& summary) override { strategy_.end_run(summary); }
    std::span<const Candidate> candidates() override {
        candidates_.assign(asked_.begin(), asked_.end());
        for (Candidate& candidate : candidates_) {
            candidate.is_pending_known = false;
            candidate.pending = {};
        }
        return candidates_;
    }

private:
    Strategy& strategy_;
    std::span<const Candidate> asked_;
    std::vector<Candidate> candidates_;
};

}  // namespace

TEST_CASE("every order of the accesses is equally likely, however far one thread has to go to its own") {
    constexpr int work = 20;
    constexpr int runs = 6'000;
    const bool is_pending_known = GENERATE(true, false);
    Surw surw(3, profile_runs);
    WithoutPending hidden(surw);
    Strategy& strategy = is_pending_known ? static_cast<Strategy&>(surw) : hidden;
    Machine machine(near_and_far(work));
    std::map<std::string, double> counts;
    for (std::uint64_t run = 0; run < profile_runs + runs; ++run) {
        machine.play(strategy, run);
        if (run >= profile_runs) {
            counts[accesses_of_x(machine, work)] += 1;
        }
    }
    REQUIRE(counts.size() == 6);
    for (const auto& [order, count] : counts) {
        INFO(order << ", pending operations known: " << is_pending_known);
        CHECK(std::abs(count - 1'000) < 120);  // four standard deviations
    }
}

// With either lock drawn: the one whose first lock it is has come to it. In half of the runs the other takes
// its own lock first, and then both have; in the others it is as likely to go first to its own as the first is
// to it: 1/2 + 1/4.
TEST_CASE("two philosophers block each other in three quarters of the runs") {
    Surw surw(3, profile_runs);
    CHECK(std::abs(failure_rate(test::phil_deadlock(2), surw, 10'000) - 0.75) < 0.0174);  // four standard deviations
}

TEST_CASE("where all steps access one object SURW is URW") {
    Surw surw(3, profile_runs);
    CHECK(std::abs(failure_rate(uneven(9), surw, 10'000) - 0.1) < 0.012);  // four standard deviations
}

TEST_CASE("while no object is shared every run is a random walk") {
    const MachineProgram apart{"apart",
                               [](Machine& m) {
                                   m.thread(work_then_access(m, m.variable(), 2, m.variable(), 0));
                                   m.thread(work_then_access(m, m.variable(), 2, m.variable(), 0));
                               },
                               {}};
    Surw surw(3, 5);
    Machine machine(apart);
    int first_twice = 0;
    for (std::uint64_t run = 0; run < 8'000; ++run) {
        machine.play(surw, run);
        first_twice += machine.events()[0].thread == machine.events()[1].thread ? 1 : 0;
    }
    CHECK(std::abs(first_twice - 4'000) < 180);  // four standard deviations
}

TEST_CASE("SURW makes the same runs for the same seed, whatever the numbers in between") {
    const auto digests = [](std::uint64_t seed) {
        Surw surw(seed, 5);
        Machine machine(test::account(2));
        std::vector<std::uint64_t> result;
        for (std::uint64_t run = 2; run < 200; run += 3) {
            machine.play(surw, run);
            result.push_back(machine.digest());
        }
        return result;
    };
    CHECK(digests(3) == digests(3));
    CHECK(digests(3) != digests(4));
}

}  // namespace mishap
