#include <mishap/sim/swarm.hpp>

#include <mishap/sim/hash.hpp>

namespace mishap {

namespace {

// How many sixteenths of its questions a kind is asked in a run: half of the runs are as they were.
constexpr std::array<std::uint32_t, 8> degrees = {0, 1, 4, 4, 16, 16, 16, 16};

}  // namespace

Swarm::Swarm(std::unique_ptr<Strategy> inner, std::uint64_t seed)
    : StrategyWrapper(std::move(inner)), seed_(mix(seed, hash_text("swarm"))), prng_(seed_) {}

bool Swarm::begin_run(const RunInfo& run) {
    prng_ = Prng(mix(seed_, run.number));
    for (std::uint32_t& sixteenths : sixteenths_) {
        sixteenths = degrees[prng_.below(static_cast<std::uint32_t>(degrees.size()))];
    }
    return inner().begin_run(run);
}

std::uint32_t Swarm::pick(const Question& question) {
    if (question.kind != ChoiceKind::schedule) {
        const std::uint32_t sixteenths = sixteenths_[static_cast<std::size_t>(question.kind)];
        if (sixteenths < 16 && prng_.below(16) >= sixteenths) {
            return 0;
        }
    }
    return inner().pick(question);
}

}  // namespace mishap
