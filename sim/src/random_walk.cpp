#include <mishap/sim/random_walk.hpp>

#include <numeric>

namespace mishap {

RandomWalk::RandomWalk(std::uint64_t seed, std::uint64_t runs_max) : seed_(seed), runs_max_(runs_max), prng_(seed) {}

bool RandomWalk::begin_run(const RunInfo& run) {
    if (run.number >= runs_max_) {
        return false;
    }
    prng_ = Prng(mix(seed_, run.number));
    return true;
}

std::uint32_t RandomWalk::pick(const Question& question) {
    if (question.weights.empty()) {
        return prng_.below(question.classes);
    }
    const std::uint32_t total = std::accumulate(question.weights.begin(), question.weights.end(), std::uint32_t{0});
    std::uint32_t drawn = prng_.below(total);
    std::uint32_t taken = 0;
    while (drawn >= question.weights[taken]) {
        drawn -= question.weights[taken];
        ++taken;
    }
    return taken;
}

}  // namespace mishap
