#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include <mishap/sim/choice.hpp>
#include <mishap/sim/entity.hpp>

namespace mishap {

/// One mishap, told without reference to the answers before it, so that it survives edits of the program.
///
/// Which members mean something depends on `kind`:
/// schedule: `who` went instead of `calm`. All others: `who` asked, in its own step, the question `ordinal` (from 0
/// within the step) and got class `taken`.
struct Mishap {
    ChoiceKind kind = ChoiceKind::schedule;
    EntityStep who;
    EntityStep calm;
    std::uint32_t ordinal = 0;
    std::uint32_t taken = 1;
    std::uint32_t classes = 2;
    std::uint64_t label = 0;  // the question's key (hash of its name); 0 when it has none

    friend bool operator==(const Mishap&, const Mishap&) = default;
};

/// The sparse form of a tape: its mishaps in the order in which they happened.
using MishapList = std::vector<Mishap>;

}  // namespace mishap
