#include <mishap/sim/path.hpp>

#include <mishap/sim/detail/percent.hpp>

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <vector>

namespace mishap {

namespace {

/// Splits `worker#3` into its word and number; the number is 0 when `mark` does not stand before digits at
/// the end.
struct Numbered {
    std::string_view word;
    std::uint64_t number = 0;
};

Numbered split_number(std::string_view segment, char mark) {
    const std::size_t at = segment.rfind(mark);
    if (at == std::string_view::npos || at + 1 == segment.size()) {
        return {segment, 0};
    }
    Numbered result{segment.substr(0, at), 0};
    const char* const end = segment.data() + segment.size();
    const auto [stop, error] = std::from_chars(segment.data() + at + 1, end, result.number);
    return error == std::errc() && stop == end ? result : Numbered{segment, 0};
}

std::uint64_t segment_key(std::uint64_t creator, std::string_view segment) {
    const Numbered ordinal = split_number(segment, '#');
    if (ordinal.word.size() != segment.size()) {
        return detail::child_key(creator, hash_text(detail::percent_decoded(ordinal.word)), ordinal.number);
    }
    const Numbered copy = split_number(segment, '~');
    const std::uint64_t name = hash_text(detail::percent_decoded(copy.word));
    return detail::named_key(creator, name, copy.number == 0 ? 1 : copy.number);
}

/// Returns the key that `?` and 16 hexadecimal digits stand for: the way in which a nameless key is written.
std::optional<std::uint64_t> bare_key(std::string_view segment) {
    if (segment.size() != 17 || segment.front() != '?') {
        return std::nullopt;
    }
    std::uint64_t key = 0;
    const char* const end = segment.data() + segment.size();
    const auto [stop, error] = std::from_chars(segment.data() + 1, end, key, 16);
    return error == std::errc() && stop == end ? std::optional(key) : std::nullopt;
}

}  // namespace

std::uint64_t path_key(std::string_view text) {
    std::uint64_t key = detail::outside_key;
    if (const std::optional<std::uint64_t> bare = bare_key(text.substr(0, text.find('/')))) {
        key = *bare;
        text = text.size() > 17 ? text.substr(18) : std::string_view();
    }
    while (!text.empty()) {
        const std::size_t slash = text.find('/');
        key = segment_key(key, text.substr(0, slash));
        text = slash == std::string_view::npos ? std::string_view() : text.substr(slash + 1);
    }
    return key;
}

std::string path_segment(std::string_view name) { return detail::percent_encoded(name); }

void Names::put(std::uint64_t key, std::uint64_t creator, std::string segment) {
    entries_.insert_or_assign(key, Entry{creator, std::move(segment)});
}

std::string Names::path(std::uint64_t key) const {
    // Not recursive: a chain of tasks that each start the next is as long as the program likes.
    std::vector<std::string_view> segments;
    std::string path;
    do {
        const auto found = entries_.find(key);
        if (found == entries_.end()) {
            path = fmt::format("?{:016x}", key);
            break;
        }
        segments.push_back(found->second.segment);
        key = found->second.creator;
    } while (key != detail::outside_key);
    while (!segments.empty()) {
        path.append(path.empty() ? "" : "/").append(segments.back());
        segments.pop_back();
    }
    return path;
}

}  // namespace mishap
