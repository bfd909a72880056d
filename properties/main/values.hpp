#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mishap::detail {

// Each reads the whole of `text`; `source` is the option or variable it came from.
//
// Throws:    UsageError, which says what is wrong with it and what it should look like.

std::uint64_t read_count(std::string_view text, std::string_view source);
/// Reads "500ms", "60s", "5m" or "1h".
std::chrono::nanoseconds read_duration(std::string_view text, std::string_view source);
/// Reads "65536", "64K" or "1M".
std::size_t read_size_bytes(std::string_view text, std::string_view source);

/// Returns those of `names` that `text` may have been meant to be, closest first, at most three.
std::vector<std::string> close_matches(std::string_view text, const std::vector<std::string>& names);

/// Returns " Did you mean a or b?", or nothing.
std::string did_you_mean(const std::vector<std::string>& names);

}  // namespace mishap::detail
