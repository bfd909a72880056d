#include <mishap/sim/make_strategy.hpp>

#include <mishap/sim/automatic.hpp>
#include <mishap/sim/delay_bounded.hpp>
#include <mishap/sim/dpor.hpp>
#include <mishap/sim/errors.hpp>
#include <mishap/sim/exhaustive.hpp>
#include <mishap/sim/pct.hpp>
#include <mishap/sim/pos.hpp>
#include <mishap/sim/preemption_bounded.hpp>
#include <mishap/sim/random_walk.hpp>
#include <mishap/sim/surw.hpp>
#include <mishap/sim/urw.hpp>

namespace mishap {

const std::vector<StrategyName>& strategy_names() {
    static const std::vector<StrategyName> names = {
        {Strategy::automatic, "automatic", "all of the others, more of what still finds something new"},
        {Strategy::random, "random", "random walk"},
        {Strategy::pct, "pct", "random priorities that change at few random places"},
        {Strategy::pos, "pos", "partial order sampling"},
        {Strategy::urw, "urw", "uniform random walk"},
        {Strategy::surw, "surw", "selectively uniform random walk"},
        {Strategy::dpor, "dpor", "every interleaving once: optimal partial order reduction", true},
        {Strategy::preemptions, "preemptions", "every run, those with few preemptions first", true},
        {Strategy::delays, "delays", "every run, those with few mishaps first", true},
        {Strategy::exhaustive, "exhaustive", "every run, depth first", true},
    };
    return names;
}

const StrategyName& describe(Strategy::Kind kind) {
    for (const StrategyName& name : strategy_names()) {
        if (name.kind == kind) {
            return name;
        }
    }
    detail::invariant_failed("every strategy has a name");
}

std::unique_ptr<Strategy> make_strategy(Strategy::Kind kind, std::uint64_t seed, std::uint64_t first_run) {
    constexpr std::uint32_t pct_depth = 3;
    switch (kind) {
        case Strategy::automatic: return std::make_unique<Automatic>(seed, first_run == 0);
        case Strategy::random: return std::make_unique<RandomWalk>(seed);
        case Strategy::exhaustive: return std::make_unique<Exhaustive>();
        case Strategy::dpor: return std::make_unique<Dpor>();
        case Strategy::pct: return std::make_unique<Pct>(pct_depth, seed);
        case Strategy::pos: return std::make_unique<Pos>(seed);
        case Strategy::urw: return std::make_unique<Urw>(seed);
        case Strategy::surw: return std::make_unique<Surw>(seed);
        case Strategy::preemptions: return std::make_unique<PreemptionBounded>();
        case Strategy::delays: return std::make_unique<DelayBounded>();
    }
    detail::invariant_failed("every kind of strategy can be made");
}

}  // namespace mishap
