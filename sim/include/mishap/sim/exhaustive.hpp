#pragma once

#include <limits>
#include <vector>

#include <mishap/sim/strategy.hpp>

namespace mishap {

/// Makes every run that the options allow, each once: a depth-first search over the answers.
///
/// With `mishaps_max` it makes every run with at most so many mishaps. The calm run comes first. Every run but the first
/// begins as an earlier one did, so the search notices when that leads to another state: see `has_diverged`.
class Exhaustive final : public Strategy {
public:
    static constexpr std::uint32_t unbounded = std::numeric_limits<std::uint32_t>::max();

    /// `footprints` asks for fingerprints, so that the interleavings among the runs can be counted.
    explicit Exhaustive(std::uint32_t mishaps_max = unbounded, bool footprints = true);

    const char* name() const override { return "exhaustive"; }
    Needs needs() const override { return {.steps = false, .footprints = footprints_}; }
    bool begin_run(const RunInfo& run) override;
    std::uint32_t pick(const Question& question) override;
    bool is_exhausted() const override { return exhausted_ && mishaps_max_ == unbounded; }
    bool has_diverged() const override { return diverged_; }
    /// Returns whether every run within the bound has been made.
    bool is_bound_exhausted() const { return exhausted_; }

private:
    struct Answer {
        std::uint32_t classes = 0;
        std::uint32_t taken = 0;
        std::uint32_t digest = 0;  // low half, when the question was first asked
    };

    std::uint32_t mishaps_max_;
    bool footprints_;
    bool begun_ = false;
    bool exhausted_ = false;
    bool diverged_ = false;
    std::vector<Answer> path_;
    std::size_t depth_ = 0;
    std::uint32_t mishaps_ = 0;  // on path_
};

}  // namespace mishap
