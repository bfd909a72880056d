#include <mishap/sim/shrinker.hpp>

#include <algorithm>
#include <numeric>

#include <mishap/sim/exhaustive.hpp>

namespace mishap {

namespace {

std::uint64_t class_sum(std::span<const Choice> tape) {
    return std::accumulate(tape.begin(), tape.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const Choice& choice) { return sum + choice.taken; });
}

/// Returns the positions of the mishaps on a tape.
std::vector<std::size_t> positions(std::span<const Choice> tape) {
    std::vector<std::size_t> result;
    for (std::size_t i = 0; i < tape.size(); ++i) {
        if (tape[i].is_mishap()) {
            result.push_back(i);
        }
    }
    return result;
}

class Shrinker {
public:
    Shrinker(Program& program, World& world, std::string signature, const ShrinkLimits& limits)
        : program_(program), world_(world), signature_(std::move(signature)), limits_(limits) {}

    ShrinkResult shrink(const Failure& failure) {
        best_ = replay(program_, world_, failure.tape);
        result_.mishaps_before = mishap_count(failure.tape);
        result_.steps_before = failure.steps;
        ++result_.runs;
        bool improved = true;
        while (improved && has_budget()) {
            improved = drop_mishaps();
            improved = search_for_fewer() || improved;
            improved = lower_classes() || improved;
            improved = move_later() || improved;
        }
        choose_among_equals();
        result_.run = best_;
        return result_;
    }

private:
    bool has_budget() const { return result_.runs < limits_.runs_max; }

    bool keep_if_simpler(Replayed&& candidate) {
        if (candidate.finding.has_value() && candidate.finding->signature() == signature_ && is_simpler(candidate, best_)) {
            best_ = std::move(candidate);
            return true;
        }
        return false;
    }

    bool try_mishaps(const MishapList& mishaps, std::span<const Choice> prefix = {}) {
        ++result_.runs;
        return keep_if_simpler(replay(program_, world_, mishaps, MishapPlayback::Match::exact, prefix));
    }

    /// Drops runs of neighbouring mishaps, halves first, single ones last.
    bool drop_mishaps() {
        bool improved = false;
        for (std::size_t size = std::max<std::size_t>(best_.mishaps.size() / 2, 1); size > 0; size /= 2) {
            std::size_t begin = 0;
            while (begin < best_.mishaps.size() && has_budget()) {
                MishapList fewer = best_.mishaps;
                const std::size_t end = std::min(begin + size, fewer.size());
                fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(begin),
                            fewer.begin() + static_cast<std::ptrdiff_t>(end));
                if (try_mishaps(fewer)) {
                    improved = true;  // what followed has moved to `begin`
                } else {
                    begin += size;
                }
            }
        }
        return improved;
    }

    /// Makes the run that `strategy` has begun, and keeps it when it is simpler than the best.
    bool try_run_of(Strategy& strategy) {
        world_.begin_run(&strategy);
        program_.run(world_);
        ++result_.runs;
        if (!world_.has_failed() || world_.finding()->signature() != signature_) {
            return false;
        }
        const Tape tape(world_.choices().tape().begin(), world_.choices().tape().end());
        ++result_.runs;
        return keep_if_simpler(replay(program_, world_, tape));
    }

    /// Makes every run with fewer mishaps than the best has, fewest first, until one fails in the same way.
    bool search_for_fewer() {
        for (std::size_t bound = searched_; bound < best_.mishaps.size(); ++bound) {
            Exhaustive strategy(static_cast<std::uint32_t>(bound), false);
            while (has_budget() && strategy.begin_run({})) {
                if (try_run_of(strategy)) {
                    return true;
                }
            }
            if (!strategy.is_bound_exhausted()) {
                return false;
            }
            searched_ = bound + 1;
        }
        result_.is_minimal = true;
        return false;
    }

    /// Makes every run with as many mishaps as the best has, and keeps the simplest: what a failure is shrunk to should
    /// depend on the program, not on the run that was found first.
    void choose_among_equals() {
        if (!result_.is_minimal) {
            return;
        }
        Exhaustive strategy(static_cast<std::uint32_t>(best_.mishaps.size()), false);
        while (has_budget() && strategy.begin_run({})) {
            try_run_of(strategy);
        }
    }

    /// Replaces the class of one mishap by a smaller one and keeps those after it, as far as they still fit.
    bool lower_classes() {
        bool improved = false;
        for (std::size_t m = 0; m < best_.mishaps.size(); ++m) {
            const std::size_t at = positions(best_.tape)[m];
            for (std::uint32_t taken = 1; taken < best_.tape[at].taken && has_budget(); ++taken) {
                if (try_edit(m, at, at, taken)) {
                    improved = true;
                    break;
                }
            }
        }
        return improved;
    }

    /// Moves one mishap to a later question, the latest first.
    bool move_later() {
        bool improved = false;
        for (std::size_t m = 0; m < best_.mishaps.size(); ++m) {
            const std::vector<std::size_t> at = positions(best_.tape);
            const std::size_t next = m + 1 < at.size() ? at[m + 1] : best_.tape.size();
            const std::size_t last = std::min(next, at[m] + move_max);
            for (std::size_t to = last; to-- > at[m] + 1 && has_budget();) {
                if (try_edit(m, at[m], to, 1)) {
                    improved = true;
                    break;
                }
            }
        }
        return improved;
    }

    /// Tries the best tape with mishap `m` moved from position `from` to `to` and class `taken`.
    bool try_edit(std::size_t m, std::size_t from, std::size_t to, std::uint32_t taken) {
        Tape prefix(best_.tape.begin(), best_.tape.begin() + static_cast<std::ptrdiff_t>(from));
        prefix.resize(to + 1);
        prefix[to].taken = taken;
        const MishapList rest(best_.mishaps.begin() + static_cast<std::ptrdiff_t>(m) + 1, best_.mishaps.end());
        return try_mishaps(rest, prefix);
    }

    static constexpr std::size_t move_max = 64;  // questions; further moves are seldom simpler and each costs a run

    Program& program_;
    World& world_;
    std::string signature_;
    ShrinkLimits limits_;
    Replayed best_;
    ShrinkResult result_;
    std::size_t searched_ = 0;  // every run with fewer mishaps than this was made
};

}  // namespace

bool is_simpler(const Replayed& a, const Replayed& b) {
    if (a.mishaps.size() != b.mishaps.size()) {
        return a.mishaps.size() < b.mishaps.size();
    }
    const std::uint64_t sum_a = class_sum(a.tape);
    const std::uint64_t sum_b = class_sum(b.tape);
    if (sum_a != sum_b) {
        return sum_a < sum_b;
    }
    if (a.steps != b.steps) {
        return a.steps < b.steps;
    }
    return std::lexicographical_compare(a.tape.begin(), a.tape.end(), b.tape.begin(), b.tape.end(),
                                        [](const Choice& x, const Choice& y) { return x.taken < y.taken; });
}

ShrinkResult shrink(Program& program, World& world, const Failure& failure, const ShrinkLimits& limits) {
    return Shrinker(program, world, failure.finding.signature(), limits).shrink(failure);
}

}  // namespace mishap
