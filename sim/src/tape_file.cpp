#include <mishap/sim/tape_file.hpp>

#include <mishap/sim/detail/files.hpp>
#include <mishap/sim/detail/percent.hpp>
#include <mishap/sim/detail/tape_words.hpp>
#include <mishap/sim/errors.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace mishap {

namespace {

// A future version reads what this one wrote; so a change of the format is a new number here, and a second
// reader.
constexpr int version = 1;
constexpr std::string_view first_line = "mishap tape ";
constexpr std::string_view kind_letters = "-stcyvhfw";  // by ChoiceKind: one letter each, '-' for none
constexpr std::size_t choices_per_line = 6;
constexpr std::size_t file_size_max = std::size_t{1} << 30U;  // 70 million choices

/// Returns a header's value on one line, in a form that trimming does not hurt.
std::string line_value(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool is_edge_blank = c == ' ' && (i == 0 || i + 1 == text.size());
        const bool is_control = (c >= '\0' && c < ' ') || c == '\x7f';
        result += is_edge_blank || is_control || c == '%'
                      ? fmt::format("%{:02x}", static_cast<unsigned char>(c))
                      : std::string(1, c);
    }
    return result;
}

void add_choices(std::string& text, std::span<const Choice> tape) {
    text += fmt::format("choices: {}\n", tape.size());
    for (std::size_t i = 0; i < tape.size(); ++i) {
        const Choice& choice = tape[i];
        const bool ends_line = (i + 1) % choices_per_line == 0 || i + 1 == tape.size();
        text += fmt::format("{}{}{}/{}-{:08x}{}", i % choices_per_line == 0 ? "  " : "",
                            kind_letters[static_cast<std::size_t>(choice.kind)], choice.taken, choice.classes,
                            choice.digest, ends_line ? '\n' : ' ');
    }
}

/// Returns what the checksum covers: the lines without comments, blank lines, indentation and carriage
/// returns.
std::string significant(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        std::string_view line = detail::take_until(text, '\n');
        const std::size_t first = line.find_first_not_of(" \t\r");
        if (first == std::string_view::npos) {
            continue;
        }
        line = line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
        // The blank matters: a mishap may begin with '#', when its path is empty.
        if (line != "#" && line.substr(0, 2) != "# ") {
            result.append(line).append("\n");
        }
    }
    return result;
}

}  // namespace

std::string to_text(const TapeFile& file) {
    std::string text = fmt::format("{}{}\n", first_line, version);
    const auto add = [&text](std::string_view key, const std::string& value) {
        text.append(key).append(value.empty() ? ":" : ": ").append(value).append("\n");
    };
    add("scenario", line_value(file.scenario));
    add("order", detail::order_text(file.options.order));
    add("options", detail::options_text(file.options));
    add("build", line_value(file.build));
    if (!file.found.empty()) {
        add("found", line_value(file.found));
    }
    add("steps", fmt::format("{}", file.steps));
    add("digest", fmt::format("{:016x}", file.digest));
    add("mishaps", fmt::format("{}", file.mishaps.size()));
    for (const MishapText& mishap : file.mishaps) {
        text += fmt::format("  # {}\n  {}\n", to_sentence(mishap), to_text(mishap));
    }
    add_choices(text, file.dense);
    return text + fmt::format("crc: {}\n", detail::checksum(significant(text)));
}

namespace {

/// Reads the significant lines of a version 1 file between its first line and its checksum.
class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}

    TapeFile read() {
        TapeFile file;
        file.version = 1;
        file.scenario = value_text("scenario");
        file.options.order = detail::read_order(value("order"));
        detail::read_options(value("options"), file.options);
        file.build = value_text("build");
        if (rest_.substr(0, 6) == "found:") {
            file.found = value_text("found");
        }
        file.steps = number<std::uint64_t>("steps", value("steps"));
        file.digest = number<std::uint64_t>("digest", value("digest"), 16);
        // The counts are not trusted with memory: a line is asked for before anything is stored.
        for (auto left = number<std::uint64_t>("mishaps", value("mishaps")); left > 0; --left) {
            file.mishaps.push_back(detail::read_mishap(line("a mishap")));
        }
        read_choices(file.dense, number<std::uint64_t>("choices", value("choices")));
        if (!rest_.empty()) {
            throw detail::Malformed{"there is more than the header announces: " +
                                    detail::in_quotes(line(""))};
        }
        return file;
    }

