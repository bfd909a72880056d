#pragma once

#include <cstdint>

#include <mishap/sim/detail/bounded_search.hpp>

namespace mishap {

/// Makes every run once, those that are nearest to the calm one first: iterative delay bounding.
///
/// The candidates of a question are ordered as the calm run would take them: a simulated thread that can go on
/// first, else the oldest ready entity. To take the i-th of them delays i others and costs i. A mishap that is
/// no matter of order (a value, a fault, a cancellation) costs 1, whichever it is. There are fewer cheap runs
/// than with `PreemptionBounded`, where who goes on after a wait is free.
///
/// Source: M. Emmi, S. Qadeer, Z. Rakamaric, "Delay-Bounded Scheduling" (POPL 2011); its round robin is
/// asyncio's order here.
class DelayBounded final : public detail::BoundedSearch {
public:
    /// Makes the runs with at most `delays_max` delays and mishaps of other kinds.
    explicit DelayBounded(std::uint32_t delays_max = unbounded, const Memory& memory = Memory())
        : BoundedSearch(delays_max, memory) {}

    const char* name() const override { return "delay-bounded"; }

private:
    Rule rule_of(const Question& question) const override;
};

}  // namespace mishap
