#pragma once

#include <memory>
#include <utility>
#include <vector>

#include <mishap/sim/strategy.hpp>

namespace mishap::test {

/// Lets strategies make runs in turn, by the number of the run: what becomes of one that is not alone?
class TakingTurns final : public Strategy {
public:
    explicit TakingTurns(std::vector<std::unique_ptr<Strategy>> members) : members_(std::move(members)) {}

    const char* name() const override { return "taking turns"; }
    Needs needs() const override { return {.steps = members_[current_]->needs().steps, .footprints = true}; }
    bool begin_run(const RunInfo& run) override {
        for (std::size_t tried = 0; tried < members_.size(); ++tried) {
            current_ = (run.number + tried) % members_.size();
            if (members_[current_]->begin_run(run)) {
                return true;
            }
            if (is_exhausted()) {
                return false;
            }
        }
        return false;
    }
    std::uint32_t pick(const Question& question) override { return members_[current_]->pick(question); }
    void after_step(const Step& step) override { members_[current_]->after_step(step); }
    void end_run(const Summary& summary) override { members_[current_]->end_run(summary); }
    bool is_exhausted() const override {
        for (const std::unique_ptr<Strategy>& member : members_) {
            if (member->is_exhausted()) {
                return true;
            }
        }
        return false;
    }

private:
    std::vector<std::unique_ptr<Strategy>> members_;
    std::size_t current_ = 0;
};

}  // namespace mishap::test
