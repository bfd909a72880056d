#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <mishap/sim/strategy.hpp>

namespace mishap {

/// A strategy that can be asked for.
struct StrategyName {
    Strategy::Kind kind = Strategy::automatic;
    std::string_view name;
    std::string_view what;       // in a line
    bool is_systematic = false;  // one walk through all runs, of which no part can be given to another process
};

/// Returns the strategies in the order in which users should read of them.
const std::vector<StrategyName>& strategy_names();
const StrategyName& describe(Strategy::Kind kind);

/// Makes the strategy called `kind`, for the process whose first run is `first_run`.
///
/// Only the process that makes run 0 searches systematically: the others could not share its order.
std::unique_ptr<Strategy> make_strategy(Strategy::Kind kind, std::uint64_t seed, std::uint64_t first_run = 0);

}  // namespace mishap
