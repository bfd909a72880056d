#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <mishap/sim/strategy.hpp>

namespace mishap::detail {

/// Makes every run once, in the order of its cost: all of cost 0, then all of cost 1, and so on; depth first
/// within a cost.
///
/// A subclass says what the answers of a question cost. Each question has a free answer; a run is given by
/// where it does not take it. What a run meets for the first time behind its last such place is remembered:
/// free alternatives are made in the same round, others wait for the round of their cost. Nothing is made twice
/// and nothing is forgotten, so at the end "all" may be claimed; the price is memory, 28 bytes a new question
/// and 12 bytes a run. It is bounded (`Memory`, some 200 MiB): where that would be exceeded, what costs more than the
/// round in hand is left out, and nothing is claimed.
///
/// Invariant: a fork in the queue of round c yields runs of cost c exactly.
///
/// Source: M. Musuvathi, S. Qadeer, "Iterative Context Bounding for Systematic Testing of Multithreaded
/// Programs" (PLDI 2007), algorithm 1.
class BoundedSearch : public Strategy {
public:
    static constexpr std::uint32_t unbounded = std::numeric_limits<std::uint32_t>::max();

    /// What is remembered at most.
    struct Memory {
        std::size_t forks_max = std::size_t{1} << 22U;  // questions that wait for a later round
        std::size_t runs_max = std::size_t{1} << 23U;   // after so many runs the search ends
    };

    /// Makes the runs that cost at most `bound_max`.
    explicit BoundedSearch(std::uint32_t bound_max) : BoundedSearch(bound_max, Memory()) {}
    BoundedSearch(std::uint32_t bound_max, const Memory& memory) : bound_max_(bound_max), memory_(memory) {}

    bool begin_run(const RunInfo& run) override;
    std::uint32_t pick(const Question& question) override;
    /// Returns whether every run has been made: no answer was left out because of its cost.
    bool is_exhausted() const override { return is_bound_exhausted() && deferred_ == 0; }
    bool has_diverged() const override { return diverged_; }

    /// Returns whether every run within the bound has been made.
    bool is_bound_exhausted() const { return bound_exhausted_ && !has_forgotten_; }

    /// Returns the cost of the run that was begun last.
    std::uint32_t bound() const { return bound_; }

protected:
    /// How the cost of an answer follows from its class.
    enum class Costs : std::uint8_t {
        none,   // every class costs 0
        one,    // every class but the free one costs 1
        class_  // class i costs i; class 0 is the free one
    };
    struct Rule {
        Costs costs = Costs::none;
        std::uint32_t free_class = 0;
    };

private:
    /// A run differs from the run `base` in one answer, and from there on takes free ones.
    struct Deviation {
        std::uint32_t base = 0;
        std::uint32_t depth = 0;
        std::uint32_t taken = 0;
    };
    /// A question of a made run, some of whose answers are still to be tried.
    struct Fork {
        std::uint32_t run = 0;
        std::uint32_t depth = 0;
        std::uint32_t classes = 0;
        std::uint32_t digest = 0;  // low half, when the question was asked
        std::uint32_t next = 0;    // class
        std::uint32_t free_class = 0;
        Costs costs = Costs::none;
    };
    static constexpr std::uint32_t no_run = std::numeric_limits<std::uint32_t>::max();

    virtual Rule rule_of(const Question& question) const = 0;

    bool take_next_fork();
    void defer(const Fork& fork, std::uint32_t cost);

    std::uint32_t bound_max_;
    Memory memory_;
    std::size_t waiting_ = 0;  // forks of later rounds
    bool has_forgotten_ = false;
    std::uint32_t bound_ = 0;
    bool begun_ = false;
    bool bound_exhausted_ = false;
    bool diverged_ = false;
    std::uint64_t deferred_ = 0;  // forks beyond bound_max_
    std::vector<Deviation> runs_;
    std::vector<std::vector<Fork>> rounds_;  // by cost, each used as a stack

    std::vector<Deviation> path_;  // of the running run, by depth; the last is where it leaves its base
    std::uint32_t branch_classes_ = 0;
    std::uint32_t branch_digest_ = 0;
    std::size_t next_deviation_ = 0;
    std::uint32_t depth_ = 0;
};

}  // namespace mishap::detail
