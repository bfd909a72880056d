#include <mishap/properties/detail/reroll.hpp>

#include <algorithm>

#include <mishap/sim/prefix_walk.hpp>

namespace mishap::detail {

Reroll::Reroll(Program& program, World& world, const Replayed& failing, const RootCauseLimits& limits)
    : program_(program), world_(world), failing_(failing), limits_(limits), signature_(failing.finding->signature()) {
    // The whole tape leaves nothing to chance.
    curve_[failing.tape.size()] = {failing.tape.size(), 1, 1};
    world_.choices().keep_mishaps(true);
}

Reroll::~Reroll() { world_.choices().keep_mishaps(false); }

void Reroll::change_one_answer(std::uint64_t runs_max) {
    constexpr std::uint32_t classes_max = 8;  // of a question: its last classes seldom say more than its first
    const std::uint64_t runs_end = runs_ + runs_max;
    std::size_t behind = failing_.mishaps.size();  // the first mishap behind the position
    for (std::size_t at = failing_.tape.size(); at-- > 0 && !closest_.has_value();) {
        const Choice& choice = failing_.tape[at];
        const MishapList rest(failing_.mishaps.begin() + static_cast<std::ptrdiff_t>(behind), failing_.mishaps.end());
        if (choice.is_mishap()) {
            --behind;
        }
        Tape prefix(failing_.tape.begin(), failing_.tape.begin() + static_cast<std::ptrdiff_t>(at) + 1);
        for (std::uint32_t taken = 0; taken < std::min(choice.classes, classes_max) && !closest_.has_value(); ++taken) {
            if (taken == choice.taken) {
                continue;
            }
            if (!has_budget() || runs_ >= runs_end) {
                return;
            }
            prefix.back().taken = taken;
            MishapPlayback playback(rest, MishapPlayback::Match::exact, prefix);
            playback.begin_run({0});
            world_.begin_run(&playback);
            program_.run(world_);
            ++runs_;
            steps_ += world_.verdict().steps;
            judge_passing();
        }
    }
}

void Reroll::estimate(std::size_t kept, std::uint64_t runs) {
    if (kept == failing_.tape.size()) {
        return;
    }
    Estimate estimate{kept, 0, 0};
    if (const auto known = curve_.find(kept); known != curve_.end()) {
        estimate = known->second;
    }
    PrefixWalk walk(failing_.tape, kept, limits_.seed);
    while (estimate.runs < runs && has_budget() && walk.begin_run({estimate.runs})) {
        world_.begin_run(&walk);
        program_.run(world_);
        ++runs_;
        steps_ += world_.verdict().steps;
        ++estimate.runs;
        if (has_failed_alike()) {
            ++estimate.failures;
        } else {
            judge_passing();
        }
    }
    if (estimate.runs != 0) {
        curve_[kept] = estimate;
    }
}

bool Reroll::has_failed_alike() const { return world_.has_failed() && world_.finding()->signature() == signature_; }

void Reroll::judge_passing() {
    if (world_.has_failed() || world_.choices().is_abandoned()) {
        return;
    }
    const MishapList& mishaps = world_.choices().mishaps();
    const std::span<const Choice> tape = world_.choices().tape();
    // By the lengths alone it can be too far away; most runs of long random tails are.
    const std::size_t longer = std::max(mishaps.size(), failing_.mishaps.size());
    const std::size_t shorter = std::min(mishaps.size(), failing_.mishaps.size());
    if (closest_.has_value() && longer - shorter > closest_->distance) {
        return;
    }
    const std::size_t distance =
        std::max(difference(mishaps, failing_.mishaps).size(), difference(failing_.mishaps, mishaps).size());
    const auto parted = std::mismatch(tape.begin(), tape.end(), failing_.tape.begin(), failing_.tape.end());
    const auto common = static_cast<std::size_t>(parted.first - tape.begin());
    if (!closest_.has_value() || distance < closest_->distance ||
        (distance == closest_->distance && common > closest_->common)) {
        closest_ = Passed{Tape(tape.begin(), tape.end()), mishaps, distance, common};
    }
}

MishapList difference(const MishapList& some, const MishapList& others) {
    // A mishap happens once in a run, so a list is a set.
    MishapList result;
    std::copy_if(some.begin(), some.end(), std::back_inserter(result),
                 [&](const Mishap& mishap) { return std::find(others.begin(), others.end(), mishap) == others.end(); });
    return result;
}

}  // namespace mishap::detail
