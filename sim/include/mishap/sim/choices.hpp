#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <mishap/sim/digest.hpp>
#include <mishap/sim/mishap_list.hpp>
#include <mishap/sim/strategy.hpp>
#include <mishap/sim/tape.hpp>

namespace mishap {

/// The one door: every place where the world could go another way asks here, and nowhere else.
///
/// Without a strategy, and during teardown, every answer is the calm one and nothing is recorded.
class Choices {
public:
    explicit Choices(const Digest& digest) : digest_(digest) {}

    /// Begins a run whose questions go to `strategy` (null: all calm).
    void begin_run(Strategy* strategy);

    /// Answers calmly from now on, and records nothing more.
    void be_calm() { strategy_ = nullptr; }
    bool is_asking() const { return strategy_ != nullptr; }

    /// Returns which of `classes` candidates goes next; `source` lists them when the strategy looks.
    std::uint32_t schedule(std::uint32_t classes, CandidateSource& source) {
        if (classes <= 1 || strategy_ == nullptr) {
            return 0;
        }
        question_.kind = ChoiceKind::schedule;
        question_.classes = classes;
        question_.source = &source;
        return ask();
    }
    /// As above, of several classes and with `is_plain`; returns `abandoned` if the strategy gave the run up.
    std::uint32_t schedule_plainly(std::uint32_t classes, CandidateSource& source) {
        question_.kind = ChoiceKind::schedule;
        question_.classes = classes;
        question_.source = &source;
        question_.depth = static_cast<std::uint32_t>(recorder_.size());
        question_.digest = digest_.value();
        const std::uint32_t taken = strategy_->pick(question_);
        if (taken >= classes) [[unlikely]] {
            give_up(taken);
            return abandoned;
        }
        recorder_.append({static_cast<std::uint32_t>(question_.digest), classes, taken, ChoiceKind::schedule});
        return taken;
    }
    static constexpr std::uint32_t abandoned = ~std::uint32_t{0};
    /// Returns whether a strategy answers and only the tape is kept.
    bool is_plain() const { return strategy_ != nullptr && !keeps_mishaps_; }

    /// Returns a class of a data question asked by `asker`; with one class, or calm, 0.
    /// `weights` has one entry a class, or is empty when all weigh the same; `budget` is as in `Question`.
    std::uint32_t decide(ChoiceKind kind, std::uint32_t classes, std::span<const std::uint32_t> weights,
                         EntityStep asker, std::uint64_t label, Budget budget = {});

    /// Tells who made the last step, for the next question.
    void step_made(EntityStep who, StepEnd end) {
        question_.previous = who;
        question_.previous_end = end;
    }

    /// Returns whether the strategy gave the run up; the loop then ends it.
    bool is_abandoned() const { return abandoned_; }

    /// Writes down from now on, beside the tape, what each mishap was (costs a look at the candidates).
    void keep_mishaps(bool on) { keeps_mishaps_ = on; }
    const MishapList& mishaps() const { return mishaps_; }

    /// Collects the answers to a step's data questions, when a strategy wants steps.
    void keep_data_classes(bool on) { keeps_data_classes_ = on; }
    const std::vector<std::uint32_t>& data_classes() const { return data_classes_; }
    void clear_data_classes() { data_classes_.clear(); }

    const detail::TapeRecorder& recorder() const { return recorder_; }
    detail::TapeRecorder& recorder() { return recorder_; }
    std::span<const Choice> tape() const { return recorder_.choices(); }

    /// The last question asked, for the report of a divergence.
    const Question& question() const { return question_; }

private:
    std::uint32_t ask() {
        question_.depth = static_cast<std::uint32_t>(recorder_.size());
        question_.digest = digest_.value();
        const std::uint32_t taken = strategy_->pick(question_);
        if (taken >= question_.classes) [[unlikely]] {
            return give_up(taken);
        }
        if (keeps_mishaps_ && taken != 0) [[unlikely]] {
            keep_mishap(taken);
        }
        recorder_.append({static_cast<std::uint32_t>(question_.digest), question_.classes, taken, question_.kind});
        return taken;
    }
    std::uint32_t give_up(std::uint32_t taken);
    void keep_mishap(std::uint32_t taken);

    const Digest& digest_;
    Strategy* strategy_ = nullptr;
    Question question_;
    detail::TapeRecorder recorder_;
    bool abandoned_ = false;
    bool keeps_mishaps_ = false;
    bool keeps_data_classes_ = false;
    EntityStep last_asker_;
    MishapList mishaps_;
    std::vector<std::uint32_t> data_classes_;
};

}  // namespace mishap
