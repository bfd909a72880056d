#pragma once

// Orders of independent steps, as a strategy makes them.

#include <map>
#include <string>
#include <vector>

#include "toy_program.hpp"

namespace mishap::test {

/// Makes runs of entities that are always ready, entity i making `steps[i]` steps, and returns each run's
/// order: a letter a step, "a" for entity 0.
inline std::vector<std::string> orders_of(Strategy& strategy, const std::vector<std::uint32_t>& steps,
                                          const SearchLimits& limits) {
    std::vector<std::string> orders;
    ToyProgram program([&](World& world) {
        ToyLoop loop(world, steps);
        std::string order;
        while (!loop.is_over()) {
            order += static_cast<char>('a' + loop.step());
        }
        orders.push_back(order);
    });
    World world{WorldOptions{}};
    Explorer(program, world).search(strategy, limits);
    return orders;
}

inline SearchLimits limits(std::uint64_t runs_max, std::uint64_t first = 0, std::uint64_t stride = 1) {
    return {.runs_max = runs_max, .time_max = {}, .first_run = first, .stride = stride};
}

/// Counts equal orders, from the order numbered `from` on.
inline std::map<std::string, double> count_orders(const std::vector<std::string>& orders, std::size_t from = 0) {
    std::map<std::string, double> counts;
    for (std::size_t i = from; i < orders.size(); ++i) {
        counts[orders[i]] += 1;
    }
    return counts;
}

}  // namespace mishap::test
