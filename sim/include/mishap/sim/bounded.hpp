#pragma once

#include <mishap/sim/strategy_wrapper.hpp>

namespace mishap {

/// How far from the calm run a run may go.
struct Bounds {
    static constexpr std::uint32_t none = 0xffff'ffffU;

    std::uint32_t mishaps_max = none;    // a run, of all kinds
    std::uint32_t questions_max = none;  // a run, that are not answered calmly at once
};

/// Lets a strategy answer until a run has used up its bounds; the rest of the run is calm.
///
/// The strategy is not asked beyond them, so a systematic one makes each run within the bounds once, and ends. That is
/// never a claim: what needs more mishaps is left out, so the search is not exhausted, whatever the strategy says. What
/// it estimates holds of runs within the bounds.
///
/// Throws:    UsageError around `Dpor`, and `Automatic` that has one: what is not asked there is taken for made.
class Bounded final : public StrategyWrapper {
public:
    Bounded(std::unique_ptr<Strategy> inner, const Bounds& bounds);

    bool begin_run(const RunInfo& run) override;
    std::uint32_t pick(const Question& question) override;
    bool is_exhausted() const override { return false; }
    std::optional<std::uint64_t> interleavings() const override { return std::nullopt; }

private:
    Bounds bounds_;
    std::uint32_t mishaps_ = 0;    // of this run
    std::uint32_t questions_ = 0;  // of this run, that the strategy answered
};

}  // namespace mishap
