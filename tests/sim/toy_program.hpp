#pragma once

// Programs that consist of questions only: they are written directly on a world, without a loop.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <mishap/sim/explorer.hpp>

namespace mishap::test {

/// Makes a program of a function that is given the world of each run.
template <class F>
class ToyProgram final : public Program {
public:
    explicit ToyProgram(F body) : body_(std::move(body)) {}
    void run(World& world) override {
        body_(world);
        world.end_verdict();
    }

private:
    F body_;
};

/// Asks `asker` for one of `classes`, as choose() would.
inline std::uint32_t ask(World& world, std::uint32_t classes, EntityStep asker = {1, 1}, std::uint64_t label = 0) {
    const std::uint32_t taken = world.choices().decide(ChoiceKind::value, classes, {}, asker, label);
    world.digest().fold(taken);
    return taken;
}

/// Fails the run with what tells it from other failures.
inline void fail(World& world, const std::string& label) {
    Finding finding;
    finding.what = finding.label = label;
    world.fail(std::move(finding));
}

/// Entities that are all ready: entity i + 1 makes `steps[i]` steps. A loop in twenty lines.
class ToyLoop final : public CandidateSource {
public:
    ToyLoop(World& world, std::vector<std::uint32_t> steps)
        : world_(world), left_(std::move(steps)), made_(left_.size(), 0) {}

    bool is_over() const {
        for (const std::uint32_t steps : left_) {
            if (steps != 0) {
                return false;
            }
        }
        return true;
    }
    /// Makes a step and returns whose it was, from 0.
    std::size_t step() {
        const std::span<const Candidate> ready = candidates();
        const std::uint32_t taken = world_.choices().schedule(static_cast<std::uint32_t>(ready.size()), *this);
        const auto who = static_cast<std::size_t>(candidates()[taken].key - 1);
        --left_[who];
        ++made_[who];
        const EntityStep entity{who + 1, made_[who]};
        world_.begin_step(entity, nullptr);
        world_.digest().fold(entity.entity * 16 + taken);
        world_.choices().step_made(entity, left_[who] == 0 ? StepEnd::finished : StepEnd::yielded);
        return who;
    }
    std::span<const Candidate> candidates() override {
        candidates_.clear();
        for (std::size_t i = 0; i < left_.size(); ++i) {
            if (left_[i] != 0) {
                Candidate candidate;
                candidate.key = i + 1;
                candidate.calm_rank = static_cast<std::uint32_t>(candidates_.size());
                candidate.step = made_[i] + 1;
                candidates_.push_back(candidate);
            }
        }
        return candidates_;
    }

private:
    World& world_;
    std::vector<std::uint32_t> left_;
    std::vector<std::uint32_t> made_;
    std::vector<Candidate> candidates_;
};

/// Answers from a list and calmly behind its end; keeps what was asked.
class Scripted final : public Strategy {
public:
    explicit Scripted(std::vector<std::uint32_t> answers) : answers_(std::move(answers)) {}
    const char* name() const override { return "scripted"; }
    bool begin_run(const RunInfo&) override {
        asked.clear();
        return true;
    }
    std::uint32_t pick(const Question& question) override {
        asked.push_back(question);
        const std::size_t number = asked.size() - 1;
        return number < answers_.size() ? answers_[number] : 0;
    }
    std::vector<Question> asked;  // their spans are not valid any more

private:
    std::vector<std::uint32_t> answers_;
};

inline std::vector<std::uint32_t> answers(std::span<const Choice> tape) {
    std::vector<std::uint32_t> result;
    for (const Choice& choice : tape) {
        result.push_back(choice.taken);
    }
    return result;
}

}  // namespace mishap::test
