#pragma once

#include <string>
#include <vector>

#include <mishap/sim/mishap_text.hpp>
#include <mishap/sim/script.hpp>

namespace mishap::detail {

// What an edit of a program may have made of its mishaps: other lists to try, nearest first.

using MishapTexts = std::vector<MishapText>;

/// Returns the lists in which the steps of one entity, or of all entities of one name, or of all there are, are counted on
/// or back from some step: a wait was put in, or taken out, before it.
std::vector<MishapTexts> with_moved_steps(const MishapTexts& mishaps);

/// Returns the lists in which entities have other names: siblings of one name changed places, nameless ones are counted on
/// or back, and for a task that is not among those `known` another stands that the mishaps do not mention.
std::vector<MishapTexts> with_other_names(const MishapTexts& mishaps, const std::vector<std::string>& known);

/// Returns what the mishaps say about order and answers, whoever else takes part in the run.
Script as_script(const MishapTexts& mishaps);

}  // namespace mishap::detail
