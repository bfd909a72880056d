#pragma once

// Runs of one program under a strategy that is given run by run: what explore() does without stopping at failures.

#include <functional>
#include <memory>
#include <vector>

#include <mishap/properties/options.hpp>
#include <mishap/sim/strategy.hpp>
#include <mishap/sim/world.hpp>

namespace mishap::detail {
class BodyProgram;
}

namespace mishap::test {

/// Returns the options for programs that are made of races, and are wrong only where their own checks say so.
ExploreOptions only_checks();

/// A program that is played again and again, in one world.
class Played {
public:
    explicit Played(std::function<void()> body, ExploreOptions options = only_checks());
    ~Played();
    Played(const Played&) = delete;
    Played& operator=(const Played&) = delete;

    /// Makes run `number` of a search with `strategy`; returns false if it has no more.
    bool play(Strategy& strategy, std::uint64_t number);

    // ---- of the last run ----
    bool has_failed() const { return world_.has_failed(); }
    bool is_stuck() const { return world_.has_failed() && world_.finding()->kind == FindingKind::stuck; }
    std::uint64_t fingerprint() const { return world_.fingerprint(); }
    std::uint64_t steps() const { return world_.verdict().steps; }
    World& world() { return world_; }

private:
    std::function<void()> body_;
    ExploreOptions options_;
    World world_;
    std::unique_ptr<detail::BodyProgram> program_;
    std::vector<Blocked> blocked_;
};

/// Makes runs until one fails and returns how many; 0 if none of `runs_max` does.
std::uint64_t runs_to_failure(Played& played, Strategy& strategy, std::uint64_t runs_max);

}  // namespace mishap::test
