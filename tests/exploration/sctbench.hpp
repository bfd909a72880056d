#pragma once

// Small programs with known failures, after SCTBench (P. Thomson, A. Donaldson, A. Betts, "Concurrency Testing
// Using Schedule Bounding: an Empirical Study", PPoPP 2014), ConVul (CVE-...) and the papers on the strategies.
//
// What can differ between two models of them is fixed: memory is sequentially consistent, each access of shared
// data, lock, unlock, wait, re-acquisition and signal is a step, nothing else is; all threads exist from the
// begin, and who makes and joins them goes before the first and after the last. So the probability that a strategy's run fails is a property
// of the table, not of the harness.

#include <optional>
#include <vector>

#include "exploration/actors.hpp"

namespace mishap::test {

/// What is known of a program. Probabilities are those of one run to fail.
struct KnownProgram {
    ActorProgram program;
    /// Of a random walk, by enumeration of all states; none where there are too many.
    std::optional<double> random_walk;
    // By 100'000 runs of a model, so with a standard deviation of 0.0016 at most; URW with what 300 random walks made at
    // most as estimates, SURW likewise, but that of reorder_<n>_bad follows from estimates of one access each. PCT has none:
    // its change points fall on the steps of the first task, too, which the model has not.
    double pos = 0;
    double urw = 0;
    double surw = 0;
    std::uint32_t preemptions = 0;  // that the failure needs
    std::uint32_t delays = 0;       // when after the end of a thread the oldest is due, not the next in turn
    // Schedules up to the first failure. They depend on the order of the search: orders of magnitude.
    std::uint32_t preemption_bounded = 1;
    std::uint32_t delay_bounded = 1;
};

/// Returns all of them, with what is known.
std::vector<KnownProgram> sctbench();

/// Returns the one called `name`.
KnownProgram sctbench(const std::string& name);

// Programs with a size.
ActorProgram din_phil(int philosophers);                 // "din_phil<n>_sat"
ActorProgram reorder_bad(int setters, int checkers);     // "reorder_<n>_bad"
ActorProgram lost_update(int threads, int increments);   // "lost_update(t,k)": fails if an update is lost
ActorProgram min_counter(int threads, int increments);   // "min_counter(t,k)": fails if all but two are
ActorProgram philosophers(int count);                    // "philosophers(n)"
ActorProgram uneven(int writes);                         // "uneven(k)": fails if the short thread writes last

}  // namespace mishap::test
