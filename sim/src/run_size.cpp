#include <mishap/sim/run_size.hpp>

#include <algorithm>
#include <vector>

namespace mishap {

namespace {

bool is_fault(const Choice& choice) {
    switch (choice.kind) {
        case ChoiceKind::cancel:
        case ChoiceKind::forced_yield:
        case ChoiceKind::chance:
        case ChoiceKind::fault:
        case ChoiceKind::sweep:
            return choice.is_mishap();
        default:
            return false;
    }
}

/// Plays a tape and counts what the tape itself does not tell.
class Meter final : public Strategy {
public:
    explicit Meter(std::span<const Choice> tape) : playback_(tape) { playback_.begin_run({0}); }

    const char* name() const override { return "meter"; }
    Needs needs() const override { return {.steps = true, .footprints = false}; }
    bool begin_run(const RunInfo& run) override { return playback_.begin_run(run); }
    std::uint32_t pick(const Question& question) override {
        const std::uint32_t taken = playback_.pick(question);
        const std::span<const Candidate> candidates = question.candidates();
        if (question.previous_end == StepEnd::yielded && taken < candidates.size() &&
            candidates[taken].key != question.previous.entity) {
            ++switches_;
        }
        return taken;
    }
    void after_step(const Step& step) override {
        if (step.kind == EntityKind::task || step.kind == EntityKind::thread) {
            entities_.push_back(step.entity.entity);
        }
    }

    std::uint64_t switches() const { return switches_; }
    std::uint64_t entities() {
        std::sort(entities_.begin(), entities_.end());
        return static_cast<std::uint64_t>(std::unique(entities_.begin(), entities_.end()) - entities_.begin());
    }

private:
    StrictPlayback playback_;
    std::uint64_t switches_ = 0;
    std::vector<std::uint64_t> entities_;
};

}  // namespace

RunSize measure_run(Program& program, World& world, std::span<const Choice> tape) {
    Meter meter(tape);
    world.begin_run(&meter);
    program.run(world);
    return {.mishaps = mishap_count(tape),
            .switches = meter.switches(),
            .tasks = meter.entities(),
            .faults = static_cast<std::uint64_t>(std::count_if(tape.begin(), tape.end(), is_fault)),
            .steps = world.verdict().steps};
}

}  // namespace mishap
