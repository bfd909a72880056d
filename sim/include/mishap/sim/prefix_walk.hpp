#pragma once

#include <cstddef>
#include <span>

#include <mishap/sim/hash.hpp>
#include <mishap/sim/random_walk.hpp>
#include <mishap/sim/tape.hpp>

namespace mishap {

/// Plays the first answers of a tape and rolls the rest: what could still have become of a run that had come so far.
///
/// Run n of a seed and a number of answers is the same run in every search.
class PrefixWalk final : public Strategy {
public:
    /// Keeps the first `kept` answers of `tape`, which must outlive this.
    PrefixWalk(std::span<const Choice> tape, std::size_t kept, std::uint64_t seed)
        : prefix_(tape.first(kept)), walk_(mix(seed, kept)) {}

    const char* name() const override { return "prefix walk"; }
    bool begin_run(const RunInfo& run) override { return walk_.begin_run(run); }
    std::uint32_t pick(const Question& question) override {
        if (question.depth < prefix_.size()) {
            const Choice& kept = prefix_[question.depth];
            const bool is_same = kept.kind == question.kind && kept.classes == question.classes;
            return is_same ? kept.taken : abandon;
        }
        return walk_.pick(question);
    }

private:
    std::span<const Choice> prefix_;
    RandomWalk walk_;
};

}  // namespace mishap
