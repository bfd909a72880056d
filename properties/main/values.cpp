#include "values.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include <fmt/format.h>
#include <mishap/sim/detail/tape_words.hpp>
#include <mishap/sim/errors.hpp>

namespace mishap::detail {

namespace {

[[noreturn]] void refuse(std::string_view text, std::string_view source, const char* expected) {
    throw UsageError(fmt::format("{} was given {}; it takes {}.", source, in_quotes(text), expected));
}

struct Unit {
    std::string_view suffix;
    std::uint64_t factor;
};

/// Returns `text`, a number and one of `units`, as a number of the smallest unit; nothing when it is none or too large.
template <std::size_t count>
std::optional<std::uint64_t> read_with_unit(std::string_view text, const Unit (&units)[count]) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = read_number<std::uint64_t>(text.substr(0, digits));
    for (const Unit& unit : units) {
        if (number.has_value() && text.substr(digits) == unit.suffix &&
            *number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / unit.factor) {
            return *number * unit.factor;
        }
    }
    return std::nullopt;
}

/// Returns how many letters must be changed, added, left out or swapped with their neighbour.
std::size_t distance_between(std::string_view a, std::string_view b) {
    // Rows of the table by Levenshtein, with Damerau's transpositions of neighbours.
    std::vector<std::size_t> before_last(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({change, last[j] + 1, row[j - 1] + 1});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before_last[j - 2] + 1);
            }
        }
        before_last.swap(last);
        last.swap(row);
    }
    return last[b.size()];
}

}  // namespace

std::uint64_t read_count(std::string_view text, std::string_view source) {
    const auto number = read_number<std::uint64_t>(text);
    if (!number.has_value()) {
        refuse(text, source, "a whole number that is not negative");
    }
    return *number;
}

std::chrono::nanoseconds read_duration(std::string_view text, std::string_view source) {
    constexpr Unit units[] = {{"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000}};
    const auto time_ns = read_with_unit(text, units);
    if (!time_ns.has_value()) {
        refuse(text, source, "a whole number and a unit, such as 500ms, 60s, 5m or 1h");
    }
    return std::chrono::nanoseconds(static_cast<std::int64_t>(*time_ns));
}

std::size_t read_size_bytes(std::string_view text, std::string_view source) {
    constexpr Unit units[] = {{"", 1}, {"K", 1024}, {"M", 1024 * 1024}};
    const auto size_bytes = read_with_unit(text, units);
    if (!size_bytes.has_value()) {
        refuse(text, source, "a number of bytes, such as 65536, 64K or 1M");
    }
    return static_cast<std::size_t>(*size_bytes);
}

std::vector<std::string> close_matches(std::string_view text, const std::vector<std::string>& names) {
    constexpr std::size_t matches_max = 3;
    std::vector<std::pair<std::size_t, std::string>> found;
    for (const std::string& name : names) {
        const std::size_t distance = distance_between(text, name);
        const bool is_part = text.size() >= 3 && name.find(text) != std::string::npos;
        if (is_part || distance <= std::max<std::size_t>(2, text.size() / 3)) {
            found.emplace_back(distance, name);
        }
    }
    std::sort(found.begin(), found.end());
    std::vector<std::string> matches;
    for (std::size_t i = 0; i < std::min(found.size(), matches_max); ++i) {
        matches.push_back(found[i].second);
    }
    return matches;
}

std::string did_you_mean(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
        text += (i == 0 ? "" : i + 1 == names.size() ? " or " : ", ") + names[i];
    }
    return text.empty() ? text : fmt::format(" Did you mean {}?", text);
}

}  // namespace mishap::detail
