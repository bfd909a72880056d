#pragma once

#include <memory>
#include <vector>

#include <mishap/sim/strategy.hpp>

namespace mishap {

/// Lets several strategies make runs in turn; the search is over when one has made every run, or none has any left.
class Portfolio final : public Strategy {
public:
    explicit Portfolio(std::vector<std::unique_ptr<Strategy>> members);

    const char* name() const override { return "automatic"; }
    Needs needs() const override;
    bool begin_run(const RunInfo& run) override;
    std::uint32_t pick(const Question& question) override { return current().pick(question); }
    void after_step(const Step& step) override { current().after_step(step); }
    void end_run(const Summary& summary) override { current().end_run(summary); }
    bool is_exhausted() const override;
    bool has_diverged() const override;

private:
    Strategy& current() { return *members_[current_]; }

    std::vector<std::unique_ptr<Strategy>> members_;
    std::size_t current_ = 0;
};

/// Makes the strategy called `kind`, for the process whose first run is `first_run`.
///
/// Only the process that makes run 0 searches exhaustively: the others could not share its order.
std::unique_ptr<Strategy> make_strategy(Strategy::Kind kind, std::uint64_t seed, std::uint64_t first_run = 0);

}  // namespace mishap
