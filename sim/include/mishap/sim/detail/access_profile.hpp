#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <mishap/sim/detail/key_table.hpp>
#include <mishap/sim/strategy.hpp>

namespace mishap::detail {

/// Which entities use which objects, how often and in which of their steps, as seen in several runs.
class AccessProfile {
public:
    /// What one entity does with one object.
    struct Accessor {
        std::uint64_t entity = 0;          // key
        std::uint32_t steps_most = 0;      // the most steps in one run that used the object
        std::uint32_t steps_now = 0;       // in the last run that did
        std::uint32_t step_last = 0;       // the last of these
        std::uint64_t run = 0;             // that run
        std::vector<std::uint32_t> steps;  // own numbers of steps that used it in any run, ascending
    };

    void begin_run() { ++run_; }

    /// Learns the footprint of a step.
    void learn(const Step& step);

    /// Returns the keys of the objects that at least two entities have used, in the order in which they were
    /// seen to be. Uses that come in one order anyway are left out: of a callback by itself, and, where there are threads,
    /// of the memory that the loop's steps may write.
    std::span<const std::uint64_t> shared_objects() const { return shared_; }

    /// Returns who uses `object`, in the order in which they were first seen to.
    std::span<const Accessor> accessors(std::uint64_t object);

private:
    KeyTable<std::vector<Accessor>> objects_;
    std::vector<std::uint64_t> shared_;
    bool has_threads_ = false;
    std::uint64_t run_ = 0;
};

/// Returns whether `touch` orders steps at all and is more than the count of an injected mishap.
inline bool is_access(const Touch& touch) {
    return touch.relation != Relation::synchronisation && !touch.is_budget;
}

}  // namespace mishap::detail
