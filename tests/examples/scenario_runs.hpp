#pragma once

// One scenario, run by run.

#include <string>

#include <mishap/mishap.hpp>
#include <mishap/properties/detail/body_program.hpp>
#include <mishap/sim/exhaustive.hpp>
#include <mishap/sim/random_walk.hpp>

namespace mishap::test {

/// The world in which a scenario runs, and the scenario as a program in it.
class ScenarioRuns {
public:
    explicit ScenarioRuns(const Scenario& scenario)
        : scenario_(scenario),
          body_(scenario_.body),
          world_(scenario_.options.world()),
          program_(body_, scenario_.options, world_) {}

    /// Makes the run in which nothing goes another way than in asyncio.
    Replayed run_calmly() { return replay(program_, world_, MishapList{}); }

    /// Makes run `number` of a random walk.
    void run_at_random(std::uint64_t seed, std::uint64_t number) {
        RandomWalk walk(seed);
        walk.begin_run({number});
        world_.begin_run(&walk);
        program_.run(world_);
    }

    Replayed play(const Tape& tape) { return replay(program_, world_, tape); }

    /// Returns the smallest number of mishaps with which a run fails as `kind`, by making every run; -1: more than `most`.
    int fewest_mishaps(FindingKind kind, int most) {
        for (int bound = 0; bound <= most; ++bound) {
            Exhaustive strategy(static_cast<std::uint32_t>(bound), false);
            while (strategy.begin_run({})) {
                world_.begin_run(&strategy);
                program_.run(world_);
                if (world_.has_failed() && world_.finding()->kind == kind) {
                    return bound;
                }
            }
        }
        return -1;
    }

    Program& program() { return program_; }
    World& world() { return world_; }
    Tape tape() const { return Tape(world_.choices().tape().begin(), world_.choices().tape().end()); }
    std::uint64_t digest() const { return world_.verdict().digest; }

private:
    Scenario scenario_;
    std::function<void()> body_;
    World world_;
    detail::BodyProgram program_;
};

}  // namespace mishap::test
