#pragma once

// Whether the estimate of what is still to be seen is right: against programs of which it is known.

#include <cstdint>
#include <functional>
#include <memory>

#include <mishap/sim/strategy.hpp>

namespace mishap::test {

/// How often an interval of 95 % contained the truth.
struct Calibration {
    std::uint64_t interleavings = 0;  // seen by the runs that give the truth
    std::uint64_t contained = 0;
    std::uint64_t searches = 0;
    double high_mean = 0;  // of the intervals' upper ends: how much they claim

    double coverage() const { return static_cast<double>(contained) / static_cast<double>(searches); }
};

/// What is calibrated.
struct CalibrationCase {
    std::function<std::unique_ptr<Strategy>(std::uint64_t seed)> make;
    std::uint64_t warm_up = 0;  // runs of each search that do not count, for they only learn about the program
    std::uint64_t runs = 0;     // of each search, that count
    std::uint64_t searches = 0;
    std::uint64_t truth_runs = 0;  // of one long search, whose shares are taken for the probabilities
};

/// Makes searches with different seeds, estimates after each the probability that one more run shows a new interleaving,
/// and compares that with the probability of those not seen.
Calibration calibrate(const std::function<void()>& body, const CalibrationCase& what);

}  // namespace mishap::test
