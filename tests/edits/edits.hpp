#pragma once

// Edits that a programmer makes to a program while a failure of it is on record. Fixtures carry a hook at every place where
// an edit could be made; one edit at a time is switched on.

#include <optional>
#include <string>
#include <vector>

#include <mishap/mishap.hpp>

namespace mishap::edits {

enum class Operator {
    none,
    log_line,         // a line that prints something: no choice, no wait
    renamed_local,    // a lock, queue or event gets another name
    unrelated_task,   // a task or thread that has nothing to do with the bug
    wait_elsewhere,   // sleep(0) in a task that the recorded mishaps do not mention
    wait_in_failing,  // sleep(0) in a task that they do; in a thread, an access of a variable of its own
    swapped_spawns,   // two tasks are made in the other order
    raised_bound      // a loop runs once more
};

inline constexpr Operator operators[] = {Operator::log_line,        Operator::renamed_local,  Operator::unrelated_task,
                                         Operator::wait_elsewhere,  Operator::wait_in_failing, Operator::swapped_spawns,
                                         Operator::raised_bound};

/// Returns what tables call `edited`.
const char* to_text(Operator edited);

/// One edit: what, and at which of a fixture's places.
struct Edit {
    Operator edited = Operator::none;
    std::string place = {};

    friend bool operator==(const Edit&, const Edit&) = default;
};

/// Switches `edit` on for all runs that follow.
void apply(const Edit& edit);

/// Returns the edits for which the runs since the last `apply` came to a hook, in the order in which they did.
std::vector<Edit> available();

// ---- hooks -------------------------------------------------------------------------------------------------------

/// In a task that the bug needs: a log line, or a wait.
void line(const char* place);
/// In a thread that the bug needs: a log line, or an access of something that nobody else uses.
void thread_line(const char* place);
/// In a task that the bug does not need.
void elsewhere(const char* place);
/// Where a task may be made that has nothing to do with anything.
void task(const char* place);
/// The same with a thread, which is joined where the result is destroyed.
[[nodiscard]] std::optional<Thread> thread(const char* place);
/// Returns the name of an object: `name`, or another.
std::string name(const char* name);
/// Returns how often a loop runs: `count`, or once more.
int bound(const char* place, int count);
/// Calls both, which make a task each, in one order or the other.
template <class F, class G>
void spawn(const char* place, F first, G second);

bool is_swapped(const char* place);

template <class F, class G>
void spawn(const char* place, F first, G second) {
    if (is_swapped(place)) {
        second();
        first();
    } else {
        first();
        second();
    }
}

// ---- fixtures ----------------------------------------------------------------------------------------------------

/// A program with one bug, and hooks for edits that leave the bug in.
struct Fixture {
    const char* name = "";
    void (*body)() = nullptr;
    ExploreOptions options;
};

/// Returns all fixtures, those of each file in turn.
std::vector<Fixture> all_fixtures();

std::vector<Fixture> lock_fixtures();
std::vector<Fixture> cancellation_fixtures();
std::vector<Fixture> order_fixtures();
std::vector<Fixture> thread_fixtures();
std::vector<Fixture> crowd_fixtures();

}  // namespace mishap::edits
