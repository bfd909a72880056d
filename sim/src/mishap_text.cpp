#include <mishap/sim/mishap_text.hpp>

#include <mishap/sim/detail/percent.hpp>
#include <mishap/sim/detail/tape_words.hpp>

#include <fmt/format.h>

namespace mishap {

namespace {

constexpr std::string_view path_marks = "/#~%";

std::string bare(std::uint64_t key) { return fmt::format("?{:016x}", key); }

/// Returns `text` if `key` is its hash: a line that names the wrong entity is worse than one that names none.
std::string path_or_key(const std::string& text, std::uint64_t key) {
    if (path_key(text) != key) {
        return bare(key);
    }
    const bool begins_with_key = !text.empty() && text.front() == '?';
    return begins_with_key ? "?" + detail::percent_encoded(text.substr(1), path_marks)
                           : detail::percent_encoded(text, path_marks);
}

bool is_label_known(const MishapText& mishap) { return hash_text(mishap.label) == mishap.mishap.label; }

std::string label_text(const MishapText& mishap) {
    return is_label_known(mishap) ? detail::percent_encoded(mishap.label) : bare(mishap.mishap.label);
}

std::string words_for(const std::string& path, std::uint64_t key, std::uint32_t step) {
    return fmt::format("{}'s step {}", path_or_key(path, key), step);
}

/// Returns for people which of the step's questions this was.
std::string question_words(const MishapText& text) {
    const Mishap& mishap = text.mishap;
    std::string words = fmt::format("question {}", mishap.ordinal + std::uint64_t{1});
    if (mishap.label != 0) {
        words += fmt::format(" ({})", label_text(text));
    }
    return words;
}

}  // namespace

std::vector<MishapText> with_texts(const MishapList& mishaps, const Names& names) {
    std::vector<MishapText> result;
    result.reserve(mishaps.size());
    for (const Mishap& mishap : mishaps) {
        MishapText text;
        text.mishap.kind = mishap.kind;
        text.mishap.who = mishap.who;
        text.who = mishap.who.entity == detail::outside_key ? "" : names.path(mishap.who.entity);
        if (mishap.kind == ChoiceKind::schedule) {
            text.mishap.calm = mishap.calm;
            text.calm = mishap.calm.entity == detail::outside_key ? "" : names.path(mishap.calm.entity);
        } else {
            text.mishap.ordinal = mishap.ordinal;
            text.mishap.taken = mishap.taken;
            text.mishap.classes = mishap.classes;
            text.mishap.label = mishap.label;
            text.label = mishap.label == 0 ? "" : names.path(mishap.label);
        }
        result.push_back(std::move(text));
    }
    return result;
}

MishapList without_texts(std::span<const MishapText> mishaps) {
    MishapList result;
    result.reserve(mishaps.size());
    for (const MishapText& text : mishaps) {
        result.push_back(text.mishap);
    }
    return result;
}

std::string to_text(const MishapText& text) {
    const Mishap& mishap = text.mishap;
    std::string result;
    if (mishap.kind != ChoiceKind::schedule) {
        result = fmt::format("{}@", to_text(mishap.kind));
    }
    result += fmt::format("{}#{}", path_or_key(text.who, mishap.who.entity), mishap.who.step);
    if (mishap.kind == ChoiceKind::schedule) {
        return result + fmt::format("<{}#{}", path_or_key(text.calm, mishap.calm.entity), mishap.calm.step);
    }
    if (mishap.ordinal != 0) {
        result += fmt::format(".{}", mishap.ordinal);
    }
    if (mishap.taken != 1 || mishap.classes != 2) {
        result += fmt::format("={}/{}", mishap.taken, mishap.classes);
    }
    if (mishap.label != 0) {
        result += fmt::format("[{}]", label_text(text));
    }
    return result;
}

std::string to_sentence(const MishapText& text) {
    const Mishap& mishap = text.mishap;
    const std::string step = words_for(text.who, mishap.who.entity, mishap.who.step);
    switch (mishap.kind) {
        case ChoiceKind::schedule:
            return fmt::format("{} instead of {}", step,
                               words_for(text.calm, mishap.calm.entity, mishap.calm.step));
        case ChoiceKind::tick:
            return fmt::format("tick {} makes {} further deadlines due at once instead of none",
                               mishap.who.step, mishap.taken);
        case ChoiceKind::cancel:
            return fmt::format("{} begins with a cancellation", step);
        case ChoiceKind::forced_yield:
            return fmt::format("{}, {}: a wait that could go on at once yields", step, question_words(text));
        case ChoiceKind::fault:
            return fmt::format("{}, {}: the fault happens", step, question_words(text));
        case ChoiceKind::sweep:
            return fmt::format("{}, {}: the await goes wrong", step, question_words(text));
        case ChoiceKind::none:
        case ChoiceKind::value:
        case ChoiceKind::chance:
            break;
    }
    return fmt::format("{}, {}: answer {} of {} instead of 0", step, question_words(text), mishap.taken,
                       mishap.classes);
}

namespace detail {

namespace {

/// Reads a path and the number behind its last `#`, since a path may hold that mark itself.
void read_step(std::string_view text, std::string& path, EntityStep& step) {
    const std::size_t mark = text.rfind('#');
    const auto number =
        mark == std::string_view::npos ? std::nullopt : read_number<std::uint32_t>(text.substr(mark + 1));
    if (!number) {
        throw Malformed{in_quotes(text) +
                        " is no step; a step is a path, '#' and a number, as in main/worker#3"};
    }
    path = text.substr(0, mark);
    const std::string_view named =
        path.empty() || path.front() != '?' ? path : std::string_view(path).substr(1);
    if (percent_encoded(named, path_marks) != named) {
        throw Malformed{in_quotes(path) +
                        " is no path, because it holds characters that a path writes as %xx"};
    }
    step = {path_key(path), *number};
}

ChoiceKind read_kind(std::string_view word) {
    for (const ChoiceKind kind : {ChoiceKind::tick, ChoiceKind::cancel, ChoiceKind::forced_yield,
                                  ChoiceKind::value, ChoiceKind::chance, ChoiceKind::fault,
                                  ChoiceKind::sweep}) {
        if (word == mishap::to_text(kind)) {
            return kind;
        }
    }
    throw Malformed{in_quotes(word) +
                    " is no kind of mishap; the kinds are tick, cancel, yield, value, chance, fault and sweep"};
}

void read_label(std::string_view text, MishapText& result) {
    const bool is_bare = text.size() == 17 && text.front() == '?';
    const auto key = is_bare ? read_number<std::uint64_t>(text.substr(1), 16) : std::nullopt;
    result.label = key ? std::string(text) : percent_decoded(text);
    result.mishap.label = key ? *key : hash_text(result.label);
}

void read_classes(std::string_view text, Mishap& mishap) {
    std::string_view rest = text;
    const auto taken = read_number<std::uint32_t>(take_until(rest, '/'));
    const auto classes = read_number<std::uint32_t>(rest);
    if (!taken || !classes || *taken == 0 || *taken >= *classes) {
        throw Malformed{in_quotes(text) +
                        " is no answer that is a mishap; one is written 1/3, class 1 of the classes 0, 1, 2"};
    }
    mishap.taken = *taken;
    mishap.classes = *classes;
}

}  // namespace

MishapText read_mishap(std::string_view text) {
    MishapText result;
    Mishap& mishap = result.mishap;
    std::string_view rest = text;
    if (text.find('<') != std::string_view::npos) {
        mishap.kind = ChoiceKind::schedule;
        read_step(take_until(rest, '<'), result.who, mishap.who);
        read_step(rest, result.calm, mishap.calm);
        return result;
    }
    if (text.find('@') == std::string_view::npos) {
        throw Malformed{in_quotes(text) +
                        " is no mishap; one reads main/worker#3<main/reader#1, or cancel@main/a#2"};
    }
    mishap.kind = read_kind(take_until(rest, '@'));
    if (!rest.empty() && rest.back() == ']') {
        const std::size_t open = rest.find('[');
        if (open == std::string_view::npos) {
            throw Malformed{in_quotes(text) + " has ']' without '['"};
        }
        read_label(rest.substr(open + 1, rest.size() - open - 2), result);
        rest = rest.substr(0, open);
    }
    if (const std::size_t equals = rest.find('='); equals != std::string_view::npos) {
        read_classes(rest.substr(equals + 1), mishap);
        rest = rest.substr(0, equals);
    }
    // A dot may stand in a name; behind the last '#' it begins the ordinal.
    const std::size_t mark = rest.rfind('#');
    const std::size_t dot = mark == std::string_view::npos ? mark : rest.find('.', mark);
    if (dot != std::string_view::npos) {
        const auto ordinal = read_number<std::uint32_t>(rest.substr(dot + 1));
        if (!ordinal) {
            throw Malformed{in_quotes(rest) + " has no number behind its last dot"};
        }
        mishap.ordinal = *ordinal;
        rest = rest.substr(0, dot);
    }
    read_step(rest, result.who, mishap.who);
    return result;
}

}  // namespace detail
}  // namespace mishap
