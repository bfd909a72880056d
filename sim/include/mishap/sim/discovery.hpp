#pragma once

#include <array>
#include <cstdint>

#include <boost/unordered/unordered_flat_map.hpp>

namespace mishap {

/// A probability that was estimated, with its 95 % confidence interval.
struct Estimate {
    double low = 0;
    double value = 0;
    double high = 1;
};

/// Counts how often each interleaving was seen, and by whom, and says how probable it is that one more run shows a new one.
///
/// What was never seen weighs about as much as what was seen exactly once: with n runs and f1 interleavings seen once, the
/// probability that the next run is new is about f1 / n. The interval is that of the normal approximation with the variance
/// (f1 + 2 f2) / n^2, where f2 were seen twice. That leaves out the term that makes it smaller (f1^2 / n) and is widened at
/// both ends by the events that Wilson's interval adds, because few events are not normal.
///
/// Sound for runs that are drawn independently and alike; a systematic search never repeats itself, so nothing follows from
/// what it repeats.
///
/// Source:    I. J. Good, "The population frequencies of species" (Biometrika 1953); W. Esty, "A normal limit law for a
///            nonparametric estimator of the coverage of a random sample" (Ann. Statist. 1983); M. Boehme, "STADS: Software
///            Testing as Species Discovery" (TOSEM 2018).
class Discovery {
public:
    static constexpr std::size_t sources_max = 8;

    /// Counts a run of `source` with this fingerprint; returns whether nobody had seen it.
    bool record(std::size_t source, std::uint64_t fingerprint);
    /// Takes note of a run that nothing follows from, because its source was not yet what it will be; returns whether
    /// nobody had seen it.
    bool see(std::uint64_t fingerprint) { return seen_.try_emplace(fingerprint).second; }
    /// Returns how many interleavings were seen.
    std::uint64_t seen() const { return seen_.size(); }

    /// Returns the probability that one more run of `source` shows what no run of it has shown.
    Estimate next_is_new(std::size_t source) const;
    std::uint64_t runs(std::size_t source) const { return sources_[source].runs; }

private:
    struct Source {
        std::uint64_t runs = 0;
        std::uint64_t once = 0;
        std::uint64_t twice = 0;
    };
    using Counts = std::array<std::uint8_t, sources_max>;  // up to 3, which stands for more

    std::array<Source, sources_max> sources_;
    boost::unordered_flat_map<std::uint64_t, Counts> seen_;  // looked up only
};

/// Returns the estimate from `runs` of which `once` interleavings were seen once and `twice` twice.
Estimate probability_of_new(std::uint64_t runs, std::uint64_t once, std::uint64_t twice);

}  // namespace mishap
