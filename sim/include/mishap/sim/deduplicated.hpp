#pragma once

#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <mishap/sim/strategy_wrapper.hpp>

namespace mishap {

/// Keeps a strategy from making a run twice, and ends a search in which nothing is new any more.
///
/// What has been made is remembered as a tree of answers: below an answer all is made when every answer to the questions
/// that follow is. A run is abandoned as soon as the strategy answers so; a prefix that can still become something new is
/// never given up. When the root is made, every run was made, which may be claimed of a random strategy, too.
///
/// Runs that differ in the order of independent steps are different runs here; that they show no new interleaving counts
/// only as another run in a row without news. The memory grows with every run.
class Deduplicated final : public StrategyWrapper {
public:
    static constexpr std::uint64_t unlimited = ~std::uint64_t{0};

    /// Ends the search after `stale_runs_max` runs in a row of which none showed an interleaving that was new.
    explicit Deduplicated(std::unique_ptr<Strategy> inner, std::uint64_t stale_runs_max = unlimited)
        : StrategyWrapper(std::move(inner)), stale_runs_max_(stale_runs_max) {}

    Needs needs() const override { return {.steps = inner().needs().steps, .footprints = true}; }
    bool begin_run(const RunInfo& run) override;
    std::uint32_t pick(const Question& question) override;
    void end_run(const Summary& summary) override;
    bool is_exhausted() const override { return is_all_made_ || inner().is_exhausted(); }

    /// Returns how many runs were given up because only what had been made could follow.
    std::uint64_t repeats() const { return repeats_; }
    /// Returns whether the search ended because nothing was new for long.
    bool is_stale() const { return stale_runs_ >= stale_runs_max_; }

private:
    struct Answer {
        std::uint64_t place = 0;  // of the question: hash of all that came before
        std::uint32_t classes = 0;
        std::uint32_t taken = 0;
    };

    void mark_made();

    std::uint64_t stale_runs_max_;
    std::uint64_t stale_runs_ = 0;  // the last ones
    std::uint64_t repeats_ = 0;
    bool is_all_made_ = false;
    std::vector<Answer> path_;  // of this run
    // Looked up only.
    boost::unordered_flat_set<std::uint64_t> made_;                          // answers below which all is made
    boost::unordered_flat_map<std::uint64_t, std::uint32_t> made_at_;        // by place: how many of its answers these are
    boost::unordered_flat_set<std::uint64_t> fingerprints_;
};

}  // namespace mishap
