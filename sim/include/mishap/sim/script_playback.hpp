#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>
#include <mishap/sim/path.hpp>
#include <mishap/sim/script.hpp>
#include <mishap/sim/strategy.hpp>
#include <mishap/sim/trace.hpp>

namespace mishap {

/// Plays a script: the first candidate in calm order that no constraint holds back, calm answers where the script is silent.
///
/// It learns of steps, forced ones too, and of checkpoints by observing the run, so it has to be subscribed to the world in
/// whose run it answers. Events are passed on to `next`.
///
/// The clock moves before its time (where the options allow that) only if everything else is held back.
class ScriptPlayback final : public Strategy, public Observer {
public:
    explicit ScriptPlayback(const Script& script, ScriptFit fit = ScriptFit::whole, Observer* next = nullptr);

    const char* name() const override { return "script"; }
    bool begin_run(const RunInfo& run) override;
    std::uint32_t pick(const Question& question) override;
    void on_event(const TraceEvent& event) override;

    /// Returns how many constraints were met: those held back came to their places, and the others had passed theirs.
    std::size_t met() const;
    /// Returns whether the constraint of that number was met.
    bool is_met(std::size_t constraint) const;
    /// Returns of each constraint that was not met which it is, and why: one line each, in the script's order.
    std::vector<std::string> problems(const Names& names) const;

private:
    /// An entity as far as the run has shown it.
    struct Life {
        std::uint64_t key = 0;
        std::uint32_t step = 0;      // the last that it began
        const char* state = "";      // how that ended, as far as events tell: "waits in", "ends"; a literal
        const char* operation = "";  // what it waits in
    };
    struct Place {
        std::uint64_t key = 0;
        std::uint64_t checkpoint = 0;     // hash of its text; 0: a step counts
        std::uint32_t left = 0;           // the step, or how often the checkpoint is still to come
        bool is_reached = false;          // the step has begun; the checkpoint has been come to
    };
    enum class Breach : std::uint8_t {
        none,
        nobody_else,   // everything that could go was held back
        was_forced,    // it was the only one that could go
        fewer_answers  // the question has fewer classes
    };
    struct State {
        Place place;
        std::vector<Place> held;
        Breach breach = Breach::none;
        std::size_t breached_by = 0;      // which of those held
        std::uint32_t breached_step = 0;  // and in which step
        std::optional<Life> then;         // of who was waited for; nothing: there was no such entity
        std::uint32_t classes = 0;        // of the question that had too few
    };

    std::uint32_t pick_candidate(const Question& question);
    std::uint32_t pick_class(const Question& question);
    /// Returns the state that keeps `candidate` from going, or null; sets which of its held places does.
    State* holding(const Candidate& candidate, std::size_t& which);
    bool is_open(const State& state) const;
    void release(State& state, std::size_t which, std::uint32_t step, Breach breach);
    void note_step(EntityStep step);
    void note_checkpoint(std::uint64_t entity, std::uint64_t text);
    Life& life(std::uint64_t key);
    std::string why(std::size_t constraint, const Names& names) const;
    const Life* find_life(std::uint64_t key) const;
    /// Says what is known of an entity; `entity` is null when there is none.
    std::string whereabouts(const Life* entity, const std::string& path, const Names& names) const;

    Script script_;
    ScriptFit fit_;
    Observer* next_;
    std::vector<State> states_;
    std::vector<Life> lives_;                                          // in order of appearance
    boost::unordered_flat_map<std::uint64_t, std::size_t> life_by_key_;  // looked up only
    bool gave_up_ = false;
};

}  // namespace mishap
