#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <mishap/sim/discovery.hpp>
#include <mishap/sim/prng.hpp>
#include <mishap/sim/strategy.hpp>

namespace mishap {

/// Lets strategies of different kinds make runs in turn, more of them to those that still show something new.
///
/// No strategy is best for all programs. Random members (random walk, POS, URW, SURW, PCT of a depth drawn for each run) and
/// bounded searches find what each is good at; the enumeration (optimal DPOR) ends a search that can be ended. For each of
/// their runs the random members draw, too, which kinds of mishap take part in it (`Swarm`). Effort follows what a
/// member's latest runs showed that no run of any member had shown; a member never gets less than an eighth of the effort
/// of the best. The enumeration gets what the random members leave: much when they repeat themselves, for then it can soon
/// be over; and the systematic members get more for their first few runs, for many failures are near the calm run.
///
/// Which member makes run n follows from the seed and the runs before it.
class Automatic final : public Strategy {
public:
    /// What a member is good for.
    enum class Role : std::uint8_t { random, bounded, enumeration };

    /// A process that does not make the search's first run leaves the systematic members to the one that does
    /// (`is_first` is false): they could not share their work.
    explicit Automatic(std::uint64_t seed, bool is_first = true);

    const char* name() const override { return "automatic"; }
    Needs needs() const override { return {.steps = current().needs().steps, .footprints = true}; }
    bool begin_run(const RunInfo& run) override;
    std::uint32_t pick(const Question& question) override { return current().pick(question); }
    void after_step(const Step& step) override { current().after_step(step); }
    void end_run(const Summary& summary) override;
    bool is_exhausted() const override;
    bool has_diverged() const override;
    std::optional<std::uint64_t> interleavings() const override;
    /// An upper bound: of the random members' next runs, none is likelier than this to show an interleaving that is new.
    std::optional<double> next_is_new_max() const override;

    /// What a member has done so far.
    struct Share {
        const char* name = "";
        Role role = Role::random;
        std::uint64_t runs = 0;
        std::uint64_t found = 0;  // interleavings that nobody had seen
    };
    std::vector<Share> shares() const;

private:
    struct Member {
        std::unique_ptr<Strategy> strategy;
        Role role = Role::random;
        std::uint32_t warm_up = 0;  // runs, the first ones, that are random walks to learn about the program
        bool is_done = false;
        std::uint32_t novelty = full;  // how often its latest runs were new: a moving average
        std::uint64_t runs = 0;
        std::uint64_t found = 0;
    };
    static constexpr std::uint32_t full = 4096;  // of the novelty: all runs were new
    static constexpr std::uint32_t floor = full / 8;
    static constexpr std::uint32_t enumeration_floor = full / 2;
    // Many failures are near the calm run: the first runs of a systematic search are worth more than those of a random one.
    static constexpr std::uint64_t near_runs = 8;
    static constexpr std::uint32_t near_effort = 2 * full;

    void add(std::unique_ptr<Strategy> strategy, Role role);
    template <class S>
    void add_random(std::uint64_t seed, std::uint32_t warm_up);
    const Strategy& current() const { return *members_[current_].strategy; }
    Strategy& current() { return *members_[current_].strategy; }
    std::uint32_t effort_of(const Member& member) const;
    std::size_t choose_member();

    std::uint64_t seed_;
    std::uint64_t runs_ = 0;
    std::vector<Member> members_;
    std::size_t current_ = 0;
    Discovery discovery_;
};

}  // namespace mishap
