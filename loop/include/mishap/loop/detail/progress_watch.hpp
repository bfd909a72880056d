#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>
#include <mishap/sim/place.hpp>

namespace mishap::detail {

class TaskBase;

/// Knows the task or thread that made the last step, and how many steps in a row it has made that ended at one wait, used the
/// same objects and changed none.
///
/// Such a step has left everything as it was before, as far as can be seen. After `polls_max` ends of steps that looked at
/// something tracked it is taken to poll that; one that looked at nothing might as well count in a plain variable, and
/// is given more time.
struct SpinWatch {
    static constexpr std::uint32_t polls_max = 3;
    static constexpr std::uint32_t empty_max = 8;

    const TaskBase* who = nullptr;
    std::uint64_t steps = 0;  // of the run, when its last step ended
    std::uint32_t count = 0;  // its steps in a row that were the same, and the one before them
    // Known from its second step in a row on, so that who does not make one costs nothing:
    std::uint64_t changes = 0;    // of the world, when that step ended
    std::uint64_t reads = 0;      // as well
    std::uint64_t footprint = 0;  // of that step; known from the third on
    const char* operation = nullptr;
    Place place;
};

/// Finds steps from which nothing comes, in periods of as many as make a livelock.
///
/// A period without progress is suspicious: during the next one the values of variables are remembered, and if one more
/// brings no other value, and everybody who could go has gone in it, the run goes round in circles.
struct ProgressWatch {
    enum class Phase : std::uint8_t { idle, learning, deciding };

    std::uint64_t period = 0;     // steps; 0: nothing is watched
    std::uint64_t next_look = 0;  // when the run has made more steps than this
    Phase phase = Phase::idle;
    std::uint64_t progress = 0;    // of the world, when the period began
    std::uint64_t new_values = 0;  // as well
    std::vector<std::pair<std::uint64_t, std::uint32_t>> steps;  // of each entity, then; in no order that matters

    void begin_run() {
        phase = Phase::idle;
        progress = 0;
    }
};

/// Counts how often in a row each task was woken and waited again at the same place, with nothing to show for it.
class OvertakingWatch {
public:
    struct Task {
        const char* operation = nullptr;
        Place place;
        std::uint64_t progress_at_wake = 0;  // of the world
        std::uint64_t writes_at_wake = 0;    // as well
        std::uint32_t count = 0;
    };

    void begin_run() {
        if (!tasks_.empty()) {
            tasks_.clear();
        }
        tape_seen = 0;
    }
    Task& of(std::uint64_t key) { return tasks_[key]; }
    /// Forgets all counts: somebody went first who would not have done so calmly.
    void forget() { tasks_.clear(); }

    std::size_t tape_seen = 0;  // choices that were looked at for mishaps

private:
    boost::unordered_flat_map<std::uint64_t, Task> tasks_;  // looked up only
};

}  // namespace mishap::detail
