#include <mishap/sim/bounded.hpp>

#include <string_view>

#include <mishap/sim/errors.hpp>

namespace mishap {

Bounded::Bounded(std::unique_ptr<Strategy> inner, const Bounds& bounds)
    : StrategyWrapper(std::move(inner)), bounds_(bounds) {
    const std::string_view inside = name();
    if (inside == "dpor" || inside == "automatic") {
        throw UsageError("partial order reduction has no bounds, for it would leave out what only they forbid; bound a random "
                         "strategy, or search with `preemptions` or `delays`");
    }
}

bool Bounded::begin_run(const RunInfo& run) {
    mishaps_ = 0;
    questions_ = 0;
    return inner().begin_run(run);
}

std::uint32_t Bounded::pick(const Question& question) {
    if (mishaps_ == bounds_.mishaps_max || questions_ == bounds_.questions_max) {
        return 0;
    }
    const std::uint32_t taken = inner().pick(question);
    ++questions_;
    mishaps_ += taken != 0 ? 1 : 0;
    return taken;
}

}  // namespace mishap
