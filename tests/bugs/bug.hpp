#pragma once

// A corpus of bugs that real libraries had: what is known of each, so that tests can hold the searches against it.
//
// Every file <ID>.cpp beside this one tells one bug and defines two scenarios, <ID>/buggy and <ID>/fixed: one program,
// which is ordinary use, on two implementations. docs/bugs.md is the table of them all.

#include <string>
#include <string_view>
#include <vector>

#include <mishap/sim/finding.hpp>

namespace bugs {

/// What must hold of every run, whatever the program is. The text of each is the label of the finding when it does not.
enum class Invariant {
    mutual_exclusion,
    ownership,
    permits,
    no_stranded_waiter,
    arrival_order,
    bounded_bypass,
    delivered_once,
    cancel_honoured,
    cancel_balanced,
    no_orphan,
    clean,
    consistent,
    lifecycle,
    progress,
    pairing,
    no_use_after_end,
    deadline,
    no_error,
};

/// The mistake that a bug is made of.
enum class Pattern {
    baton_dropped,
    barging,
    stranded_newcomer,
    double_wake,
    cancellation_swallowed,
    cancellation_miscounted,
    late_unregistration,
    reentrancy,
    timer_meets_notification,
    close_forgets,
    records_drift,
    check_then_suspend,
    hold_and_wait,
    starvation,
    desynchronised,
};

std::string_view text(Invariant invariant);
std::string_view text(Pattern pattern);

/// What is known of a bug, and how its buggy scenario fails.
struct Bug {
    std::string_view id;        // name of the file and of the scenarios
    std::string_view upstream;  // where it was reported or repaired
    std::string_view title;
    Invariant invariant = Invariant::no_error;
    Pattern pattern = Pattern::baton_dropped;
    /// With `check`, the label of the finding must be the text of the invariant.
    mishap::FindingKind finding = mishap::FindingKind::check;
    /// The run without mishaps fails already: a mistake that needs no luck, only somebody who looks.
    bool is_calm = false;
};

/// Returns the bugs of this executable, by id.
std::vector<Bug> all_bugs();

/// Returns the page that lists them (docs/bugs.md).
std::string bugs_page();

/// Makes a bug known before `main` begins.
class BugRegistration {
public:
    explicit BugRegistration(const Bug& bug);
};

}  // namespace bugs
