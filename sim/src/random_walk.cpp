#include <mishap/sim/random_walk.hpp>

#include <mishap/sim/detail/draw_class.hpp>

namespace mishap {

RandomWalk::RandomWalk(std::uint64_t seed, std::uint64_t runs_max) : seed_(seed), runs_max_(runs_max), prng_(seed) {}

bool RandomWalk::begin_run(const RunInfo& run) {
    if (run.number >= runs_max_) {
        return false;
    }
    prng_ = Prng(mix(seed_, run.number));
    return true;
}

std::uint32_t RandomWalk::pick(const Question& question) { return detail::draw_class(prng_, question); }

}  // namespace mishap
