#include "exploration/search_cost.hpp"

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

}  // namespace mishap::test
