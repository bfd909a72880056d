// Does it take another order than asyncio's?
//
// A finding in Order::any may rest on an order that asyncio, whose ready queue is first in, first out, would never take. It
// is looked for there with the same faults, cancellations and values: calmly, then with the timings that a slow or a fast
// world would give. What FIFO leaves open is enumerated, so a search that comes to its end has seen all of it.

#include <mishap/properties/detail/fifo_legality.hpp>

#include <algorithm>

#include <mishap/properties/detail/body_program.hpp>
#include <mishap/properties/detail/divergence.hpp>
#include <mishap/sim/exhaustive.hpp>
#include <mishap/sim/replay_line.hpp>

namespace mishap::detail {

namespace {

/// Enumerates timings and the turns of threads; answers all else as a list of mishaps has it.
class FifoSearch final : public Strategy {
public:
    FifoSearch(const MishapList& mishaps, MishapPlayback::Match match) : mishaps_(mishaps, match) {}

    const char* name() const override { return "fifo search"; }
    bool begin_run(const RunInfo& run) override {
        mishaps_.begin_run({0});
        return timings_.begin_run(run);
    }
    std::uint32_t pick(const Question& question) override {
        const bool is_timing = question.kind == ChoiceKind::schedule || question.kind == ChoiceKind::tick;
        is_sampled_ = is_sampled_ || (question.kind == ChoiceKind::tick && question.classes >= deadlines_max);
        return is_timing ? timings_.pick(question) : mishaps_.pick(question);
    }
    bool is_exhausted() const override { return timings_.is_exhausted() && !is_sampled_; }

private:
    static constexpr std::uint32_t deadlines_max = 8;  // that a tick offers: there may be more than were tried

    bool is_sampled_ = false;
    MishapPlayback mishaps_;
    Exhaustive timings_{Exhaustive::unbounded, false};
};

class FifoJudge {
public:
    FifoJudge(const std::function<void()>& body, const ExploreOptions& options, std::string signature)
        : options_(in_fifo(options)), world_(options_.world()), program_(body, options_, world_),
          signature_(std::move(signature)) {}

    FifoLegality judge(const MishapList& mishaps) {
        MishapList others;
        std::copy_if(mishaps.begin(), mishaps.end(), std::back_inserter(others), [](const Mishap& mishap) {
            return mishap.kind != ChoiceKind::schedule && mishap.kind != ChoiceKind::tick;
        });
        // In another order a task comes to its questions in other steps.
        std::vector<MishapPlayback::Match> matches = {MishapPlayback::Match::exact};
        if (!others.empty()) {
            matches.push_back(MishapPlayback::Match::entity);
        }
        bool is_exhausted = true;
        for (const MishapPlayback::Match match : matches) {
            FifoSearch search(others, match);
            while (legality_.runs < options_.fifo_runs_max && search.begin_run({legality_.runs})) {
                if (fails(search)) {
                    return legality_;
                }
            }
            is_exhausted = is_exhausted && search.is_exhausted();
        }
        // Where a mishap belongs in another order is a guess.
        legality_.verdict = is_exhausted && others.empty() ? FifoLegality::Verdict::impossible : FifoLegality::Verdict::not_seen;
        return legality_;
    }

private:
    static ExploreOptions in_fifo(ExploreOptions options) {
        options.order = Order::fifo;
        options.timer_slack = std::max(options.timer_slack, options.time_max);  // a loop may be late as long as it likes
        options.out.clear();
        return options;
    }

    bool fails(Strategy& strategy) {
        world_.begin_run(&strategy);
        program_.run(world_);
        ++legality_.runs;
        if (!world_.has_failed() || world_.finding()->signature() != signature_) {
            return false;
        }
        const Tape tape(world_.choices().tape().begin(), world_.choices().tape().end());
        const bool is_timed = std::any_of(tape.begin(), tape.end(), [](const Choice& choice) {
            return choice.is_mishap() && (choice.kind == ChoiceKind::schedule || choice.kind == ChoiceKind::tick);
        });
        legality_.verdict = is_timed ? FifoLegality::Verdict::other_timings : FifoLegality::Verdict::as_it_is;
        const TracedRun traced = trace_tape(program_, world_, tape, false);
        legality_.replay_line = to_line({options_.name, options_.world(), with_texts(traced.run.mishaps, traced.names)});
        return true;
    }

    ExploreOptions options_;
    World world_;
    BodyProgram program_;
    std::string signature_;
    FifoLegality legality_;
};

}  // namespace

std::optional<FifoLegality> judge_fifo_legality(const std::function<void()>& body, const ExploreOptions& options,
                                                const Finding& finding, const MishapList& mishaps) {
    if (options.order != Order::any || options.fifo_runs_max == 0) {
        return std::nullopt;
    }
    return FifoJudge(body, options, finding.signature()).judge(mishaps);
}

}  // namespace mishap::detail
