#pragma once

#include <cstdint>
#include <numeric>
#include <span>

#include <mishap/sim/prng.hpp>
#include <mishap/sim/strategy.hpp>

namespace mishap::detail {

/// Draws a class of `question` by its weights; without weights every class is equally likely.
inline std::uint32_t draw_class(Prng& prng, const Question& question) {
    if (question.weights.empty()) {
        return prng.below(question.classes);
    }
    const std::uint32_t total = std::accumulate(question.weights.begin(), question.weights.end(), std::uint32_t{0});
    std::uint32_t drawn = prng.below(total);
    std::uint32_t taken = 0;
    while (drawn >= question.weights[taken]) {
        drawn -= question.weights[taken];
        ++taken;
    }
    return taken;
}

/// Draws an index in proportion to `weights`, whose sum is not zero.
inline std::uint32_t draw_by_weight(Prng& prng, std::span<const std::uint64_t> weights) {
    std::uint64_t drawn = prng.below64(std::accumulate(weights.begin(), weights.end(), std::uint64_t{0}));
    std::uint32_t index = 0;
    while (drawn >= weights[index]) {
        drawn -= weights[index];
        ++index;
    }
    return index;
}

}  // namespace mishap::detail
