#pragma once

#include <cstdint>
#include <string_view>

#include <mishap/sim/choices.hpp>

namespace mishap {

/// A chance of `mishaps` in `of`: two classes, weighted, not `of` of them.
struct Odds {
    std::uint32_t mishaps = 1;
    std::uint32_t of = 2;
};

/// Asks the search for a number from 0 to `count` - 1; 0 is the calm one, and the answer when nobody explores.
/// `label` names the question in reports.
///
/// Throws:    UsageError when `count` is 0, or no loop runs.
std::uint32_t choose(std::uint32_t count, std::string_view label = {});

/// Asks the search whether something of the given odds happens; it does not when nobody explores.
///
/// Throws:    UsageError when `odds` has more mishaps than `of`, or no loop runs.
bool chance(Odds odds, std::string_view label = {});

/// Asks the search whether the fault called `name` strikes here; it does not when nobody explores.
bool fault(std::string_view name);

}  // namespace mishap
