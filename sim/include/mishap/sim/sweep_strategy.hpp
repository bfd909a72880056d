#pragma once

#include <cstdint>

#include <mishap/sim/strategy.hpp>

namespace mishap {

/// Lets one await of every run go wrong, the n-th that is asked about, and leaves all other questions to another strategy.
class SweepStrategy final : public Strategy {
public:
    /// Takes the n-th await, from 1. `others` must outlive it; null: all other answers are calm, and there is one run.
    explicit SweepStrategy(std::uint64_t n, Strategy* others = nullptr) : n_(n), others_(others) {}

    const char* name() const override { return "sweep"; }
    Needs needs() const override { return others_ != nullptr ? others_->needs() : Needs{}; }
    bool begin_run(const RunInfo& run) override;
    std::uint32_t pick(const Question& question) override;
    void after_step(const Step& step) override;
    void end_run(const Summary& summary) override;
    bool is_exhausted() const override { return others_ != nullptr && others_->is_exhausted(); }
    bool has_diverged() const override { return others_ != nullptr && others_->has_diverged(); }

    /// Returns whether some run has come to its n-th await.
    bool has_reached() const { return has_reached_; }

private:
    std::uint64_t n_;
    Strategy* others_;
    std::uint64_t asked_ = 0;  // awaits, in this run
    bool has_reached_ = false;
};

}  // namespace mishap
