#pragma once

// What it costs a strategy to find a failure.

#include <cstdint>

#include <functional>
#include <memory>
#include <vector>

#include <mishap/sim/make_strategy.hpp>

#include "exploration/played.hpp"

namespace mishap::test {

/// The searches of a strategy for one failure, from different seeds.
struct SearchCost {
    std::uint64_t searches = 0;
    std::uint64_t found = 0;
    std::uint64_t runs = 0;  // of all searches; one that found nothing counts with all that it made

    /// Returns the mean number of runs to the failure, estimated from below where searches found nothing.
    double mean() const { return static_cast<double>(runs) / static_cast<double>(searches); }
    bool has_found_all() const { return found == searches; }
};

/// Searches with seeds 1 to `seeds`, at most `runs_max` runs each; who finds nothing for the fifth time is not asked again.
SearchCost search_cost(Played& played, const std::function<std::unique_ptr<Strategy>(std::uint64_t seed)>& make,
                       std::uint64_t seeds, std::uint64_t runs_max);
/// The same with the strategy called `kind`, of one seed where it draws nothing.
SearchCost search_cost(Played& played, Strategy::Kind kind, std::uint64_t seeds, std::uint64_t runs_max);

/// The automatic search beside the strategies that it is made of.
struct Comparison {
    struct Single {
        Strategy::Kind kind = Strategy::random;
        SearchCost cost;
    };
    std::vector<Single> singles;
    SearchCost automatic;
    double best = 0;  // mean of the single strategy that needs fewest runs, of those that always found it

    double ratio() const { return automatic.mean() / best; }
};
Comparison compare(Played& played, std::uint64_t seeds, std::uint64_t runs_max);

}  // namespace mishap::test
