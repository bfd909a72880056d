// Sweeps: one search for each await, from the first to the one that the program does not come to.

#include <mishap/properties/sweep.hpp>

#include <algorithm>

#include <mishap/properties/detail/body_program.hpp>
#include <mishap/properties/detail/divergence.hpp>
#include <mishap/properties/detail/search_part.hpp>
#include <mishap/sim/errors.hpp>
#include <mishap/sim/make_strategy.hpp>
#include <mishap/sim/real_clock.hpp>
#include <mishap/sim/replay_line.hpp>
#include <mishap/sim/sweep_strategy.hpp>

namespace mishap {

namespace {

class Survey {
public:
    Survey(const ExploreOptions& options, std::uint64_t schedules, SweepResult& result)
        : options_(options), schedules_(schedules), result_(result) {}

    SearchResult search(Program& program, World& world) {
        const std::int64_t begin_ns = detail::monotonic_now_ns();
        for (std::uint64_t n = 1; is_within_limits(begin_ns); ++n) {
            if (!try_await(n, program, world)) {
                result_.is_complete = !total_.has_diverged;
                break;
            }
            ++result_.awaits;
        }
        total_.elapsed = std::chrono::nanoseconds(detail::monotonic_now_ns() - begin_ns);
        return std::move(total_);
    }

private:
    bool is_within_limits(std::int64_t begin_ns) const {
        const std::int64_t limit_ns = options_.time_limit.count();
        return total_.runs < options_.runs_max &&
               (limit_ns == 0 || detail::monotonic_now_ns() - begin_ns < limit_ns);
    }

    /// Lets await `n` go wrong in all schedules, until one fails; returns whether the program came to it in any.
    bool try_await(std::uint64_t n, Program& program, World& world) {
        SweepStrategy calm(n);
        bool is_over = add(n, calm, 1, program, world);
        bool has_reached = calm.has_reached();
        if (!is_over && schedules_ > 1) {
            const std::unique_ptr<Strategy> others = make_strategy(options_.strategy, options_.effective_seed());
            SweepStrategy explored(n, others.get());
            add(n, explored, schedules_ - 1, program, world);
            has_reached = has_reached || explored.has_reached();
        }
        return has_reached;
    }

    /// Makes `runs` runs, and returns whether there is no use in more with this await.
    bool add(std::uint64_t n, Strategy& strategy, std::uint64_t runs, Program& program, World& world) {
        Explorer explorer(program, world);
        explorer.on_progress([this](const Progress& part) {
            if (options_.progress) {
                options_.progress({total_.runs + part.runs, total_.digests + part.digests, part.elapsed});
            }
        });
        const SearchResult part = explorer.search(strategy, {.runs_max = std::min(runs, options_.runs_max - total_.runs)});
        total_.runs += part.runs;
        total_.steps += part.steps;
        total_.choices += part.choices;
        total_.waits = part.waits;
        total_.digests += part.digests;
        for (const Note& note : part.notes) {
            if (std::find(total_.notes.begin(), total_.notes.end(), note) == total_.notes.end()) {
                total_.notes.push_back(note);
            }
        }
        if (part.has_diverged) {
            total_.has_diverged = true;
            total_.diverged = part.diverged;
        }
        if (part.failure.has_value()) {
            keep(n, *part.failure, program, world);
        }
        return part.failure.has_value() || part.has_diverged;
    }

    void keep(std::uint64_t n, const Failure& failure, Program& program, World& world) {
        if (world.swept().number == 0) {
            // The program did not come to await n; another schedule has broken it all by itself.
            total_.failure = total_.failure.has_value() ? total_.failure : failure;
            return;
        }
        ++result_.failed;
        if (!total_.failure.has_value()) {
            total_.failure = failure;
            total_.failure->run = total_.runs - 1;
        }
        const std::string signature = failure.finding.signature();
        const auto known = std::find_if(result_.failures.begin(), result_.failures.end(), [&](const SweptFailure& other) {
            return other.finding.signature() == signature;
        });
        if (known != result_.failures.end()) {
            known->awaits.push_back(n);
            return;
        }
        // Traced, for the names.
        const detail::TracedRun traced = detail::trace_tape(program, world, failure.tape, false);
        const World::SweptAwait& swept = world.swept();
        result_.failures.push_back(
            {.awaits = {n},
             .where = detail::describe_await(swept.operation, swept.place, swept.task),
             .finding = traced.run.finding.value_or(failure.finding),
             .replay_line = to_line({options_.name, options_.world(), with_texts(traced.run.mishaps, traced.names)})});
    }

    const ExploreOptions& options_;
    std::uint64_t schedules_;
    SweepResult& result_;
    SearchResult total_;
};

}  // namespace

Report sweep(const std::function<void()>& program, Sweep kind, const ExploreOptions& options, std::uint64_t schedules) {
    if (kind == Sweep::off) {
        throw UsageError("sweep() was given Sweep::off; say which way awaits are to go wrong: cancel, timeout or fail");
    }
    if (schedules == 0 || options.runs_max == 0) {
        throw UsageError("sweep() was to make no run: give schedules and runs_max 1 or more");
    }
    ExploreOptions swept = options;
    swept.sweep = kind;
    SweepResult result{.kind = kind};
    Survey survey(swept, schedules, result);
    Report report =
        detail::explore_by(program, swept, [&](Program& body, World& world) { return survey.search(body, world); });
    report.strategy = "sweep";
    report.swept = std::move(result);
    return report;
}

}  // namespace mishap
