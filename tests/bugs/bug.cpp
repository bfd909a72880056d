#include "bug.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace bugs {

namespace {

std::vector<Bug>& registered() {
    static std::vector<Bug> bugs;
    return bugs;
}

struct InvariantRow {
    Invariant invariant;
    std::string_view text;
};

constexpr std::array invariant_rows{
    InvariantRow{Invariant::mutual_exclusion, "no more tasks are inside than may be"},
    InvariantRow{Invariant::ownership, "only who holds a lock gives it up"},
    InvariantRow{Invariant::permits, "permits are neither lost nor made"},
    InvariantRow{Invariant::no_stranded_waiter, "nobody waits for what is free"},
    InvariantRow{Invariant::arrival_order, "who came first is served first"},
    InvariantRow{Invariant::bounded_bypass, "nobody is overtaken without end"},
    InvariantRow{Invariant::delivered_once, "every item is delivered, and once"},
    InvariantRow{Invariant::cancel_honoured, "who was cancelled ends as cancelled"},
    InvariantRow{Invariant::cancel_balanced, "every CancelledError answers one request"},
    InvariantRow{Invariant::no_orphan, "nothing outlives the scope that began it"},
    InvariantRow{Invariant::clean, "what has ended leaves nothing behind"},
    InvariantRow{Invariant::consistent, "two records of one fact agree"},
    InvariantRow{Invariant::lifecycle, "a connection is made, has data, and is lost, in this order and once"},
    InvariantRow{Invariant::progress, "what can end does end"},
    InvariantRow{Invariant::pairing, "what arrives belongs to who gets it"},
    InvariantRow{Invariant::no_use_after_end, "nothing is used after its end"},
    InvariantRow{Invariant::deadline, "a deadline acts when it passes"},
    InvariantRow{Invariant::no_error, "correct use ends without an error"},
};

struct PatternRow {
    Pattern pattern;
    std::string_view text;
};

constexpr std::array pattern_rows{
    PatternRow{Pattern::baton_dropped, "baton dropped"},
    PatternRow{Pattern::barging, "barging"},
    PatternRow{Pattern::stranded_newcomer, "stranded newcomer"},
    PatternRow{Pattern::double_wake, "double wake"},
    PatternRow{Pattern::cancellation_swallowed, "cancellation swallowed"},
    PatternRow{Pattern::cancellation_miscounted, "cancellation miscounted"},
    PatternRow{Pattern::late_unregistration, "late unregistration"},
    PatternRow{Pattern::reentrancy, "re-entrancy"},
    PatternRow{Pattern::timer_meets_notification, "timer meets notification"},
    PatternRow{Pattern::close_forgets, "close forgets somebody"},
    PatternRow{Pattern::records_drift, "records drift apart"},
    PatternRow{Pattern::check_then_suspend, "check, then suspend"},
    PatternRow{Pattern::hold_and_wait, "hold and wait"},
    PatternRow{Pattern::starvation, "starvation"},
    PatternRow{Pattern::desynchronised, "question and answer out of step"},
};

// A row stands where its enumerator says.
template <class Rows>
constexpr bool are_in_order(const Rows& rows, auto member) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (static_cast<std::size_t>(rows[i].*member) != i) {
            return false;
        }
    }
    return true;
}
static_assert(are_in_order(invariant_rows, &InvariantRow::invariant));
static_assert(are_in_order(pattern_rows, &PatternRow::pattern));

}  // namespace

std::string_view text(Invariant invariant) { return invariant_rows[static_cast<std::size_t>(invariant)].text; }

std::string_view text(Pattern pattern) { return pattern_rows[static_cast<std::size_t>(pattern)].text; }

BugRegistration::BugRegistration(const Bug& bug) { registered().push_back(bug); }

std::vector<Bug> all_bugs() {
    std::vector<Bug> bugs = registered();
    std::sort(bugs.begin(), bugs.end(), [](const Bug& a, const Bug& b) { return a.id < b.id; });
    return bugs;
}

std::string bugs_page() {
    std::string page =
        "# A corpus of real bugs\n"
        "\n"
        "Every row is a bug that a library for asynchronous programs had, told again as user code on mishap's futures and\n"
        "tasks in `tests/bugs/<id>.cpp`: one program on two implementations, scenarios `<id>/buggy` and `<id>/fixed`. The\n"
        "first must be found, shrunk and replayed; the second must pass. `mishap_bugs run 'CPY-01/*'` does it by hand.\n"
        "\n"
        "What fails is one of a few invariants that know nothing of the bug (`tests/bugs/invariants.hpp`), or what the\n"
        "library finds by itself: tasks that are stuck, an exception, a budget used up. *Calm* marks bugs that need no\n"
        "mishap: asyncio's own order shows them. Bugs that take a weak memory order (folly 0677a1d24, Seastar 788c46cb3) are\n"
        "not here: simulated memory is sequentially consistent.\n"
        "\n"
        "This page is printed by `mishap_bugs_table`; a test compares the two.\n"
        "\n"
        "| id | upstream | bug | invariant | pattern | found as |\n"
        "|---|---|---|---|---|---|\n";
    const auto cell = [&](std::string_view content) {
        page += " ";
        page += content;
        page += " |";
    };
    for (const Bug& bug : all_bugs()) {
        page += "|";
        cell(bug.id);
        cell(bug.upstream);
        cell(bug.title);
        cell(text(bug.invariant));
        cell(text(bug.pattern));
        cell(std::string(mishap::to_text(bug.finding)) + (bug.is_calm ? ", calm" : ""));
        page += "\n";
    }
    return page;
}

}  // namespace bugs
