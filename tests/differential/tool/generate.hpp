#pragma once

#include <cstdint>
#include <functional>

#include "differential/language.hpp"

namespace mishap::test::language {

/// Makes programs: the n-th of a seed is the same wherever it is made.
///
/// Sizes are spread as rapidcheck's are: the n-th program has size n mod 100. A program of size s has 2 to 8
/// tasks and at most m = 5 + 35 s / 99 operations, but not fewer than 5 and m / 2 (a few less where a body
/// ends early).
Program generate(std::uint64_t seed, std::uint64_t number);

/// Returns the smallest program that rapidcheck's shrinking finds for which `fails` still holds.
Program shrink(const Program& program, const std::function<bool(const Program&)>& fails);

}  // namespace mishap::test::language
