#include "exploration/played.hpp"

#include <mishap/properties/detail/body_program.hpp>

namespace mishap::test {

ExploreOptions only_checks() {
    ExploreOptions options;
    options.races = Detect::off;
    options.lost_updates = Detect::off;
    options.step_time_max = {};
    return options;
}

Played::Played(std::function<void()> body, ExploreOptions options)
    : body_(std::move(body)), options_(std::move(options)), world_(options_.world()),
      program_(std::make_unique<detail::BodyProgram>(body_, options_, world_)) {}

Played::~Played() = default;

bool Played::play(Strategy& strategy, std::uint64_t number) {
    if (!strategy.begin_run({number})) {
        return false;
    }
    world_.begin_run(&strategy);
    program_->run(world_);
    blocked_.clear();
    for (const World::BlockedEntity& entity : world_.blocked()) {
        blocked_.push_back({entity.who.entity, entity.who.step, entity.pending.span()});
    }
    strategy.end_run({.failed = world_.has_failed(),
                      .abandoned = world_.choices().is_abandoned(),
                      .over_budget = world_.has_failed() && world_.finding()->kind == FindingKind::over_budget,
                      .steps = world_.verdict().steps,
                      .digest = world_.verdict().digest,
                      .fingerprint = world_.fingerprint(),
                      .blocked = blocked_});
    return true;
}

std::uint64_t runs_to_failure(Played& played, Strategy& strategy, std::uint64_t runs_max) {
    for (std::uint64_t run = 0; run < runs_max && played.play(strategy, run); ++run) {
        if (played.has_failed()) {
            return run + 1;
        }
    }
    return 0;
}

}  // namespace mishap::test
