#include <mishap/sim/shrinker.hpp>

#include <algorithm>

#include <mishap/sim/detail/shrink_passes.hpp>

namespace mishap {

namespace {

ShrinkLimits without_measuring(ShrinkLimits limits) {
    constexpr std::uint64_t measured_runs = 2;  // before and after
    limits.runs_max -= std::min(limits.runs_max, measured_runs);
    return limits;
}

}  // namespace

ShrinkResult shrink(Program& program, World& world, const Failure& failure, const ShrinkLimits& limits) {
    ShrinkResult result;
    result.before = measure_run(program, world, failure.tape);
    detail::ShrinkSession session(program, world, failure.finding.signature(), without_measuring(limits));
    if (session.begin(failure.tape)) {
        while (detail::drop_stretches(session)) {
        }
        result.is_minimal = limits.search_from_scratch && detail::search_for_fewer(session);
        // The simplest of all runs with as few mishaps is a local minimum too: each of the edits leads to one of them.
        result.is_local_minimum = (result.is_minimal && detail::choose_among_equals(session)) ||
                                  detail::make_local_minimum(session);
    }
    result.run = session.best();
    result.after = measure_run(program, world, result.run.tape);
    result.runs = session.runs() + 2;
    return result;
}

}  // namespace mishap
