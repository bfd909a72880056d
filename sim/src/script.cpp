#include <mishap/sim/script.hpp>

#include <fmt/format.h>

namespace mishap {

namespace {

ScriptPlace step_place(std::string_view path, std::uint32_t step) { return {std::string(path), step}; }

ScriptPlace checkpoint_place(std::string_view path, std::string_view checkpoint, std::uint32_t occurrence) {
    return {std::string(path), 0, std::string(checkpoint), occurrence};
}

Constraint question_at(const ScriptPlace& place, ChoiceKind kind, std::uint32_t question, std::uint32_t answer) {
    Constraint constraint;
    constraint.kind = kind;
    constraint.place = place;
    constraint.question = question;
    constraint.answer = answer;
    return constraint;
}

std::string arguments(const ScriptPlace& place) {
    const std::string path = detail::cpp_literal(place.path);
    if (place.step != 0) {
        return fmt::format("{}, {}", path, place.step);
    }
    return fmt::format("{}, {}{}", path, detail::cpp_literal(place.checkpoint),
                       place.occurrence == 1 ? std::string() : fmt::format(", {}", place.occurrence));
}

std::string begin_of(const ScriptPlace& place) {
    return place.path == detail::clock_path ? fmt::format("at_tick({})", place.step)
                                            : fmt::format("at({})", arguments(place));
}

std::string problem_with_place(const ScriptPlace& place) {
    if (place.path.empty()) {
        return "it names an entity without a path; the program's own function is \"main\", a task that it makes \"main/<name>\"";
    }
    if (place.step == 0 && place.checkpoint.empty()) {
        return "it names step 0, or a checkpoint without a text; steps are counted from 1";
    }
    return place.step == 0 && place.occurrence == 0 ? "occurrences of a checkpoint are counted from 1" : "";
}

std::string problem_with_constraint(const Constraint& constraint) {
    std::string problem = problem_with_place(constraint.place);
    for (const ScriptPlace& held : constraint.held) {
        if (problem.empty()) {
            problem = problem_with_place(held);
        }
        if (problem.empty() && held.path == constraint.place.path) {
            problem = fmt::format("{} would wait for itself", held.path);
        }
        if (problem.empty() && held.path == detail::clock_path) {
            problem = "the clock waits for nobody; it moves when nothing is ready";
        }
    }
    if (problem.empty() && constraint.kind == ChoiceKind::schedule && constraint.held.empty()) {
        problem = "nobody is held back by it; say before(...)";
    }
    if (problem.empty() && constraint.kind != ChoiceKind::schedule && constraint.answer == 0) {
        problem = "answer 0 is the calm one, which is given anyway";
    }
    return problem;
}

}  // namespace

Constraint Constraint::before(std::string_view path, std::uint32_t step) const {
    Constraint more = *this;
    more.held.push_back(step_place(path, step));
    return more;
}

Constraint Constraint::before(std::string_view path, std::string_view checkpoint, std::uint32_t occurrence) const {
    Constraint more = *this;
    more.held.push_back(checkpoint_place(path, checkpoint, occurrence));
    return more;
}

Constraint At::before(std::string_view path, std::uint32_t step) const {
    return Constraint{.place = place_}.before(path, step);
}

Constraint At::before(std::string_view path, std::string_view checkpoint, std::uint32_t occurrence) const {
    return Constraint{.place = place_}.before(path, checkpoint, occurrence);
}

Constraint At::cancelled() const { return question_at(place_, ChoiceKind::cancel, Constraint::any_question, 1); }

Constraint At::yields(std::uint32_t question) const {
    return question_at(place_, ChoiceKind::forced_yield, question, 1);
}

Constraint At::goes_wrong(std::uint32_t question) const {
    return question_at(place_, ChoiceKind::sweep, question, 1);
}

Constraint At::gets(std::string_view label, std::uint32_t answer, std::uint32_t question) const {
    Constraint constraint = question_at(place_, ChoiceKind::value, question, answer);
    constraint.label = label;
    return constraint;
}

Constraint At::makes_further_due(std::uint32_t count) const {
    return question_at(place_, ChoiceKind::tick, Constraint::any_question, count);
}

At at(std::string_view path, std::uint32_t step) { return At(step_place(path, step)); }

At at(std::string_view path, std::string_view checkpoint, std::uint32_t occurrence) {
    return At(checkpoint_place(path, checkpoint, occurrence));
}

At at_tick(std::uint32_t number) { return At(step_place(detail::clock_path, number)); }

std::string to_text(const Constraint& constraint) {
    std::string text = begin_of(constraint.place);
    const bool has_question = constraint.question != Constraint::any_question;
    switch (constraint.kind) {
        case ChoiceKind::cancel:
            return text + ".cancelled()";
        case ChoiceKind::forced_yield:
            return text + fmt::format(".yields({})", has_question ? fmt::format("{}", constraint.question) : "");
        case ChoiceKind::sweep:
            return text + fmt::format(".goes_wrong({})", has_question ? fmt::format("{}", constraint.question) : "");
        case ChoiceKind::tick:
            return text + fmt::format(".makes_further_due({})", constraint.answer);
        case ChoiceKind::value:
        case ChoiceKind::chance:
        case ChoiceKind::fault:
            return text + fmt::format(".gets({}, {}{})", detail::cpp_literal(constraint.label), constraint.answer,
                                      has_question ? fmt::format(", {}", constraint.question) : "");
        case ChoiceKind::schedule:
        case ChoiceKind::none:
            break;
    }
    for (const ScriptPlace& held : constraint.held) {
        text += fmt::format(".before({})", arguments(held));
    }
    return text;
}

std::string problem_with(const Script& script) {
    for (const Constraint& constraint : script) {
        if (const std::string problem = problem_with_constraint(constraint); !problem.empty()) {
            return fmt::format("{}: {}", to_text(constraint), problem);
        }
    }
    return {};
}

namespace detail {

std::string cpp_literal(std::string_view text) {
    std::string literal = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            literal += '\\';
            literal += c;
        } else if (c == '\n') {
            literal += "\\n";
        } else if (c == '\t') {
            literal += "\\t";
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            // Three octal digits end by themselves, unlike hexadecimal ones.
            literal += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
        } else {
            literal += c;
        }
    }
    return literal + '"';
}

}  // namespace detail
}  // namespace mishap
