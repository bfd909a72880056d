#pragma once

#include <mishap/sim/prng.hpp>
#include <mishap/sim/strategy.hpp>

namespace mishap {

/// Answers every question at random: candidates with equal probability, classes by their weights.
///
/// Run n of a seed is the same run in every search, whatever ran before it.
class RandomWalk final : public Strategy {
public:
    /// Makes at most `runs_max` runs.
    explicit RandomWalk(std::uint64_t seed, std::uint64_t runs_max = ~std::uint64_t{0});

    const char* name() const override { return "random"; }
    bool begin_run(const RunInfo& run) override;
    std::uint32_t pick(const Question& question) override;

private:
    std::uint64_t seed_;
    std::uint64_t runs_max_;
    Prng prng_;
};

}  // namespace mishap
