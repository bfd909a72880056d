#pragma once

#include <memory>

#include <mishap/sim/strategy.hpp>

namespace mishap {

/// A strategy around another, which does everything that a derived class does not do otherwise.
class StrategyWrapper : public Strategy {
public:
    const char* name() const override { return inner_->name(); }
    Needs needs() const override { return inner_->needs(); }
    bool begin_run(const RunInfo& run) override { return inner_->begin_run(run); }
    std::uint32_t pick(const Question& question) override { return inner_->pick(question); }
    void after_step(const Step& step) override { inner_->after_step(step); }
    void end_run(const Summary& summary) override { inner_->end_run(summary); }
    bool is_exhausted() const override { return inner_->is_exhausted(); }
    std::optional<std::uint64_t> interleavings() const override { return inner_->interleavings(); }
    std::optional<double> next_is_new_max() const override { return inner_->next_is_new_max(); }
    bool has_diverged() const override { return inner_->has_diverged(); }

protected:
    explicit StrategyWrapper(std::unique_ptr<Strategy> inner) : inner_(std::move(inner)) {}

    Strategy& inner() { return *inner_; }
    const Strategy& inner() const { return *inner_; }

private:
    std::unique_ptr<Strategy> inner_;
};

}  // namespace mishap