private:
    std::string_view line(const char* what) {
        if (rest_.empty()) {
            throw detail::Malformed{fmt::format("it ends where {} should stand", what)};
        }
        return detail::take_until(rest_, '\n');
    }

    std::string_view value(const char* key) {
        std::string_view rest = line(key);
        const std::string_view found = rest;
        if (detail::take_until(rest, ':') != key) {
            throw detail::Malformed{
                fmt::format("the line {} stands where '{}:' should", detail::in_quotes(found), key)};
        }
        return rest.substr(std::min(rest.find_first_not_of(' '), rest.size()));
    }

    std::string value_text(const char* key) { return detail::percent_decoded(value(key)); }

    template <class Number>
    static Number number(const char* key, std::string_view text, int base = 10) {
        const auto result = detail::read_number<Number>(text, base);
        if (!result) {
            throw detail::Malformed{fmt::format("{} is no number for '{}:'", detail::in_quotes(text), key)};
        }
        return *result;
    }

    void read_choices(Tape& tape, std::uint64_t count) {
        std::string_view words;
        while (tape.size() < count) {
            words = line("a choice");
            while (!words.empty()) {
                tape.push_back(choice(detail::take_until(words, ' ')));
            }
        }
        if (tape.size() != count) {
            throw detail::Malformed{fmt::format("it announces {} choices and has more", count)};
        }
    }

    static Choice choice(std::string_view word) {
        std::string_view rest = word.substr(word.empty() ? 0 : 1);
        const auto taken = detail::read_number<std::uint32_t>(detail::take_until(rest, '/'));
        const auto classes = detail::read_number<std::uint32_t>(detail::take_until(rest, '-'));
        const auto digest = detail::read_number<std::uint32_t>(rest, 16);
        const std::size_t kind = word.empty() ? 0 : kind_letters.find(word.front());
        if (!taken || !classes || !digest || kind == 0 || kind == std::string_view::npos ||
            *taken >= *classes || *classes < 2) {
            throw detail::Malformed{detail::in_quotes(word) + " is no choice; one reads s1/3-0123abcd"};
        }
        return {*digest, *classes, *taken, static_cast<ChoiceKind>(kind)};
    }

    std::string_view rest_;
};

[[noreturn]] void refuse(std::string_view file_name, const std::string& why) {
    throw UsageError(
        fmt::format("The tape file {} cannot be used: {}. Run the scenario again to record a new tape, or "
                    "take the file from where it was whole.",
                    detail::in_quotes(file_name), why));
}

/// Says what a file that does not begin like a tape file seems to be.
void check_first_line(std::string_view text, std::string_view file_name) {
    std::string_view rest = text;
    std::string_view line = detail::take_until(rest, '\n');
    line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    if (text.empty()) {
        refuse(file_name, "it is empty");
    }
    if (line.substr(0, first_line.size()) != first_line) {
        refuse(file_name,
               fmt::format("it is no tape file, because it begins with {} and not with 'mishap tape 1' (a "
                           "replay line is passed itself, not as a file)",
                           detail::in_quotes(line)));
    }
    const auto number = detail::read_number<std::uint32_t>(line.substr(first_line.size()));
    if (!number || *number == 0) {
        refuse(file_name,
               fmt::format("its first line is {} and not 'mishap tape 1'", detail::in_quotes(line)));
    }
    if (*number > version) {
        throw UsageError(
            fmt::format("The tape file {} was made by a newer mishap: it has format {}, and this one reads "
                        "formats up to {}. Update mishap to the version that wrote the file.",
                        detail::in_quotes(file_name), *number, version));
    }
}

}  // namespace

TapeFile parse_tape_file(std::string_view text, std::string_view file_name) {
    check_first_line(text, file_name);
    const std::string lines = significant(text);
    const std::size_t last = lines.rfind('\n', lines.size() - 2) + 1;
    const std::string_view body = std::string_view(lines).substr(0, last);
    const std::string_view crc = std::string_view(lines).substr(last, lines.size() - last - 1);
    if (crc.size() != 13 || crc.substr(0, 5) != "crc: ") {
        refuse(file_name, fmt::format("it is cut short: it ends with {} and not with the line 'crc:'",
                                      detail::in_quotes(crc)));
    }
    if (const std::string expected = detail::checksum(body); crc.substr(5) != expected) {
        refuse(file_name,
               fmt::format("it was damaged, or edited: its checksum is {} and should be '{}' (write that "
                           "there if the edit was meant)",
                           detail::in_quotes(crc.substr(5)), expected));
    }
    try {
        return Reader(body.substr(body.find('\n') + 1)).read();
    } catch (const detail::Malformed& malformed) {
        refuse(file_name, malformed.what);
    }
}

void write_tape_file(const std::filesystem::path& path, const TapeFile& file) {
    detail::write_aside(path, to_text(file));
}

TapeFile read_tape_file(const std::filesystem::path& path) {
    const std::string name = path.string();
    // The first line is looked at before the rest is read, since a wrong path may lead to anything of any
    // size.
    check_first_line(detail::read_file(path, 256), name);
    const std::string text = detail::read_file(path, file_size_max + 1);
    if (text.size() > file_size_max) {
        refuse(name, fmt::format("it is larger than {} bytes", file_size_max));
    }
    return parse_tape_file(text, name);
}

}  // namespace mishap
