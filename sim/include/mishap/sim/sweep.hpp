#pragma once

#include <cstdint>

namespace mishap {

/// In which way an await goes wrong when a sweep comes to it.
///
/// While one is chosen, every await that suspends its task is asked about, until one has gone wrong: at most one does in a
/// run. The values are part of the tape format.
enum class Sweep : std::uint8_t {
    off,
    cancel,   // the task is cancelled as it begins to wait
    timeout,  // what is awaited is cancelled; the await throws TimeoutError when it has ended
    fail      // the same with InjectedFailure
};

/// Returns the word that options, replay lines and reports use for `sweep`.
const char* to_text(Sweep sweep);

}  // namespace mishap
