#pragma once

#include <map>
#include <optional>
#include <string>

#include <mishap/properties/root_cause.hpp>

namespace mishap::detail {

/// Makes the runs that explain one failing run, and keeps count of them.
class Reroll {
public:
    using Estimate = RootCause::Estimate;

    Reroll(Program& program, World& world, const Replayed& failing, const RootCauseLimits& limits);
    ~Reroll();
    Reroll(const Reroll&) = delete;
    Reroll& operator=(const Reroll&) = delete;

    bool has_budget() const { return runs_ < limits_.runs_max && steps_ < limits_.steps_max; }
    std::uint64_t runs() const { return runs_; }

    /// Changes one answer at a time, the last ones first, until such a run passes; makes at most `runs_max` runs.
    void change_one_answer(std::uint64_t runs_max);

    /// Makes runs that begin with the first `kept` answers until there are `runs` of them, or the budget ends.
    void estimate(std::size_t kept, std::uint64_t runs);

    /// Returns what is known, by the number of answers kept.
    const std::map<std::size_t, Estimate>& curve() const { return curve_; }

    /// A run that ended well.
    struct Passed {
        Tape tape;
        MishapList mishaps;
        std::size_t distance = 0;  // mishaps by which it differs, one for another counting once
        std::size_t common = 0;    // answers before it differs
    };
    const std::optional<Passed>& closest() const { return closest_; }

private:
    bool has_failed_alike() const;
    void judge_passing();

    Program& program_;
    World& world_;
    const Replayed& failing_;
    RootCauseLimits limits_;
    std::string signature_;
    std::uint64_t runs_ = 0;
    std::uint64_t steps_ = 0;
    std::map<std::size_t, Estimate> curve_;
    std::optional<Passed> closest_;
};

/// Returns the mishaps of `some` that `others` does not have.
MishapList difference(const MishapList& some, const MishapList& others);

}  // namespace mishap::detail
