#include <mishap/sim/detail/shrink_session.hpp>

#include <algorithm>
#include <numeric>

#include <mishap/sim/hash.hpp>
#include <mishap/sim/real_clock.hpp>

namespace mishap {

namespace {

std::uint64_t class_sum(std::span<const Choice> tape) {
    return std::accumulate(tape.begin(), tape.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const Choice& choice) { return sum + choice.taken; });
}

/// The order of simplicity, of two runs as far as it looks at them.
bool precedes(std::span<const Choice> a, std::uint64_t steps_a, std::span<const Choice> b, std::uint64_t steps_b) {
    const std::size_t mishaps_a = mishap_count(a);
    const std::size_t mishaps_b = mishap_count(b);
    if (mishaps_a != mishaps_b) {
        return mishaps_a < mishaps_b;
    }
    const std::uint64_t sum_a = class_sum(a);
    const std::uint64_t sum_b = class_sum(b);
    if (sum_a != sum_b) {
        return sum_a < sum_b;
    }
    if (steps_a != steps_b) {
        return steps_a < steps_b;
    }
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                        [](const Choice& x, const Choice& y) { return x.taken < y.taken; });
}

std::uint64_t hash_of(const detail::TapeEdit& edit) {
    std::uint64_t hash = mix(static_cast<std::uint64_t>(edit.match), edit.prefix.size());
    for (const Choice& choice : edit.prefix) {
        hash = mix(hash, choice.taken);
    }
    for (const Mishap& mishap : edit.rest) {
        hash = mix(hash, static_cast<std::uint64_t>(mishap.kind));
        hash = mix(mix(hash, mishap.who.entity), mishap.who.step);
        hash = mix(mix(hash, mishap.calm.entity), mishap.calm.step);
        hash = mix(mix(mix(hash, mishap.ordinal), mishap.taken), mishap.label);
    }
    return hash;
}

}  // namespace

bool is_simpler(const Replayed& a, const Replayed& b) { return precedes(a.tape, a.steps, b.tape, b.steps); }

namespace detail {

ShrinkSession::ShrinkSession(Program& program, World& world, std::string signature, const ShrinkLimits& limits)
    : program_(program),
      world_(world),
      signature_(std::move(signature)),
      limits_(limits),
      begin_ns_(limits.time_max.count() != 0 ? monotonic_now_ns() : 0) {}

bool ShrinkSession::begin(std::span<const Choice> tape) {
    ++runs_;
    best_ = replay(program_, world_, tape);
    return fails_alike(best_.finding);
}

std::vector<std::size_t> ShrinkSession::positions() const {
    std::vector<std::size_t> result;
    for (std::size_t i = 0; i < best_.tape.size(); ++i) {
        if (best_.tape[i].is_mishap()) {
            result.push_back(i);
        }
    }
    return result;
}

bool ShrinkSession::has_budget(std::uint64_t kept_share) {
    const auto left_of = [&](std::uint64_t whole) { return kept_share == 1 ? whole : whole - whole / kept_share; };
    if (runs_ < left_of(limits_.runs_max)) {
        const auto time_max_ns = static_cast<std::uint64_t>(limits_.time_max.count());
        if (time_max_ns == 0 || static_cast<std::uint64_t>(monotonic_now_ns() - begin_ns_) < left_of(time_max_ns)) {
            return true;
        }
    }
    is_over_ = is_over_ || kept_share == 1;
    return false;
}

bool ShrinkSession::fails_alike(const std::optional<Finding>& finding) const {
    return finding.has_value() && finding->signature() == signature_;
}

bool ShrinkSession::try_edit(const TapeEdit& edit) {
    if (tried_.contains(hash_of(edit)) || !has_budget()) {
        return false;
    }
    tried_.insert(hash_of(edit));
    ++runs_;
    Replayed candidate = replay(program_, world_, edit.rest, edit.match, edit.prefix);
    if (!fails_alike(candidate.finding) || !is_simpler(candidate, best_)) {
        return false;
    }
    best_ = std::move(candidate);
    return true;
}

bool ShrinkSession::try_run_of(Strategy& strategy) {
    world_.begin_run(&strategy);
    program_.run(world_);
    ++runs_;
    const std::span<const Choice> recorded = world_.choices().tape();
    if (!fails_alike(world_.finding()) || !precedes(recorded, world_.verdict().steps, best_.tape, best_.steps)) {
        return false;
    }
    const Tape tape(recorded.begin(), recorded.end());  // the world keeps it only until the next run
    ++runs_;
    best_ = replay(program_, world_, tape);
    return true;
}

}  // namespace detail
}  // namespace mishap
