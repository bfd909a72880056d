#pragma once

#include <array>

#include <mishap/sim/prng.hpp>
#include <mishap/sim/strategy_wrapper.hpp>

namespace mishap {

/// Draws for each run which kinds of mishap take part in it, and how readily: swarm testing.
///
/// A random strategy that answers every kind of question in every run makes runs that are alike: something of everything,
/// soon. A failure that needs a cancellation late in a run in which nothing else goes wrong is rare there. So each kind of
/// data question (cancellations, forced yields, faults, values, ticks) is off in some runs, and calm but for few of its
/// questions in others; what remains is answered by the strategy. The order of steps is always the strategy's own.
///
/// What is drawn follows from the seed and the number of the run alone, so runs of a strategy that are independent and
/// alike remain so, and every run that it can make it can still make.
///
/// Source: A. Groce, C. Zhang, E. Eide, Y. Chen, J. Regehr, "Swarm Testing" (ISSTA 2012); there a feature is on or off.
class Swarm final : public StrategyWrapper {
public:
    Swarm(std::unique_ptr<Strategy> inner, std::uint64_t seed);

    bool begin_run(const RunInfo& run) override;
    std::uint32_t pick(const Question& question) override;

private:
    static constexpr std::size_t kinds = static_cast<std::size_t>(ChoiceKind::sweep) + 1;

    std::uint64_t seed_;
    Prng prng_;
    std::array<std::uint32_t, kinds> sixteenths_{};  // of its questions, that the strategy answers in this run
};

}  // namespace mishap
