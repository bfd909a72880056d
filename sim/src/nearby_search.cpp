#include <mishap/sim/detail/nearby_search.hpp>

#include <algorithm>

#include <mishap/sim/script_playback.hpp>

namespace mishap::detail {

namespace {

constexpr std::uint32_t answer_cost = 3;         // of every answer, beside its distance
constexpr std::uint32_t go_on_cost = 1;          // of who went wrong going on: one mishap more may be the same one, longer
constexpr std::uint32_t stranger_cost = 24;      // of an answer that has nothing to do with any mishap
constexpr std::size_t deviations_per_run = 256;  // the nearest; more than a repair has runs for

std::uint32_t distance(std::uint32_t a, std::uint32_t b) { return a < b ? b - a : a - b; }

}  // namespace

/// Plays a beginning, then a script, and keeps what could have been answered otherwise behind the beginning.
class NearbySearch::Playback final : public Strategy {
public:
    Playback(const NearbySearch& search, const Node& node) : search_(search), node_(node), script_(*node.script, ScriptFit::as_far_as_possible) {}

    const char* name() const override { return "nearby"; }
    bool begin_run(const RunInfo& run) override { return script_.begin_run(run); }
    std::uint32_t pick(const Question& question) override {
        if (node_.tape != nullptr && question.depth <= node_.depth) {
            const std::uint32_t taken = question.depth < node_.depth ? (*node_.tape)[question.depth].taken : node_.taken;
            return std::min(taken, question.classes - 1);
        }
        const std::uint32_t taken = script_.pick(question);
        for (std::uint32_t other = 0; other < question.classes; ++other) {
            if (other != taken) {
                deviations_.push_back({question.depth, other, search_.cost_of(question, other)});
            }
        }
        return taken;
    }
    Observer& observer() { return script_; }
    std::vector<Deviation>& deviations() { return deviations_; }

private:
    const NearbySearch& search_;
    const Node& node_;
    ScriptPlayback script_;
    std::vector<Deviation> deviations_;
};

NearbySearch::NearbySearch(Program& program, World& world, MishapList mishaps)
    : program_(program), world_(world), mishaps_(std::move(mishaps)) {}

void NearbySearch::add(Script script, std::uint32_t cost) {
    Node node;
    node.cost = cost;
    node.number = nodes_made_++;
    node.script = std::make_shared<const Script>(std::move(script));
    nodes_.push(std::move(node));
}

std::optional<Replayed> NearbySearch::next() {
    if (nodes_.empty()) {
        return std::nullopt;
    }
    const Node node = nodes_.top();
    nodes_.pop();
    Playback playback(*this, node);
    playback.begin_run({0});
    Replayed run = play(program_, world_, playback, &playback.observer());
    if (!digests_.insert(run.digest).second) {
        return run;
    }
    std::vector<Deviation>& deviations = playback.deviations();
    std::stable_sort(deviations.begin(), deviations.end(),
                     [](const Deviation& a, const Deviation& b) { return a.cost < b.cost; });
    deviations.resize(std::min(deviations.size(), deviations_per_run));
    const auto tape = std::make_shared<const Tape>(run.tape);
    for (const Deviation& deviation : deviations) {
        Node more;
        more.cost = node.cost + deviation.cost;
        more.number = nodes_made_++;
        more.script = node.script;
        more.tape = tape;
        more.depth = deviation.depth;
        more.taken = deviation.taken;
        nodes_.push(std::move(more));
    }
    return run;
}

std::uint32_t NearbySearch::cost_of(const Question& question, std::uint32_t taken) const {
    if (question.kind == ChoiceKind::schedule) {
        const std::span<const Candidate> candidates = question.candidates();
        const std::uint64_t key = candidates[taken].key;
        const bool is_recorded = std::any_of(mishaps_.begin(), mishaps_.end(), [&](const Mishap& mishap) {
            return mishap.kind == ChoiceKind::schedule && mishap.who.entity == key;
        });
        return is_recorded && key == question.previous.entity
                   ? go_on_cost
                   : answer_cost + cost_of_candidate(candidates[taken], candidates.front());
    }
    std::uint32_t cost = stranger_cost;
    for (const Mishap& mishap : mishaps_) {
        if (mishap.kind != question.kind) {
            continue;
        }
        const std::uint32_t of_place = mishap.who.entity == question.asker
                                           ? 2 * distance(mishap.who.step, question.asker_step)
                                           : stranger_cost / 2;
        cost = std::min(cost, of_place + (mishap.label == question.key ? 0 : 2) + (mishap.taken == taken ? 0 : 1));
    }
    return answer_cost + cost;
}

std::uint32_t NearbySearch::cost_of_candidate(const Candidate& candidate, const Candidate& calm) const {
    std::uint32_t cost = stranger_cost;
    for (const Mishap& mishap : mishaps_) {
        if (mishap.kind != ChoiceKind::schedule) {
            continue;
        }
        if (mishap.who.entity == candidate.key) {
            const bool is_calm_right = mishap.calm.entity == calm.key;
            cost = std::min(cost, 2 * distance(mishap.who.step, candidate.step) +
                                      (is_calm_right ? distance(mishap.calm.step, calm.step) : 2));
        } else if (mishap.calm.entity == candidate.key) {
            cost = std::min(cost, 6 + distance(mishap.calm.step, candidate.step));  // the two may have changed places
        }
    }
    return std::min(cost, stranger_cost);
}

}  // namespace mishap::detail
