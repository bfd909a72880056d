#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <mishap/sim/mishap_text.hpp>
#include <mishap/sim/world.hpp>

namespace mishap::detail {

// What the replay line and the tape file have in common: the words for options and mishaps, numbers, the
// checksum.

/// Says which part of a line or file is wrong; its reader adds where that part stands and what to do.
struct Malformed {
    std::string what;
};

/// Returns the options that differ from the defaults, without the order: `cancel=1,slack=1ms`.
std::string options_text(const WorldOptions& options);
/// Sets in `options` what `text` says.
///
/// Throws:    Malformed.
void read_options(std::string_view text, WorldOptions& options);

const char* order_text(Order order);
/// Throws:    Malformed.
Order read_order(std::string_view text);

/// Reads what `to_text(MishapText)` writes.
///
/// Throws:    Malformed.
MishapText read_mishap(std::string_view text);

/// Returns the CRC-32 (IEEE 802.3) of `text` as 8 hexadecimal digits.
std::string checksum(std::string_view text);

/// Returns `text` in quotes for an error, made printable, and cut when it is long.
std::string in_quotes(std::string_view text);

/// Returns the number that the whole of `text` is, if it is one.
template <class Number>
std::optional<Number> read_number(std::string_view text, int base = 10) {
    Number number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number, base);
    return error == std::errc() && stop == end && !text.empty() ? std::optional<Number>(number)
                                                                : std::nullopt;
}

/// Returns what stands before the first `mark` and moves `text` behind it; all of it when there is no mark.
inline std::string_view take_until(std::string_view& text, char mark) {
    const std::size_t at = text.find(mark);
    const std::string_view part = text.substr(0, at);
    text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
    return part;
}

}  // namespace mishap::detail
