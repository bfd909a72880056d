#pragma once

#include <span>

#include <mishap/sim/detail/shrink_session.hpp>

namespace mishap::detail {

// The passes of the shrinker. Each goes once through the best run, tries one kind of edit wherever it applies, and returns
// whether any helped. All stop when the budget is used up.
//
// Only `try_single_edits` is needed for a local minimum; the others get there in fewer runs and out of worse places.

/// Drops stretches of neighbouring mishaps, halves first, single ones last. The mishaps behind keep their entities.
bool drop_stretches(ShrinkSession& session);

/// Drops all mishaps of one entity at once: those in which it went too early, and the answers it was given.
bool drop_entities(ShrinkSession& session);

/// Makes stretches of neighbouring mishaps calm, halves first. The answers behind keep their positions.
bool calm_stretches(ShrinkSession& session);

/// Replaces the class of a mishap by a smaller one, the smallest first.
bool lower_classes(ShrinkSession& session);

/// Moves a mishap to a later question, the latest first, in halving distances.
bool move_later(ShrinkSession& session);

/// Moves a mishap to an earlier question, in doubling distances: a failure that comes sooner takes fewer steps.
bool move_earlier(ShrinkSession& session);

/// Lets the entity that went too early go later, whoever goes instead: towards the order in which all became ready.
bool delay_entities(ShrinkSession& session);

/// Tries every single edit of the best: each mishap dropped, one class lower, one question later or earlier, its entity one
/// step later; the answers behind by position and by entity. When none helps, the best is a local minimum.
bool try_single_edits(ShrinkSession& session);

/// A pass and what it is called.
struct ShrinkPass {
    const char* name;
    bool (*run)(ShrinkSession&);
};

/// Returns all of the above in the order in which they should run.
std::span<const ShrinkPass> shrink_passes();

/// Repeats the passes until none of them helps. Returns whether the best is a local minimum, that is unless the budget ended.
bool make_local_minimum(ShrinkSession& session);

/// Makes every run with fewer mishaps than the best has, fewest first, until none fails alike. Returns whether that was
/// brought to an end, so that no run with fewer mishaps fails alike.
bool search_for_fewer(ShrinkSession& session);

/// Makes every run with as many mishaps as the best has, and keeps the simplest. Returns whether all could be made.
bool choose_among_equals(ShrinkSession& session);

}  // namespace mishap::detail
