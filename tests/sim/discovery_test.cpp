#include <mishap/sim/discovery.hpp>

#include <functional>
#include <map>
#include <memory>

#include <mishap/sim/exhaustive.hpp>
#include <mishap/sim/random_walk.hpp>

#include "sim/machine.hpp"
#include "sim/machine_programs.hpp"
#include "support/catch.hpp"

namespace mishap {
namespace {

using test::Machine;
using test::MachineProgram;

/// Answers as another strategy does, asks for fingerprints, and knows how probable the answers were for a random walk.
class Weighing final : public Strategy {
public:
    explicit Weighing(Strategy& strategy) : strategy_(strategy) {}
    const char* name() const override { return "weighing"; }
    Needs needs() const override { return {.steps = strategy_.needs().steps, .footprints = true}; }
    bool begin_run(const RunInfo& run) override {
        probability = 1;
        return strategy_.begin_run(run);
    }
    std::uint32_t pick(const Question& question) override {
        probability /= question.classes;
        return strategy_.pick(question);
    }
    double probability = 1;

private:
    Strategy& strategy_;
};

/// Returns how probable each interleaving is for a random walk: from all runs.
std::map<std::uint64_t, double> probabilities_of_random_walk(const MachineProgram& program) {
    std::map<std::uint64_t, double> probabilities;
    Machine machine(program);
    Exhaustive exhaustive;
    Weighing weighing(exhaustive);
    for (std::uint64_t run = 0; machine.play(weighing, run); ++run) {
        probabilities[machine.fingerprint()] += weighing.probability;
    }
    return probabilities;
}

/// Returns how often the interval contained the truth: after `runs` runs, in `trials` searches with different seeds.
double coverage(const MachineProgram& program, const std::map<std::uint64_t, double>& probabilities,
                const std::function<std::unique_ptr<Strategy>(std::uint64_t seed)>& make, std::uint64_t runs,
                std::uint64_t trials) {
    std::uint64_t contained = 0;
    Machine machine(program);
    for (std::uint64_t trial = 0; trial < trials; ++trial) {
        const std::unique_ptr<Strategy> strategy = make(trial + 1);
        Weighing with_fingerprints(*strategy);
        Discovery discovery;
        double unseen = 1;
        for (std::uint64_t run = 0; run < runs; ++run) {
            machine.play(with_fingerprints, run);
            if (discovery.record(0, machine.fingerprint())) {
                unseen -= probabilities.at(machine.fingerprint());
            }
        }
        const Estimate estimate = discovery.next_is_new(0);
        contained += unseen >= estimate.low - 1e-9 && unseen <= estimate.high + 1e-9 ? 1 : 0;
    }
    return static_cast<double>(contained) / static_cast<double>(trials);
}

}  // namespace

TEST_CASE("what was seen once weighs as much as what was never seen") {
    Discovery discovery;
    for (const std::uint64_t fingerprint : {1U, 1U, 1U, 2U, 2U, 3U, 4U, 5U, 6U, 7U}) {
        discovery.record(0, fingerprint);
    }
    CHECK(discovery.seen() == 7);
    CHECK(discovery.next_is_new(0).value == Approx(0.5));
}

TEST_CASE("sources share what was seen, not how often") {
    Discovery discovery;
    CHECK(discovery.record(0, 7));
    CHECK_FALSE(discovery.record(1, 7));
    CHECK(discovery.seen() == 1);
    CHECK(discovery.next_is_new(0).value == Approx(1));
    CHECK(discovery.next_is_new(1).value == Approx(1));
    discovery.record(1, 7);
    CHECK(discovery.next_is_new(1).value == Approx(0));
    CHECK(discovery.next_is_new(0).value == Approx(1));
}

TEST_CASE("who has seen nothing may see anything, and who saw one thing a thousand times will see little else") {
    CHECK(probability_of_new(0, 0, 0).high == 1);
    const Estimate often = probability_of_new(1000, 0, 0);
    CHECK(often.low == 0);
    CHECK(often.high > 0.003);  // the rule of three
    CHECK(often.high < 0.008);
}

TEST_CASE("the interval of a random walk contains the truth in 95 of 100 searches", "[statistics]") {
    for (const MachineProgram& program :
         {test::lastzero(5), test::fib_join(3), test::peterson(1, 2), test::casrot(4)}) {
        const std::map<std::uint64_t, double> probabilities = probabilities_of_random_walk(program);
        const auto walk = [](std::uint64_t seed) { return std::make_unique<RandomWalk>(seed); };
        for (const std::uint64_t runs : {30U, 100U, 300U}) {
            INFO(program.name << ", " << probabilities.size() << " interleavings, " << runs << " runs");
            CHECK(coverage(program, probabilities, walk, runs, 400) >= 0.95);
        }
    }
}

}  // namespace mishap
