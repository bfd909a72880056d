#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <mishap/sim/place.hpp>

namespace mishap {

/// What is wrong with a run.
enum class FindingKind : std::uint8_t {
    exception,    // an exception left the program
    check,        // always() failed, or unreachable() was reached
    stuck,        // tasks are alive and nothing can ever wake them
    lost_update,  // a write was based on a value that another task had overwritten
    over_budget,  // more steps or more virtual time than the options allow
    hung,         // a step never returned
    crashed,      // the process died in the middle of a run
    destroyed,    // a primitive was destroyed while tasks waited on it
    leaked_task,  // the program ended and left a task behind
    never_retrieved,  // a future's exception was never looked at
    never_awaited,    // a coroutine of which nothing ran; in debug mode, a task that nobody looked at
    unclosed,         // something that must be closed was dropped before
    slow_step,        // in debug mode: a step that took long, and nothing else could go meanwhile
    foreign_thread,  // a real thread took part, which no tape can repeat
    wrong_thread,    // a loop was used from another thread than its own
    divergence,   // the same tape gave another run: the program is not deterministic
    broken_promise,  // tasks share something beside tracked objects, although the options say that they do not
    livelock,     // steps go on for ever and nothing comes of them
    starved,      // a task is woken again and again, and always finds that another was first
    race,         // two threads access a variable, nothing orders them, and one writes
    script,       // the scripted schedule did not come about
};

const char* to_text(FindingKind kind);

/// What is done when a detector objects.
enum class Detect : std::uint8_t { off, note, finding };

/// Something that fails a run.
struct Finding {
    FindingKind kind = FindingKind::check;
    std::string what;                // one line: what failed
    std::string label;               // what tells this finding from others of its kind; part of the signature
    Place place;                     // where, when known
    std::vector<std::string> tasks;  // the paths of the tasks it is about
    std::vector<std::string> details;  // further lines, for people

    /// Returns what two runs must share to have failed in the same way: kind, label, task names without ordinals.
    std::string signature() const;
};

/// Returns whether two signatures tell of one failure. The order in which tasks are named does not matter: it is that in which
/// they were made, and an edit may change it.
bool is_same_failure(std::string_view recorded, std::string_view found);

/// Something worth reporting that fails nothing.
struct Note {
    FindingKind kind = FindingKind::leaked_task;
    std::string what;

    friend bool operator==(const Note&, const Note&) = default;
};

}  // namespace mishap
