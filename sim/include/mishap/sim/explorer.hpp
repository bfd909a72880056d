#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include <boost/unordered/unordered_flat_map.hpp>
#include <mishap/sim/playback.hpp>
#include <mishap/sim/world.hpp>

namespace mishap {

/// A program under test, as the explorer sees it.
class Program {
public:
    virtual ~Program() = default;

    /// Makes one whole run in `world`, whose run has begun; what is wrong with it the world is told, and when the part
    /// that counts is over (`World::end_verdict`).
    virtual void run(World& world) = 0;
};

/// Returns what a strategy is told of the run that `world` has made; valid as long as `blocked` is.
Summary summary_of(const World& world, std::vector<Blocked>& blocked);

/// When a search ends, other than by finding something or by having seen everything.
struct SearchLimits {
    std::uint64_t runs_max = 10'000;
    std::chrono::nanoseconds time_max{0};  // real; 0: no limit
    std::uint64_t first_run = 0;           // runs first_run, first_run + stride, ... are made
    std::uint64_t stride = 1;
};

/// A run that failed.
struct Failure {
    std::uint64_t run = 0;
    Finding finding;
    Tape tape;
    std::uint64_t digest = 0;
    std::uint64_t steps = 0;
};

/// What a search has done and found.
struct SearchResult {
    std::uint64_t runs = 0;
    std::uint64_t cut_runs = 0;      // of them, that were ended without a verdict: an unfair order kept them from getting anywhere
    std::uint64_t steps = 0;
    std::uint64_t choices = 0;       // questions asked, in all runs
    std::uint64_t waits = 0;         // of tasks on futures, in all runs
    std::uint64_t digests = 0;       // distinct runs
    std::uint64_t fingerprints = 0;  // distinct interleavings; 0 when the strategy did not ask for footprints
    bool is_exhausted = false;       // every run was made
    bool has_threads = false;        // the program makes simulated threads
    bool has_sampled_amounts = false;  // a question had more answers than were offered
    bool has_spun = false;           // steps of a task or thread that spins were left out
    std::optional<std::uint64_t> interleavings;  // how many there are, if each was made once
    std::optional<double> next_is_new_max;       // how probable it is at most that one more random run is new
    bool has_diverged = false;       // the last run began as an earlier one and yet went another way
    Tape diverged;                   // what that run answered
    bool is_promise_broken = false;  // a run ended differently from one with the same fingerprint: see Sharing::tracked
    std::optional<Failure> failure;
    std::vector<Note> notes;         // distinct ones
    std::chrono::nanoseconds elapsed{0};
};

/// What a progress line needs.
struct Progress {
    std::uint64_t runs = 0;
    std::uint64_t digests = 0;
    std::chrono::nanoseconds elapsed{0};
};

/// Makes runs of one program until one fails, the strategy has no more, or a limit is reached.
class Explorer {
public:
    Explorer(Program& program, World& world) : program_(program), world_(world) {}

    /// Is called about ten times a second.
    void on_progress(std::function<void(const Progress&)> callback) { on_progress_ = std::move(callback); }

    /// Searches with `strategy`; the first run that fails ends the search. Under `Sharing::tracked` so does the first that
    /// shows that it does not hold, in this or an earlier search of this explorer.
    SearchResult search(Strategy& strategy, const SearchLimits& limits);

private:
    Program& program_;
    bool breaks_promise();

    World& world_;
    std::function<void(const Progress&)> on_progress_;
    boost::unordered_flat_map<std::uint64_t, std::uint64_t> states_;  // by fingerprint; looked up only
};

/// One run that was played from a tape.
struct Replayed {
    std::optional<Finding> finding;
    std::optional<TapeMismatch> mismatch;  // strict playback only
    std::size_t matched = 0;               // mishaps that found their question; lenient playback only
    std::uint64_t digest = 0;
    std::uint64_t fingerprint = 0;
    std::uint64_t steps = 0;
    std::int64_t time_ns = 0;
    Tape tape;
    MishapList mishaps;
    std::vector<Note> notes;
};

/// Makes the run that `strategy` has begun; `observer`, if any, is told the events.
Replayed play(Program& program, World& world, Strategy& strategy, Observer* observer = nullptr);

/// Plays `tape` strictly; `observer`, if any, is told the events.
Replayed replay(Program& program, World& world, std::span<const Choice> tape, Observer* observer = nullptr);

/// Plays `mishaps` leniently, after `prefix`; `observer`, if any, is told the events.
Replayed replay(Program& program, World& world, const MishapList& mishaps,
                MishapPlayback::Match match = MishapPlayback::Match::exact, std::span<const Choice> prefix = {},
                Observer* observer = nullptr);

}  // namespace mishap
