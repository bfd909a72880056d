#include "exploration/search_cost.hpp"

#include <algorithm>

namespace mishap::test {

SearchCost search_cost(Played& played, const std::function<std::unique_ptr<Strategy>(std::uint64_t seed)>& make,
                       std::uint64_t seeds, std::uint64_t runs_max) {
    SearchCost cost;
    while (cost.searches < seeds && cost.searches < cost.found + 5) {
        const std::unique_ptr<Strategy> strategy = make(++cost.searches);
        const std::uint64_t runs = runs_to_failure(played, *strategy, runs_max);
        cost.found += runs != 0 ? 1 : 0;
        cost.runs += runs != 0 ? runs : runs_max;
    }
    return cost;
}

SearchCost search_cost(Played& played, Strategy::Kind kind, std::uint64_t seeds, std::uint64_t runs_max) {
    return search_cost(
        played, [kind](std::uint64_t seed) { return make_strategy(kind, seed); },
        describe(kind).is_systematic ? 1 : seeds, runs_max);
}

Comparison compare(Played& played, std::uint64_t seeds, std::uint64_t runs_max) {
    Comparison comparison;
    comparison.best = static_cast<double>(runs_max);
    for (const Strategy::Kind kind : {Strategy::random, Strategy::pct, Strategy::pos, Strategy::urw, Strategy::surw,
                                      Strategy::preemptions, Strategy::delays, Strategy::dpor}) {
        const SearchCost cost = search_cost(played, kind, seeds, runs_max);
        comparison.best = cost.has_found_all() ? std::min(comparison.best, cost.mean()) : comparison.best;
        comparison.singles.push_back({kind, cost});
    }
    comparison.automatic = search_cost(played, Strategy::automatic, seeds, runs_max);
    return comparison;
}

}  // namespace mishap::test
