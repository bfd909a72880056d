#include "exploration/calibration.hpp"

#include <cmath>
#include <map>

#include <mishap/sim/discovery.hpp>
#include <mishap/sim/measured.hpp>

#include "exploration/played.hpp"

namespace mishap::test {

Calibration calibrate(const std::function<void()>& body, const CalibrationCase& what) {
    constexpr std::uint64_t seed_of_truth = 1'000'000;
    Played played(body);
    std::map<std::uint64_t, double> probabilities;
    const auto play = [&](Strategy& strategy, std::uint64_t runs, const auto& see) {
        for (std::uint64_t run = 0; run < what.warm_up + runs; ++run) {
            played.play(strategy, run);
            if (run >= what.warm_up) {
                see(played.fingerprint());
            }
        }
    };
    const double share = 1.0 / static_cast<double>(what.truth_runs);
    Measured truth(what.make(seed_of_truth));  // which asks for fingerprints
    play(truth, what.truth_runs, [&](std::uint64_t fingerprint) { probabilities[fingerprint] += share; });

    Calibration result;
    result.interleavings = probabilities.size();
    for (std::uint64_t seed = 1; seed <= what.searches; ++seed) {
        Discovery discovery;
        double unseen = 1;
        Measured strategy(what.make(seed));
        play(strategy, what.runs, [&](std::uint64_t fingerprint) {
            if (discovery.record(0, fingerprint)) {
                const auto known = probabilities.find(fingerprint);
                unseen -= known != probabilities.end() ? known->second : 0;
            }
        });
        const Estimate estimate = discovery.next_is_new(0);
        // The truth is a share of `truth_runs`, and known so well.
        const double error = 3 * std::sqrt(std::max(unseen, share) * share);
        result.contained += unseen >= estimate.low - error && unseen <= estimate.high + error ? 1 : 0;
        result.high_mean += estimate.high / static_cast<double>(what.searches);
        ++result.searches;
    }
    return result;
}

}  // namespace mishap::test
