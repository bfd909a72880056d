#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <mishap/sim/detail/execution.hpp>
#include <mishap/sim/detail/wakeup_tree.hpp>

namespace mishap::detail {

/// Remembers what steps turned out to touch, so that a step that was made once need not be made again to know it.
///
/// A step is determined by what its entity knew and by the values it found. Both are named by hashes of steps: those
/// before it of its entity and its causes, and the last write of each object. What is remembered: of steps that announce
/// what they do, the updates that turned out to be reads (a failed compare-exchange); of the others, every footprint.
class StepMemory {
public:
    StepMemory(const Footprints& footprints, Answers& answers) : footprints_(footprints), answers_(answers) {}

    /// Learns from step `event` of `execution`; `asks_data` says whether any step was ever asked data questions. Returns false
    /// if the step contradicts what is remembered: its entity knew the same and found the same, and yet it did something
    /// else, so that something is missing in the footprints.
    bool learn(const Execution& execution, std::uint32_t event, bool asks_data);

    /// Gives `step` the footprint and the answers that it has after `execution` and then `before`, if a step that was made
    /// tells them, else the footprint that it has at most.
    void complete(PlannedStep& step, const Execution& execution, std::span<const PlannedStep> before);

    std::size_t size() const { return facts_.size() + footprints_seen_.size(); }

private:
    struct Seen {
        std::uint32_t footprint = 0;
        std::uint32_t answers = 0;
        std::uint32_t questions = 0;
        std::uint32_t next = KeyIndex::none;
    };
    static constexpr std::size_t size_max = std::size_t{1} << 20U;  // some 60 MiB; more is forgotten: it costs time, never a run

    const Footprints& footprints_;
    Answers& answers_;
    KeyIndex facts_;
    KeyIndex chains_;                   // what entities knew, of steps that announced nothing or may be asked questions
    std::vector<std::uint32_t> heads_;  // by chain: the first of the footprints seen
    std::vector<Seen> footprints_seen_;
};

}  // namespace mishap::detail
