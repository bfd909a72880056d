#include <mishap/sim/discovery.hpp>

#include <algorithm>
#include <cmath>

namespace mishap {

bool Discovery::record(std::size_t source, std::uint64_t fingerprint) {
    const auto [entry, is_new] = seen_.try_emplace(fingerprint);
    std::uint8_t& count = entry->second[source];
    Source& counts = sources_[source];
    ++counts.runs;
    switch (count) {
        case 0: ++counts.once; break;
        case 1: --counts.once, ++counts.twice; break;
        case 2: --counts.twice; break;
        default: return is_new;
    }
    ++count;
    return is_new;
}

Estimate Discovery::next_is_new(std::size_t source) const {
    const Source& counts = sources_[source];
    return probability_of_new(counts.runs, counts.once, counts.twice);
}

Estimate probability_of_new(std::uint64_t runs, std::uint64_t once, std::uint64_t twice) {
    if (runs == 0) {
        return {0, 1, 1};
    }
    constexpr double z = 1.96;  // of the 95 % interval
    const auto n = static_cast<double>(runs);
    const auto f1 = static_cast<double>(once);
    const auto f2 = static_cast<double>(twice);
    const double variance = f1 + 2 * f2;
    const double half = z * std::sqrt(variance + z * z / 4);
    return {std::clamp((f1 + z * z / 2 - half - 1) / n, 0.0, 1.0), f1 / n,
            std::clamp((f1 + z * z / 2 + half + 1) / n, 0.0, 1.0)};
}

}  // namespace mishap
