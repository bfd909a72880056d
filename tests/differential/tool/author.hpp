#pragma once

#include <cstdint>
#include <functional>

#include "differential/language.hpp"

namespace mishap::test::language {

/// Returns random numbers of 64 bits.
using Draw = std::function<std::uint64_t()>;

/// Writes a program of a size from 0 to 99; see `generate`.
Program write_program(const Draw& next, int size);

}  // namespace mishap::test::language
