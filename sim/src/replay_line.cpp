#include <mishap/sim/replay_line.hpp>

#include <mishap/sim/detail/percent.hpp>
#include <mishap/sim/detail/tape_words.hpp>
#include <mishap/sim/errors.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace mishap {

namespace {

constexpr std::uint64_t version = 1;
constexpr std::string_view prefix = "mishap";
constexpr std::string_view white_space = " \t\r\n";
constexpr const char* advice =
    "Copy the whole line that the failing run printed, from 'mishap1:' to its last character.";

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(white_space);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(white_space) - first + 1);
}

/// Returns the line without what a shell or an editor may have left around it.
std::string_view unwrapped(std::string_view text) {
    text = trimmed(text);
    const bool has_quotes = text.size() >= 2 && text.front() == text.back() &&
                            (text.front() == '\'' || text.front() == '"' || text.front() == '`');
    return has_quotes ? trimmed(text.substr(1, text.size() - 2)) : text;
}

[[noreturn]] void refuse(std::string_view line, const std::string& why) {
    throw UsageError(
        fmt::format("The replay line {} cannot be used: {}. {}", detail::in_quotes(line), why, advice));
}

void check_version(std::string_view line) {
    const std::string_view word = line.substr(0, line.find(':'));
    const auto number = word.substr(0, prefix.size()) == prefix
                            ? detail::read_number<std::uint64_t>(word.substr(prefix.size()))
                            : std::nullopt;
    if (!number || *number == 0) {
        refuse(line, fmt::format("it begins with {} and not with 'mishap1:'", detail::in_quotes(word)));
    }
    if (*number > version) {
        throw UsageError(
            fmt::format("The replay line {} was made by a newer mishap: it has format {}, and this one reads "
                        "formats up to {}. "
                        "Update mishap to the version that printed the line.",
                        detail::in_quotes(line), *number, version));
    }
}

/// Returns the line without its checksum, once that is known to fit.
std::string_view checked(std::string_view line) {
    const auto marks = std::count(line.begin(), line.end(), ':');
    const std::string_view crc = line.substr(line.rfind(':') + 1);
    if (marks < 5 || crc.size() < 8) {
        refuse(line, fmt::format(
                         "it is cut short: it ends with {} and not with the 8 digits of a checksum after the "
                         "fields scenario, order, options and mishaps",
                         detail::in_quotes(crc)));
    }
    if (marks > 5) {
        refuse(line, fmt::format("it has {} fields instead of 6", marks + 1));
    }
    const std::string_view body = line.substr(0, line.rfind(':'));
    if (const std::string expected = detail::checksum(body); crc != expected) {
        refuse(line,
               fmt::format("it was changed on its way here, or edited: its checksum is {} and should be '{}' "
                           "(write that there if the edit was meant)",
                           detail::in_quotes(crc), expected));
    }
    return body;
}

}  // namespace

std::string to_line(const ReplayLine& replay) {
    std::string mishaps;
    for (const MishapText& mishap : replay.mishaps) {
        mishaps += mishaps.empty() ? to_text(mishap) : "," + to_text(mishap);
    }
    const std::string body =
        fmt::format("{}{}:{}:{}:{}:{}", prefix, version, detail::percent_encoded(replay.scenario, "/"),
                    detail::order_text(replay.options.order), detail::options_text(replay.options), mishaps);
    return body + ":" + detail::checksum(body);
}

ReplayLine parse_replay_line(std::string_view text) {
    const std::string_view line = unwrapped(text);
    if (line.empty()) {
        throw UsageError(fmt::format("The replay line is empty. {}", advice));
    }
    check_version(line);
    std::string_view rest = checked(line);
    detail::take_until(rest, ':');
    ReplayLine replay;
    replay.scenario = detail::percent_decoded(detail::take_until(rest, ':'));
    try {
        replay.options.order = detail::read_order(detail::take_until(rest, ':'));
        detail::read_options(detail::take_until(rest, ':'), replay.options);
        while (!rest.empty()) {
            replay.mishaps.push_back(detail::read_mishap(detail::take_until(rest, ',')));
        }
    } catch (const detail::Malformed& malformed) {
        refuse(line, malformed.what);
    }
    return replay;
}

bool is_replay_line(std::string_view text) {
    const std::string_view line = unwrapped(text);
    const std::size_t digits = line.find_first_not_of("0123456789", prefix.size());
    return line.substr(0, prefix.size()) == prefix && digits != std::string_view::npos &&
           digits > prefix.size() && line[digits] == ':';
}

}  // namespace mishap
