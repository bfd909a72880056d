#include <mishap/sim/script_writer.hpp>

#include <optional>

#include <mishap/sim/mishap_text.hpp>
#include <mishap/sim/script_playback.hpp>

namespace mishap {

namespace {

/// Plays a tape and keeps, of every scheduling mishap, who would have come before the one that went.
class OvertakenRecorder final : public Strategy {
public:
    explicit OvertakenRecorder(std::span<const Choice> tape) : playback_(tape) {}

    const char* name() const override { return "overtaken"; }
    bool begin_run(const RunInfo& run) override {
        overtaken_.clear();
        return playback_.begin_run(run);
    }
    std::uint32_t pick(const Question& question) override {
        const std::uint32_t taken = playback_.pick(question);
        if (question.kind == ChoiceKind::schedule && taken != abandon && taken != 0) {
            std::vector<EntityStep>& others = overtaken_.emplace_back();
            for (const Candidate& candidate : question.candidates().first(taken)) {
                others.push_back({candidate.key, candidate.step});
            }
        }
        return taken;
    }

    /// Returns one list for each scheduling mishap, in order.
    const std::vector<std::vector<EntityStep>>& overtaken() const { return overtaken_; }

private:
    StrictPlayback playback_;
    std::vector<std::vector<EntityStep>> overtaken_;
};

/// Has names collected: a world keeps them while somebody observes.
class NamesOnly final : public Observer {
public:
    void on_event(const TraceEvent&) override {}
};

std::string path_of(std::uint64_t key, const Names& names) {
    return key == path_key(detail::clock_path) ? std::string(detail::clock_path) : names.path(key);
}

Constraint constraint_of(const MishapText& text, const std::vector<EntityStep>& overtaken, const Names& names) {
    const Mishap& mishap = text.mishap;
    Constraint constraint;
    constraint.place = {path_of(mishap.who.entity, names), mishap.who.step};
    if (mishap.kind == ChoiceKind::schedule) {
        for (const EntityStep& other : overtaken) {
            constraint.held.push_back({path_of(other.entity, names), other.step});
        }
        return constraint;
    }
    const bool is_programs = mishap.kind != ChoiceKind::cancel && mishap.kind != ChoiceKind::forced_yield && mishap.kind != ChoiceKind::sweep &&
                             mishap.kind != ChoiceKind::tick;
    constraint.kind = is_programs ? ChoiceKind::value : mishap.kind;
    constraint.answer = mishap.taken;
    constraint.label = is_programs && hash_text(text.label) == mishap.label ? text.label : std::string();
    // A name tells most questions from each other; without one, and for a second of that name, the number has to.
    const bool needs_number = mishap.kind != ChoiceKind::cancel && mishap.kind != ChoiceKind::tick && mishap.ordinal != 0;
    if (needs_number || (is_programs && constraint.label.empty())) {
        constraint.question = mishap.ordinal;
    }
    return constraint;
}

/// Leaves out of a script what the failure does not need.
class Reducer {
public:
    Reducer(Program& program, World& world, const std::string& signature, std::uint64_t runs_max, WrittenScript& result)
        : program_(program), world_(world), signature_(signature), runs_max_(runs_max), result_(result) {}

    void reduce() {
        result_.reproduces = fails(result_.script);
        if (!result_.reproduces) {
            return;
        }
        for (std::size_t i = result_.script.size(); i-- > 0;) {
            Script fewer = result_.script;
            fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
            if (!keep_if_fails(fewer)) {
                reduce_held(i);
            }
        }
    }

private:
    /// The one that would have come first is tried last: it is the one that a reader expects.
    void reduce_held(std::size_t i) {
        for (std::size_t held = result_.script[i].held.size(); held-- > 0 && result_.script[i].held.size() > 1;) {
            Script fewer = result_.script;
            fewer[i].held.erase(fewer[i].held.begin() + static_cast<std::ptrdiff_t>(held));
            keep_if_fails(fewer);
        }
    }

    bool keep_if_fails(const Script& script) {
        if (result_.runs >= runs_max_ || !fails(script)) {
            return false;
        }
        result_.script = script;
        return true;
    }

    bool fails(const Script& script) {
        ++result_.runs;
        const PlayedScript played = play_script(program_, world_, script);
        return played.met == script.size() && played.run.finding.has_value() &&
               played.run.finding->signature() == signature_;
    }

    Program& program_;
    World& world_;
    const std::string& signature_;
    std::uint64_t runs_max_;
    WrittenScript& result_;
};

}  // namespace

WrittenScript write_script(Program& program, World& world, const Tape& tape, const std::string& signature,
                           std::uint64_t runs_max) {
    OvertakenRecorder recorder(tape);
    recorder.begin_run({0});
    NamesOnly observer;
    const MishapList mishaps = play(program, world, recorder, &observer).mishaps;

    WrittenScript result;
    result.runs = 1;
    std::size_t scheduled = 0;
    for (const MishapText& mishap : with_texts(mishaps, world.names())) {
        const bool is_schedule = mishap.mishap.kind == ChoiceKind::schedule;
        static const std::vector<EntityStep> nobody;
        result.script.push_back(
            constraint_of(mishap, is_schedule ? recorder.overtaken()[scheduled] : nobody, world.names()));
        scheduled += is_schedule ? 1 : 0;
    }
    Reducer(program, world, signature, runs_max, result).reduce();
    return result;
}

PlayedScript play_script(Program& program, World& world, const Script& script, ScriptFit fit, Observer* observer) {
    ScriptPlayback playback(script, fit, observer);
    playback.begin_run({0});
    PlayedScript result;
    result.run = play(program, world, playback, &playback);
    result.met = playback.met();
    result.problems = playback.problems(world.names());
    return result;
}

}  // namespace mishap
