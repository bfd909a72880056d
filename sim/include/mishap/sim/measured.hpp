#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <mishap/sim/strategy_wrapper.hpp>

namespace mishap {

/// What a strategy has done, in all its runs so far.
struct Measures {
    std::uint64_t runs = 0;
    std::uint64_t failed = 0;
    std::uint64_t abandoned = 0;  // given up by the strategy
    std::uint64_t steps = 0;
    std::uint64_t questions = 0;
    std::uint64_t classes = 0;    // offered, by all questions
    std::uint64_t mishaps = 0;    // answers other than the calm one
    std::uint64_t depth_max = 0;  // questions of the longest run
    std::uint64_t interleavings = 0;  // distinct ones, of the runs that were not abandoned
};

/// Counts what a strategy does, and changes nothing.
class Measured final : public StrategyWrapper {
public:
    explicit Measured(std::unique_ptr<Strategy> inner) : StrategyWrapper(std::move(inner)) {}

    /// Footprints are recorded whoever asks for them, so that interleavings can be told from orders.
    Needs needs() const override { return {.steps = inner().needs().steps, .footprints = true}; }
    bool begin_run(const RunInfo& run) override;
    std::uint32_t pick(const Question& question) override;
    void end_run(const Summary& summary) override;

    const Measures& measures() const { return measures_; }

private:
    Measures measures_;
    std::uint64_t depth_ = 0;
    boost::unordered_flat_set<std::uint64_t> fingerprints_;  // counted only
};

}  // namespace mishap
