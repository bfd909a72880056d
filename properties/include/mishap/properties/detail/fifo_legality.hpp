#pragma once

#include <functional>
#include <optional>

#include <mishap/properties/options.hpp>
#include <mishap/properties/report.hpp>

namespace mishap::detail {

/// Looks for `finding` in asyncio's own order, with those of `mishaps` that are not of scheduling.
///
/// The first run is asyncio's as it is. The others let timers come due late and together, however far apart they are, and
/// threads take any turns; all other answers stay. At most `options.fifo_runs_max` runs are made. Nothing when none may be,
/// or when `options` ask for that order already.
std::optional<FifoLegality> judge_fifo_legality(const std::function<void()>& body, const ExploreOptions& options,
                                                const Finding& finding, const MishapList& mishaps);

}  // namespace mishap::detail
