#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <mishap/sim/strategy.hpp>

namespace mishap {

/// Makes one run of every interleaving (Mazurkiewicz trace), and of every answer to the data questions in it.
///
/// Two steps are dependent if they are of one entity, if one created, enabled or disabled the other's entity, or if their
/// footprints conflict; runs that differ in the order of independent steps only are one interleaving. The claim is only as
/// good as the footprints: what steps share must be in them. Steps that read the clock are ordered with those that
/// move it by the rule that a step of the clock depends on every other.
///
/// Sources: P. Abdulla, S. Aronis, B. Jonsson, K. Sagonas, "Optimal dynamic partial order reduction" (POPL 2014) and
/// "Source sets: a foundation for optimal dynamic partial order reduction" (Journal of the ACM 64, 2017), optimal DPOR
/// with wakeup trees. Where this differs:
///
/// - What can be waited for. A step that may block on an object (`Operation::may_block`) is no candidate while it cannot
///   go on. Its race is not with the step that gave the object free but with the one that had taken it, and a step that
///   still waits at the end of the run takes part too. A write by a step that might have blocked takes the object; by
///   any other step it gives it back; of an update nobody knows, and it is tried.
/// - Data questions. A step with other answers is another step; the answers that were not given are inserted into the
///   wakeup tree beside the step. A race is reversed with the answers that the second step gave; what it does not ask for in
///   its new place is dropped.
/// - Budgets. An injected mishap writes the budget that it uses, and is planned only where enough is left.
/// - The clock. Its step depends on every other. Where time may pass while something can go, it is let pass wherever a timer is
///   armed, also before steps that take the last timer back.
/// - Footprints not known in advance. The last step of a wakeup sequence has not been made in its place. Wherever its
///   footprint is in doubt it is taken for dependent, and the sequence is looked at again when its turn comes: what would
///   make it redundant has been explored by then, so that its footprint is known.
///
/// With exact footprints no run is redundant: each one that ends is an interleaving of its own, none ends because all that
/// could go has been explored elsewhere. `counts()` tells how far that held. Memory does not grow with the number of runs
/// but with the branches still open, for long runs with the square of their length, and with what steps that announced
/// nothing, or an update, turned out to touch. Both are bounded (some 200 MiB in all); where the first bound would be
/// exceeded branches are left out and nothing is claimed.
class Dpor final : public Strategy {
public:
    Dpor();
    ~Dpor() override;
    Dpor(const Dpor&) = delete;
    Dpor& operator=(const Dpor&) = delete;

    const char* name() const override { return "dpor"; }
    Needs needs() const override { return {.steps = true, .footprints = true}; }
    bool begin_run(const RunInfo& run) override;
    std::uint32_t pick(const Question& question) override;
    void after_step(const Step& step) override;
    void end_run(const Summary& summary) override;

    /// Returns whether a run of every interleaving has been made. Never true after a run that was cut short (by a budget, or
    /// longer than 32,768 steps) or drew amounts from more values than were offered, nor after branches were left out, steps
    /// were surprising, or timers were armed whose deadline had come; nor when the first task ended the run while others could
    /// still go, or had gone without its waiting for that in any way.
    bool is_exhausted() const override;
    bool has_diverged() const override;
    std::optional<std::uint64_t> interleavings() const override {
        return is_exhausted() ? std::optional(counts().interleavings) : std::nullopt;
    }

    /// How the runs ended so far.
    struct Counts {
        std::uint64_t interleavings = 0;  // runs that came to their end
        std::uint64_t redundant = 0;      // runs given up: all that could go had been explored elsewhere
        std::uint64_t impossible = 0;     // steps that were planned and could not be made
        std::uint64_t surprising = 0;     // steps that did something else than before, after the same past
    };
    const Counts& counts() const;

private:
    class Search;
    std::unique_ptr<Search> search_;
};

}  // namespace mishap
