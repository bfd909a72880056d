#include <mishap/properties/options.hpp>

namespace mishap {

WorldOptions ExploreOptions::world() const {
    return {.order = order,
            .cancellations = cancellations,
            .cancel_everywhere = cancel_everywhere,
            .forced_yields = forced_yields,
            .time_passes = time_passes,
            .timer_slack = timer_slack,
            .sweep = sweep,
            .steps_max = steps_max,
            .time_max = time_max,
            .sharing = sharing,
            .livelock_steps = livelock_steps,
            .overtaken_max = overtaken_max,
            .races = races,
            .lost_updates = lost_updates};
}

std::uint64_t ExploreOptions::effective_seed() const { return seed.value_or(hash_text(name)); }

}  // namespace mishap
