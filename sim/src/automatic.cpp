#include <mishap/sim/automatic.hpp>

#include <algorithm>

#include <mishap/sim/delay_bounded.hpp>
#include <mishap/sim/dpor.hpp>
#include <mishap/sim/errors.hpp>
#include <mishap/sim/pct.hpp>
#include <mishap/sim/pos.hpp>
#include <mishap/sim/preemption_bounded.hpp>
#include <mishap/sim/random_walk.hpp>
#include <mishap/sim/surw.hpp>
#include <mishap/sim/swarm.hpp>
#include <mishap/sim/urw.hpp>

namespace mishap {

namespace {

/// PCT of a depth that is drawn for each run: which depth a failure needs nobody knows.
class PctOfManyDepths final : public Strategy {
public:
    explicit PctOfManyDepths(std::uint64_t seed) : seed_(seed) {
        for (std::uint32_t depth = depth_min; depth <= depth_max; ++depth) {
            depths_.push_back(std::make_unique<Pct>(depth, mix(seed, depth), depths_.empty() ? warm_up : 0));
        }
    }
    const char* name() const override { return "pct"; }
    bool begin_run(const RunInfo& run) override {
        Prng prng(mix(seed_, run.number));
        current_ = runs_++ < warm_up ? 0 : prng.below(static_cast<std::uint32_t>(depths_.size()));
        return depths_[current_]->begin_run(run);
    }
    std::uint32_t pick(const Question& question) override { return depths_[current_]->pick(question); }
    void end_run(const Summary& summary) override {
        for (const std::unique_ptr<Pct>& depth : depths_) {
            depth->end_run(summary);  // how long a run can be all of them want to know
        }
    }

    static constexpr std::uint32_t warm_up = Pct::profile_runs_default;

private:
    static constexpr std::uint32_t depth_min = 2;
    static constexpr std::uint32_t depth_max = 5;

    std::uint64_t seed_;
    std::uint64_t runs_ = 0;
    std::vector<std::unique_ptr<Pct>> depths_;
    std::size_t current_ = 0;
};

}  // namespace

Automatic::Automatic(std::uint64_t seed, bool is_first) : seed_(mix(seed, hash_text("automatic"))) {
    // In this order they make their first runs.
    add_random<RandomWalk>(seed, 0);
    add_random<Pos>(mix(seed, 1), 0);
    if (is_first) {
        add(std::make_unique<PreemptionBounded>(), Role::bounded);
    }
    add_random<Surw>(mix(seed, 2), Surw::profile_runs_default);
    add_random<PctOfManyDepths>(mix(seed, 3), PctOfManyDepths::warm_up);
    if (is_first) {
        add(std::make_unique<DelayBounded>(), Role::bounded);
        add(std::make_unique<Dpor>(), Role::enumeration);
    }
    add_random<Urw>(mix(seed, 4), Urw::profile_runs_default);
    detail::invariant(members_.size() <= Discovery::sources_max, "every member is a source of discoveries");
}

void Automatic::add(std::unique_ptr<Strategy> strategy, Role role) {
    members_.push_back({.strategy = std::move(strategy), .role = role});
}

template <class S>
void Automatic::add_random(std::uint64_t seed, std::uint32_t warm_up) {
    add(std::make_unique<Swarm>(std::make_unique<S>(seed), seed), Role::random);
    members_.back().warm_up = warm_up;
}

/// Returns how much of the effort a member deserves.
std::uint32_t Automatic::effort_of(const Member& member) const {
    if (member.is_done) {
        return 0;
    }
    if (member.role != Role::random && member.runs < near_runs) {
        return near_effort;
    }
    if (member.role != Role::enumeration) {
        return floor + member.novelty;
    }
    std::uint32_t of_random = 0;
    std::uint32_t count = 0;
    for (const Member& other : members_) {
        if (other.role == Role::random && !other.is_done) {
            of_random += other.novelty;
            ++count;
        }
    }
    return enumeration_floor + (count != 0 ? full - of_random / count : full);
}

std::size_t Automatic::choose_member() {
    if (runs_ < members_.size()) {
        return static_cast<std::size_t>(runs_);
    }
    std::uint32_t total = 0;
    for (const Member& member : members_) {
        total += effort_of(member);
    }
    if (total == 0) {
        return members_.size();
    }
    std::uint32_t drawn = Prng(mix(seed_, runs_)).below(total);
    std::size_t chosen = 0;
    while (drawn >= effort_of(members_[chosen])) {
        drawn -= effort_of(members_[chosen]);
        ++chosen;
    }
    return chosen;
}

bool Automatic::begin_run(const RunInfo& run) {
    for (;;) {
        if (is_exhausted() || has_diverged()) {
            return false;
        }
        current_ = choose_member();
        if (current_ == members_.size()) {
            current_ = 0;
            return false;
        }
        Member& member = members_[current_];
        ++runs_;
        if (!member.is_done && current().begin_run(run)) {
            ++member.runs;
            return true;
        }
        member.is_done = true;
    }
}

void Automatic::end_run(const Summary& summary) {
    current().end_run(summary);
    Member& member = members_[current_];
    const bool is_warm = member.runs > member.warm_up;
    const bool is_new = is_warm ? discovery_.record(current_, summary.fingerprint) : discovery_.see(summary.fingerprint);
    member.found += is_new ? 1 : 0;
    // An average over about sixteen runs: what a member found long ago says little.
    member.novelty = member.novelty - member.novelty / 16 + (is_new ? full / 16 : 0);
}

bool Automatic::is_exhausted() const {
    return std::any_of(members_.begin(), members_.end(),
                       [](const Member& member) { return member.strategy->is_exhausted(); });
}

bool Automatic::has_diverged() const {
    return std::any_of(members_.begin(), members_.end(),
                       [](const Member& member) { return member.strategy->has_diverged(); });
}

std::optional<std::uint64_t> Automatic::interleavings() const {
    for (const Member& member : members_) {
        if (member.strategy->is_exhausted() && member.strategy->interleavings().has_value()) {
            return member.strategy->interleavings();
        }
    }
    return std::nullopt;
}

std::optional<double> Automatic::next_is_new_max() const {
    double most = 0;
    for (std::size_t i = 0; i < members_.size(); ++i) {
        // Until it is warm, a member makes the random walks of another.
        if (members_[i].role == Role::random && (members_[i].warm_up == 0 || discovery_.runs(i) != 0)) {
            most = std::max(most, discovery_.next_is_new(i).high);
        }
    }
    return most;
}

std::vector<Automatic::Share> Automatic::shares() const {
    std::vector<Share> shares;
    for (const Member& member : members_) {
        shares.push_back({member.strategy->name(), member.role, member.runs, member.found});
    }
    return shares;
}

}  // namespace mishap
