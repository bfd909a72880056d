#pragma once

// Explores a body and says in a few words what came of it.

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include <mishap/loop/await.hpp>
#include <mishap/loop/sleep.hpp>
#include <mishap/properties/explore.hpp>

#include "support/catch.hpp"

namespace mishap::test {

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Returns whether some detail of the finding contains `part`.
inline bool tells(const Report& report, const std::string& part) {
    return report.finding.has_value() &&
           std::any_of(report.finding->details.begin(), report.finding->details.end(),
                       [&](const std::string& detail) { return contains(detail, part); });
}

/// Explores every order. Says how the program failed, or "passes".
inline std::string verdict(const Report& report) {
    if (report.finding.has_value()) {
        return to_text(report.finding->kind);
    }
    return report.search.is_exhausted ? "passes" : "unfinished";
}

inline ExploreOptions every_order(ExploreOptions options = {}) {
    options.strategy = Strategy::exhaustive;
    options.runs_max = 200'000;
    return options;
}

/// Makes every run that the options allow of a body that returns what came of it, and returns all that came.
template <class F>
std::set<std::string> outcomes_of(F body, const ExploreOptions& options = {}) {
    std::set<std::string> outcomes;
    const Report report = explore([&] { outcomes.insert(body()); }, every_order(options));
    INFO(report.to_text());
    CHECK(report.passed());
    CHECK(report.search.is_exhausted);
    return outcomes;
}

/// Waits for a task that may have been cancelled, and says so.
template <class T>
bool ended_well(const Task<T>& task) {
    try {
        await(task);
        return true;
    } catch (const CancelledError&) {
        return false;
    }
}

}  // namespace mishap::test
