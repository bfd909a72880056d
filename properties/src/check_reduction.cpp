#include <mishap/properties/check_reduction.hpp>

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <mishap/properties/detail/body_program.hpp>
#include <mishap/sim/dpor.hpp>
#include <mishap/sim/exhaustive.hpp>

namespace mishap {

namespace {

ReductionCheck::Seen search(const std::function<void()>& body, const ExploreOptions& options, Strategy& strategy) {
    World world(options.world());
    detail::BodyProgram program(body, options, world);
    ReductionCheck::Seen seen;
    std::vector<Blocked> blocked;
    std::set<std::uint64_t> interleavings;
    std::set<std::uint64_t> states;
    std::set<std::string> verdicts;
    while (seen.runs < options.runs_max && strategy.begin_run({seen.runs})) {
        world.begin_run(&strategy);
        program.run(world);
        strategy.end_run(summary_of(world, blocked));
        ++seen.runs;
        if (world.choices().is_abandoned()) {
            continue;
        }
        const std::optional<Finding>& finding = world.finding();
        seen.stuck += finding.has_value() && finding->kind == FindingKind::stuck ? 1U : 0U;
        interleavings.insert(world.fingerprint());
        states.insert(world.state());
        verdicts.insert(finding.has_value() ? finding->signature() : "passes");
    }
    // Whether there is another run is known when it is asked for.
    seen.is_exhausted = strategy.is_exhausted() || (!strategy.begin_run({seen.runs}) && strategy.is_exhausted());
    seen.interleavings.assign(interleavings.begin(), interleavings.end());
    seen.states.assign(states.begin(), states.end());
    seen.verdicts.assign(verdicts.begin(), verdicts.end());
    return seen;
}

}  // namespace

bool ReductionCheck::loses_nothing() const {
    return reduced.is_exhausted && all.is_exhausted && reduced.interleavings == all.interleavings &&
           reduced.states == all.states && reduced.verdicts == all.verdicts;
}

bool ReductionCheck::is_optimal() const {
    return loses_nothing() && wasted == 0 && reduced.runs == all.interleavings.size();
}

std::string ReductionCheck::to_text() const {
    const auto line = [](const char* name, const Seen& seen) {
        return fmt::format("{}: {}{} runs, {} interleavings, {} states, {} verdicts, {} runs stuck\n", name,
                           seen.is_exhausted ? "all of " : "cut short after ", seen.runs, seen.interleavings.size(),
                           seen.states.size(), seen.verdicts.size(), seen.stuck);
    };
    std::string text = line("dpor", reduced) + line("exhaustive", all);
    if (wasted != 0) {
        text += fmt::format("{} runs or planned steps in vain\n", wasted);
    }
    for (const std::string& verdict : all.verdicts) {
        if (!std::binary_search(reduced.verdicts.begin(), reduced.verdicts.end(), verdict)) {
            text += "dpor did not see: " + verdict + "\n";
        }
    }
    return text;
}

ReductionCheck check_reduction(const std::function<void()>& body, const ExploreOptions& options) {
    ReductionCheck check;
    Dpor dpor;
    check.reduced = search(body, options, dpor);
    check.wasted = dpor.counts().redundant + dpor.counts().impossible + dpor.counts().surprising;
    Exhaustive exhaustive;
    check.all = search(body, options, exhaustive);
    return check;
}

}  // namespace mishap
