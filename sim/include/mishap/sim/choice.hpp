#pragma once

#include <cstdint>

namespace mishap {

/// What a question was about. The values are part of the tape format: append, never renumber.
enum class ChoiceKind : std::uint8_t {
    none = 0,      // marks the end of a tape in a mapped file; never asked
    schedule,      // which ready entity goes next
    tick,          // how many deadlines within the slack become due together
    cancel,        // is a notified task cancelled before it resumes
    forced_yield,  // does a wait that would not suspend let others go first
    value,         // choose(n)
    chance,        // chance({1, n})
    fault,         // fault("name")
    sweep,         // does this await go wrong, in the way that the sweep is about
};

/// Returns the word that reports and tape files use for `kind`.
const char* to_text(ChoiceKind kind);

/// One answered question. Class 0 is the calm one; any other class is a mishap.
struct Choice {
    std::uint32_t digest = 0;   // low half of the run's digest when the question was asked
    std::uint32_t classes = 0;  // how many answers there were, at least 2: forced answers are not recorded
    std::uint32_t taken = 0;
    ChoiceKind kind = ChoiceKind::none;

    bool is_mishap() const { return taken != 0; }
    friend bool operator==(const Choice&, const Choice&) = default;
};

}  // namespace mishap
