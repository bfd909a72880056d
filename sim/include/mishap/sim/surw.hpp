#pragma once

#include <cstdint>
#include <vector>

#include <mishap/sim/detail/access_profile.hpp>
#include <mishap/sim/detail/work_tree.hpp>
#include <mishap/sim/prng.hpp>
#include <mishap/sim/strategy.hpp>

namespace mishap {

/// Draws one shared object for each run and makes the order of its accesses uniform: the selectively uniform
/// random walk.
///
/// One entity is drawn in proportion to the accesses that each has still to make (what it has yet to create
/// counts as its own) and is the next that may access the object: others that come to it wait. Until then it
/// and all that are about to do something else go in turns drawn by the same weights, at least 1. Data
/// questions are answered at random, by their weights.
///
/// Guarantee: if entities never wait for each other and make as many accesses as estimated, every order of the
/// accesses of the object is equally likely.
///
/// The object is one that at least two entities used in the first `profile_runs` runs, which are random walks;
/// while there is none, later runs are random walks too and go on looking. Whether a step will access the
/// object is told by `Candidate::pending`; where that is unknown, which is so for tasks, by whether the step of
/// that number did so in one of those runs. So run n follows from the seed, n and the runs of this strategy
/// before it.
///
/// Differences to the source: there, who goes when it is not about an access follows random priorities. And if
/// the object is one on which entities wait, such as a lock, the next is drawn only among those about to access
/// it, and the others go in turns of equal chance. To hold an entity back before a lock until another has come
/// there and passed would hide the deadlocks of the two: with two locks taken in opposite orders, half of them.
///
/// Source: H. Zhao, D. Wolff, U. Mathur, A. Roychoudhury, "Selectively Uniform Concurrency Testing" (ASPLOS
/// 2025), section 3.2.
class Surw final : public Strategy {
public:
    static constexpr std::uint32_t profile_runs_default = 20;

    explicit Surw(std::uint64_t seed, std::uint32_t profile_runs = profile_runs_default);

    const char* name() const override { return "surw"; }
    Needs needs() const override { return {.steps = true, .footprints = false}; }
    bool begin_run(const RunInfo& run) override;
    std::uint32_t pick(const Question& question) override;
    void after_step(const Step& step) override;

private:
    /// What is asked of a candidate.
    struct Contender {
        std::uint64_t weight = 0;  // accesses left
        bool is_about_to_access = false;
    };

    void choose_object();
    void look_at(std::span<const Candidate> candidates);
    bool will_access(const Candidate& candidate);
    void draw_next_accessor(std::span<const Candidate> candidates);

    std::uint64_t seed_;
    std::uint32_t profile_runs_left_;
    bool is_profiling_ = false;
    Prng prng_;
    detail::AccessProfile profile_;
    detail::WorkTree accesses_;  // of the chosen object
    detail::KeyTable<bool> waited_for_;  // objects on which entities wait
    std::uint64_t object_ = 0;
    bool is_waited_for_ = false;  // that object
    detail::KeyTable<std::span<const std::uint32_t>> access_steps_;  // by entity: its steps that access the object
    bool has_drawn_ = false;
    std::uint64_t drawn_ = 0;  // the entity that may access the object next
    std::vector<Contender> contenders_;   // by class; kept for its memory, as is the next
    std::vector<std::uint64_t> weights_;  // by class
};

}  // namespace mishap
