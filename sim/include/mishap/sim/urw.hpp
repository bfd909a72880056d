#pragma once

#include <cstdint>
#include <vector>

#include <mishap/sim/detail/work_tree.hpp>
#include <mishap/sim/prng.hpp>
#include <mishap/sim/strategy.hpp>

namespace mishap {

/// Draws who goes next in proportion to the steps that each has still to make: the uniform random walk. What an
/// entity has yet to create counts as its own. Data questions are answered at random, by their weights.
///
/// Guarantee: if entities never wait for each other and always make as many steps as estimated, every order of
/// their steps is equally likely, where a plain random walk prefers those in which short entities end early.
///
/// Steps are estimated by the most that an entity, known by its key, has made in any run so far. The first
/// `profile_runs` runs are random walks that only count; later ones still learn of steps that begin with a
/// question. So run n follows from the seed, n and the runs of this strategy before it. Only the runs that
/// count ask for steps, so `needs()` must be asked for every run.
///
/// Source: H. Zhao, D. Wolff, U. Mathur, A. Roychoudhury, "Selectively Uniform Concurrency Testing" (ASPLOS
/// 2025), section 3.1.
class Urw final : public Strategy {
public:
    static constexpr std::uint32_t profile_runs_default = 20;

    explicit Urw(std::uint64_t seed, std::uint32_t profile_runs = profile_runs_default);

    const char* name() const override { return "urw"; }
    Needs needs() const override { return {.steps = is_profiling_, .footprints = false}; }
    bool begin_run(const RunInfo& run) override;
    std::uint32_t pick(const Question& question) override;
    void after_step(const Step& step) override;

private:
    std::uint64_t seed_;
    std::uint32_t profile_runs_left_;
    bool is_profiling_;
    Prng prng_;
    detail::WorkTree steps_;
    std::vector<std::uint64_t> weights_;  // of the candidates; kept for its memory
};

}  // namespace mishap
