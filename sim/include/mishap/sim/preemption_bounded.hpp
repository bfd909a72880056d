#pragma once

#include <cstdint>

#include <mishap/sim/detail/bounded_search.hpp>

namespace mishap {

/// Makes every run once, those with fewer preemptions first: iterative preemption bounding.
///
/// A preemption is a step of another entity while the simulated thread that made the last step could go on.
/// Each costs 1; so does a mishap that is no matter of order (a value, a
/// fault, a cancellation). All else is free: who goes on when a thread waits or ends.
///
/// A task switches only where it waits, which is no preemption: for programs of tasks alone every order is
/// free, and this is a search without a bound. Use `DelayBounded` for them.
///
/// Bounds of 1 to 3 are enough for most of the 52 programs of P. Thomson, A. Donaldson and A. Betts, "Concurrency
/// Testing Using Schedule Bounding: an Empirical Study" (PPoPP 2014).
///
/// Source: M. Musuvathi, S. Qadeer, "Iterative Context Bounding for Systematic Testing of Multithreaded
/// Programs" (PLDI 2007).
class PreemptionBounded final : public detail::BoundedSearch {
public:
    /// Makes the runs with at most `preemptions_max` preemptions and mishaps of other kinds.
    explicit PreemptionBounded(std::uint32_t preemptions_max = unbounded, const Memory& memory = Memory())
        : BoundedSearch(preemptions_max, memory) {}

    const char* name() const override { return "preemption-bounded"; }

private:
    Rule rule_of(const Question& question) const override;
};

}  // namespace mishap
