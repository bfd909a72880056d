#pragma once

#include <optional>
#include <span>
#include <vector>

#include <mishap/sim/mishap_list.hpp>
#include <mishap/sim/strategy.hpp>
#include <mishap/sim/tape.hpp>

namespace mishap {

/// Where a run left its tape.
struct TapeMismatch {
    std::uint32_t depth = 0;  // the number of answers that fitted
    Choice expected;          // what the tape has; kind none: the tape had ended
    Choice actual;            // what was asked
};

/// Plays a dense tape; stops the run at the first question that differs from the tape's.
class StrictPlayback final : public Strategy {
public:
    explicit StrictPlayback(std::span<const Choice> tape) : tape_(tape.begin(), tape.end()) {}

    const char* name() const override { return "strict playback"; }
    bool begin_run(const RunInfo& run) override;
    std::uint32_t pick(const Question& question) override;

    /// Returns the first question that differed, if one did. A tape that goes on after the run's end is no mismatch here:
    /// the digests of the two runs tell.
    const std::optional<TapeMismatch>& mismatch() const { return mismatch_; }
    bool is_used_up() const { return depth_ == tape_.size(); }

private:
    Tape tape_;
    std::size_t depth_ = 0;
    std::optional<TapeMismatch> mismatch_;
};

/// Plays a sparse tape: calm, except where one of its mishaps fits.
class MishapPlayback final : public Strategy {
public:
    /// How much a question must agree with a mishap for it to be played.
    enum class Match {
        exact,    // the same entities at the same steps of their own
        entity,   // the same entities, whatever their steps
        anywhere  // the entity that went wrong is there, whoever would have gone calmly
    };

    /// Plays the first answers from `prefix`, by position, and `mishaps` after them.
    explicit MishapPlayback(MishapList mishaps, Match match = Match::exact, std::span<const Choice> prefix = {});

    const char* name() const override { return "lenient playback"; }
    bool begin_run(const RunInfo& run) override;
    std::uint32_t pick(const Question& question) override;

    /// Returns how many mishaps found their question in the last run.
    std::size_t matched() const { return matched_; }

private:
    std::uint32_t pick_candidate(const Question& question);
    std::uint32_t pick_class(const Question& question);

    MishapList mishaps_;
    Match match_;
    Tape prefix_;
    std::vector<bool> is_played_;
    std::size_t matched_ = 0;
};

}  // namespace mishap
