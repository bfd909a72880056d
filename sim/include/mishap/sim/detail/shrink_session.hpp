#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/unordered/unordered_flat_set.hpp>
#include <mishap/sim/shrinker.hpp>

namespace mishap::detail {

/// A tape as a shrink pass would like it: some answers by position, then some mishaps wherever they fit, then calm.
///
/// An edit changes what is asked after it. The answers behind it are therefore tried in two ways: by position (all of the
/// tape in `prefix`), which is right when the questions stay what they were, and as mishaps (`rest`), which is right when
/// entities stay what they were.
struct TapeEdit {
    Tape prefix;
    MishapList rest;
    MishapPlayback::Match match = MishapPlayback::Match::exact;
};

/// The simplest failing run so far, and the one place where candidates are played and judged.
///
/// Invariant: the best only ever becomes simpler. So an edit that was refused once would be refused again, and is not
/// played again.
class ShrinkSession {
public:
    ShrinkSession(Program& program, World& world, std::string signature, const ShrinkLimits& limits);

    /// Plays the tape to begin with. Returns whether that run fails as it should.
    bool begin(std::span<const Choice> tape);

    const Replayed& best() const { return best_; }
    /// Returns the positions of the best tape's mishaps.
    std::vector<std::size_t> positions() const;

    /// Returns whether another run may be made.
    bool has_budget() { return has_budget(1); }
    /// Returns whether a search may go on that is to leave some of the budget to the passes.
    bool has_budget_to_search() { return has_budget(search_share); }
    /// Returns whether a pass had to stop for want of budget.
    bool is_over() const { return is_over_; }
    std::uint64_t runs() const { return runs_; }

    /// Plays the edit, if there is budget. Returns whether it became the best.
    bool try_edit(const TapeEdit& edit);

    /// Makes the run that `strategy` has begun. Returns whether it became the best.
    bool try_run_of(Strategy& strategy);

private:
    // A tenth of the budget is kept from searches: without it a long search could end in a run that no pass has touched.
    static constexpr std::uint64_t search_share = 10;

    bool has_budget(std::uint64_t kept_share);
    bool fails_alike(const std::optional<Finding>& finding) const;

    Program& program_;
    World& world_;
    std::string signature_;
    ShrinkLimits limits_;
    std::int64_t begin_ns_;
    Replayed best_;
    std::uint64_t runs_ = 0;
    bool is_over_ = false;
    boost::unordered_flat_set<std::uint64_t> tried_;  // looked up only, never iterated
};

}  // namespace mishap::detail
