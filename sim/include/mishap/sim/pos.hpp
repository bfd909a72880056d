#pragma once

#include <cstdint>
#include <vector>

#include <mishap/sim/detail/key_table.hpp>
#include <mishap/sim/prng.hpp>
#include <mishap/sim/strategy.hpp>

namespace mishap {

/// Gives every pending step a random priority and lets the highest go; what races with it draws anew: partial
/// order sampling. Data questions are answered at random, by their weights.
///
/// Two pending steps race when they use one object, at least one not only reading it. A step whose operations
/// are not known may race with every other. So with `Candidate::pending` unknown, which is so for tasks, every
/// step draws anew everywhere and the strategy is a random walk.
///
/// So what is likely is an order of the races, however many steps that race with nothing lie between them: where a
/// random walk must win at every step, POS must win once a race.
///
/// Run n of a seed is the same run in every search, whatever ran before it.
///
/// Source: X. Yuan, J. Yang, R. Gu, "Partial Order Aware Concurrency Sampling" (CAV 2018), section 4.
class Pos final : public Strategy {
public:
    explicit Pos(std::uint64_t seed) : seed_(seed), prng_(seed) {}

    const char* name() const override { return "pos"; }
    bool begin_run(const RunInfo& run) override;
    std::uint32_t pick(const Question& question) override;

private:
    struct PendingStep {
        std::uint64_t priority = 0;
        std::uint32_t step = 0;  // the entity's own number of it; 0: none drawn
    };

    std::uint64_t seed_;
    Prng prng_;
    detail::KeyTable<PendingStep> entities_;
};

}  // namespace mishap
