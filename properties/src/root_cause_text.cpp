#include <mishap/properties/root_cause.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace mishap {

namespace {

constexpr std::size_t rows_told = 2;     // of each side: the story itself is told above
constexpr std::size_t mishaps_told = 2;  // by which the closest passing run differs

std::string chance(const RootCause::Estimate& estimate) {
    return fmt::format("{}.{:02}", estimate.percent() / 100, estimate.percent() % 100);
}

std::string chances(const RootCause::Jump& jump) {
    return fmt::format("(failure probability {} -> {})", chance(jump.before), chance(jump.after));
}

std::string place(const RootCause::Jump& jump, std::size_t rows) {
    const bool is_exact = jump.after.kept == jump.before.kept + 1;
    return fmt::format("{} step {} of {}: {}", is_exact ? "at" : "before or at", jump.row + 1, rows, jump.what);
}

std::string told(const char* word, const std::vector<MishapText>& mishaps) {
    if (mishaps.size() > mishaps_told) {
        return fmt::format("{} {} mishaps", word, mishaps.size());
    }
    std::string text;
    for (const MishapText& mishap : mishaps) {
        text += fmt::format("{}{}", text.empty() ? std::string(word) + " " : " and ", to_text(mishap));
    }
    return text;
}

std::string told(const char* label, const std::vector<StoryRow>& rows, std::size_t width) {
    if (rows.empty()) {
        return fmt::format("  {:<7} nothing more\n", label);
    }
    std::string text;
    for (std::size_t i = 0; i < std::min(rows.size(), rows_told); ++i) {
        text += fmt::format("  {:<7} {:<{}}  {}\n", i == 0 ? label : "", rows[i].who, width, rows[i].did);
    }
    return text;
}

std::string told(const RootCause::Passing& passing) {
    const std::string removed = told("without", passing.removed);
    const std::string added = told("with", passing.added);
    std::size_t width = 0;
    for (const std::vector<StoryRow>* const rows : {&passing.failing, &passing.passing}) {
        for (std::size_t i = 0; i < std::min(rows->size(), rows_told); ++i) {
            width = std::max(width, (*rows)[i].who.size());
        }
    }
    return fmt::format("closest passing run: {}{}{}; the same for {} step{}, then\n", removed,
                       removed.empty() || added.empty() ? "" : ", ", added, passing.rows_common,
                       passing.rows_common == 1 ? "" : "s") +
           told("fails:", passing.failing, width) + told("passes:", passing.passing, width);
}

}  // namespace

std::string RootCause::to_text() const {
    std::string text;
    if (is_inevitable_from_the_start()) {
        text = fmt::format("the failure is inevitable from the start (failure probability {})\n", chance(curve.front()));
    } else {
        text = fmt::format("the failure becomes inevitable {} {}\n", place(*inevitable, rows), chances(*inevitable));
        if (largest.has_value() && largest->after.kept != inevitable->after.kept) {
            text += fmt::format("it becomes more likely {} {}\n", place(*largest, rows), chances(*largest));
        }
    }
    return closest.has_value() ? text + told(*closest) : text;
}

}  // namespace mishap
