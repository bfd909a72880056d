#pragma once

#include <cstdint>
#include <vector>

#include <mishap/sim/detail/key_table.hpp>
#include <mishap/sim/prng.hpp>
#include <mishap/sim/strategy.hpp>

namespace mishap {

/// Lets the entity of highest priority go, and lowers a priority at a few random places: probabilistic
/// concurrency testing.
///
/// Every entity draws a priority when it is first seen. `depth - 1` change points are drawn from the steps 1 to
/// k, where k is the longest run so far; the entity that would make a step at a change point first falls below
/// all drawn priorities, the i-th point putting it on the i-th lowest place. Data questions are answered at
/// random, by their weights.
///
/// Guarantee: a failure that needs `depth` ordering constraints, in a program of n entities whose runs have at
/// most k steps and ask no data questions, is found by each run with a probability of at least
/// 1 / (n k^(depth - 1)).
///
/// The first `profile_runs` runs are random walks that only look for k. Run n follows from the seed, n and k:
/// other runs before it matter only by the longest of them.
///
/// Difference to the source: steps at which there was nothing to choose are counted as far as questions show
/// them (an entity's own step number), so that no step has to be reported. A change point on one of these takes
/// effect at the next question, on the entity that made the last step. The guarantee stands, because a change
/// is needed only where there is a choice.
///
/// Source: S. Burckhardt, P. Kothari, M. Musuvathi, S. Nagarakatte, "A Randomized Scheduler with Probabilistic
/// Guarantees of Finding Bugs" (ASPLOS 2010), section 3.
class Pct final : public Strategy {
public:
    static constexpr std::uint32_t profile_runs_default = 10;

    /// `depth` is at least 1; with 1 priorities never change.
    Pct(std::uint32_t depth, std::uint64_t seed, std::uint32_t profile_runs = profile_runs_default);

    const char* name() const override { return "pct"; }
    bool begin_run(const RunInfo& run) override;
    std::uint32_t pick(const Question& question) override;
    void end_run(const Summary& summary) override;

    /// Returns k: the number of steps of the longest run so far.
    std::uint64_t steps_longest() const { return steps_longest_; }

private:
    struct Entity {
        std::uint64_t priority = 0;  // 0: not drawn yet
        std::uint32_t steps = 0;     // of its own, as far as seen
    };
    struct ChangePoint {
        std::uint64_t step = 0;
        std::uint64_t priority = 0;
    };

    void draw_change_points();
    void count_steps(std::uint64_t key, std::uint32_t steps);
    void lower(std::uint64_t key, const ChangePoint& point);
    std::uint32_t highest(std::span<const Candidate> candidates);

    std::uint32_t depth_;
    std::uint64_t seed_;
    std::uint32_t profile_runs_left_;
    bool is_profiling_ = false;
    Prng prng_;
    std::uint64_t steps_longest_ = 1;
    std::uint64_t steps_ = 0;  // of this run, as far as seen
    detail::KeyTable<Entity> entities_;
    std::vector<ChangePoint> change_points_;  // by step
    std::size_t next_point_ = 0;
};

}  // namespace mishap
