#include <mishap/sim/detail/shrink_passes.hpp>

#include <mishap/sim/exhaustive.hpp>

namespace mishap::detail {

namespace {

constexpr ShrinkPass passes[] = {
    {"drop stretches", drop_stretches}, {"drop entities", drop_entities}, {"calm stretches", calm_stretches},
    {"lower classes", lower_classes},   {"move later", move_later},       {"delay entities", delay_entities},
    {"move earlier", move_earlier},     {"single edits", try_single_edits},
};

}  // namespace

std::span<const ShrinkPass> shrink_passes() { return passes; }

bool make_local_minimum(ShrinkSession& session) {
    bool improved = true;
    while (improved && session.has_budget()) {
        improved = false;
        for (const ShrinkPass& pass : passes) {
            improved = pass.run(session) || improved;
        }
    }
    return !session.is_over();
}

bool search_for_fewer(ShrinkSession& session) {
    for (std::uint32_t bound = 0; bound < session.best().mishaps.size(); ++bound) {
        Exhaustive strategy(bound, false);
        // The first failure ends it: all bounds below were searched, so it has as few mishaps as there can be.
        bool found = false;
        while (!found && session.has_budget_to_search() && strategy.begin_run({})) {
            found = session.try_run_of(strategy);
        }
        if (!found && !strategy.is_bound_exhausted()) {
            return false;
        }
    }
    return true;
}

bool choose_among_equals(ShrinkSession& session) {
    Exhaustive strategy(static_cast<std::uint32_t>(session.best().mishaps.size()), false);
    while (session.has_budget_to_search() && strategy.begin_run({})) {
        session.try_run_of(strategy);
    }
    return strategy.is_bound_exhausted();
}

}  // namespace mishap::detail
