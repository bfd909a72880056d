#include <mishap/sim/choices.hpp>

#include <mishap/sim/errors.hpp>

namespace mishap {

void Choices::begin_run(Strategy* strategy) {
    strategy_ = strategy;
    question_ = Question{};
    recorder_.clear();
    abandoned_ = false;
    last_asker_ = {};
    mishaps_.clear();
    data_classes_.clear();
}

std::uint32_t Choices::decide(ChoiceKind kind, std::uint32_t classes, std::span<const std::uint32_t> weights,
                              EntityStep asker, std::uint64_t label, Budget budget) {
    if (classes <= 1 || strategy_ == nullptr) {
        return 0;
    }
    question_.ordinal = asker == last_asker_ ? question_.ordinal + 1 : 0;
    last_asker_ = asker;
    question_.kind = kind;
    question_.classes = classes;
    question_.weights = weights;
    question_.asker = asker.entity;
    question_.asker_step = asker.step;
    question_.key = label;
    question_.budget = budget;
    const std::uint32_t taken = ask();
    question_.weights = {};
    if (keeps_data_classes_) {
        data_classes_.push_back(taken);
    }
    return taken;
}

std::uint32_t Choices::give_up(std::uint32_t taken) {
    detail::invariant(taken == Strategy::abandon, "a strategy answers with one of the classes offered");
    abandoned_ = true;
    strategy_ = nullptr;
    return 0;
}

void Choices::keep_mishap(std::uint32_t taken) {
    Mishap mishap;
    mishap.kind = question_.kind;
    mishap.taken = taken;
    mishap.classes = question_.classes;
    if (question_.kind == ChoiceKind::schedule) {
        const std::span<const Candidate> candidates = question_.candidates();
        mishap.who = {candidates[taken].key, candidates[taken].step};
        mishap.calm = {candidates[0].key, candidates[0].step};
    } else {
        mishap.who = {question_.asker, question_.asker_step};
        mishap.ordinal = question_.ordinal;
        mishap.label = question_.key;
    }
    mishaps_.push_back(mishap);
}

}  // namespace mishap
