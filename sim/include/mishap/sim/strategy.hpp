#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include <mishap/sim/choice.hpp>
#include <mishap/sim/entity.hpp>

namespace mishap {

/// One entity that could go next.
struct Candidate {
    std::uint64_t key = 0;      // hash of its path: equal in all runs that share the prefix
    std::uint64_t creator = 0;  // key of the entity that made it
    EntityKind kind = EntityKind::task;
    WakeReason wake = WakeReason::start;
    std::uint32_t calm_rank = 0;  // 0 is who asyncio would run; ranks follow asyncio's order
    std::uint32_t step = 0;       // the entity's own number of the step it would make, from 1
    EntityStep enabled_by;        // the step that made it ready; entity 0 before the first step
    bool is_pending_known = false;
    std::span<const Operation> pending;  // what the step will begin with, if known
};

/// Gives the candidates of a scheduling question; asked for only by strategies that look at them.
class CandidateSource {
public:
    virtual std::span<const Candidate> candidates() = 0;

protected:
    ~CandidateSource() = default;
};

/// So many mishaps of a kind may still be injected in a run, the one in question among them.
struct Budget {
    std::uint64_t object = 0;  // which every injection writes; 0 where no budget is needed
    std::uint32_t left = 0;
};

/// A place where the run could go more than one way. Valid during `Strategy::pick` only.
struct Question {
    ChoiceKind kind = ChoiceKind::none;
    std::uint32_t classes = 0;                 // at least 2
    std::span<const std::uint32_t> weights;    // one a class; empty: all equal
    std::uint64_t asker = 0;                   // of a data question: the entity that asks
    std::uint64_t key = 0;                     // names the question among those of the asker's step, for data questions
    std::uint32_t depth = 0;                   // questions answered before this one
    std::uint64_t digest = 0;                  // of the run so far
    std::uint32_t asker_step = 0;              // the asker's own step in which it asks
    Budget budget;                             // of a data question about a mishap of which a run has only so many
    std::uint32_t ordinal = 0;                 // of a data question: how many the step asked before it
    EntityStep previous;                       // who made the step before
    StepEnd previous_end = StepEnd::finished;  // and how it ended
    CandidateSource* source = nullptr;         // of a scheduling question

    /// Returns one candidate a class, by class; empty for a data question.
    std::span<const Candidate> candidates() const {
        return source != nullptr && kind == ChoiceKind::schedule ? source->candidates() : std::span<const Candidate>();
    }
};

/// What one step did; footprints and lists are filled only for strategies that asked for them.
struct Step {
    EntityStep entity;
    EntityKind kind = EntityKind::task;
    WakeReason wake = WakeReason::start;
    StepEnd end = StepEnd::finished;
    std::span<const Touch> footprint;
    std::span<const std::uint64_t> created;
    std::span<const std::uint64_t> enabled;
    std::span<const std::uint64_t> disabled;
    std::span<const std::uint32_t> data_classes;  // answers to the step's data questions, in order
    std::uint32_t timers = 0;  // armed when it ended; 0 if time may not pass while something is ready
    bool is_pending_known = false;
    std::span<const Operation> pending;  // what it had announced, if known; what may block was possible when it went
};

/// Tells a strategy which run is about to begin.
struct RunInfo {
    std::uint64_t number = 0;  // from 0, within the search
};

/// An entity that can never go on, at the end of a stuck run.
struct Blocked {
    std::uint64_t entity = 0;
    std::uint32_t step = 0;
    std::span<const Operation> pending;
};

/// How a run ended.
struct Summary {
    bool failed = false;
    bool abandoned = false;        // the strategy gave the run up
    bool over_budget = false;      // a limit on steps or time ended it
    bool cut_short = false;        // it was ended without a verdict, because an unfair order kept it from getting anywhere
    bool sampled_amounts = false;  // an amount was drawn from more values than were offered
    bool left_ready = false;       // it ended while others could still go
    std::uint64_t ended_by = 0;    // whose end was that of the run; 0 when nothing could go any more, or it failed
    std::uint64_t steps = 0;
    std::uint64_t digest = 0;
    std::uint64_t fingerprint = 0;  // of the interleaving; 0 unless footprints were asked for
    std::span<const Blocked> blocked;
};

/// Answers choices. It lives for a whole search, so that it can search rather than roll dice.
///
/// For each run: `begin_run`, then `pick` at every question and `after_step` after every step (forced ones too),
/// then `end_run`. The structs above are all that a strategy learns, and all that it needs: nothing below this
/// interface knows which strategy is at work.
class Strategy {
public:
    /// The strategies that can be asked for by name.
    enum Kind : std::uint8_t {
        automatic,   // all of them, interleaved; see Automatic
        random,      // random walk
        exhaustive,  // every run, each once
        dpor,        // every interleaving, each once: optimal dynamic partial order reduction
        pct,         // priorities that change at few random places, of depth 3
        pos,         // partial order sampling
        urw,         // uniform random walk
        surw,        // selectively uniform random walk
        preemptions, // every run, those with few preemptions of threads first
        delays,      // every run, those with few mishaps first
    };

    /// Parts of the interface that cost time and are therefore off unless asked for.
    struct Needs {
        bool steps = false;       // `after_step` is called
        bool footprints = false;  // footprints are recorded, and the fingerprint
    };

    /// What `pick` returns to give a run up; the run then ends without a verdict.
    static constexpr std::uint32_t abandon = 0xffff'ffffU;

    virtual ~Strategy() = default;

    virtual const char* name() const = 0;
    virtual Needs needs() const { return {}; }

    /// Returns whether there is another run to make.
    virtual bool begin_run(const RunInfo& run) = 0;

    /// Returns a class of `question`, or `abandon`.
    virtual std::uint32_t pick(const Question& question) = 0;

    virtual void after_step(const Step& step) { static_cast<void>(step); }
    virtual void end_run(const Summary& summary) { static_cast<void>(summary); }

    /// Returns whether every run that the options allow has been made, so that "all" may be claimed.
    virtual bool is_exhausted() const { return false; }

    /// Returns how many interleavings there are, when all were made and each was made once; nothing if this strategy makes
    /// every order of steps, or has not made all.
    virtual std::optional<std::uint64_t> interleavings() const { return std::nullopt; }

    /// Returns an upper bound (95 % confidence) of the probability that one more random run shows a new interleaving; nothing
    /// if this strategy cannot tell.
    virtual std::optional<double> next_is_new_max() const { return std::nullopt; }

    /// Returns whether equal answers led to different questions: the program is not deterministic. The search ends then.
    virtual bool has_diverged() const { return false; }
};

}  // namespace mishap
