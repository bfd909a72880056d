#include <mishap/properties/explore.hpp>

#include <algorithm>
#include <filesystem>

#include <unistd.h>

#include <fmt/format.h>
#include <mishap/properties/detail/body_program.hpp>
#include <mishap/properties/detail/divergence.hpp>
#include <mishap/properties/detail/fifo_legality.hpp>
#include <mishap/properties/detail/pristine.hpp>
#include <mishap/properties/detail/search_part.hpp>
#include <mishap/properties/detail/story.hpp>
#include <mishap/properties/detail/task_races.hpp>
#include <mishap/properties/detail/tape_places.hpp>
#include <mishap/properties/detail/watchdog.hpp>
#include <mishap/sim/build_name.hpp>
#include <mishap/sim/hash.hpp>
#include <mishap/sim/make_strategy.hpp>
#include <mishap/sim/mapped_tape.hpp>
#include <mishap/sim/measured.hpp>
#include <mishap/sim/random_walk.hpp>
#include <mishap/sim/repair.hpp>
#include <mishap/sim/replay_line.hpp>
#include <mishap/sim/script_writer.hpp>
#include <mishap/sim/tape_file.hpp>

namespace mishap {

namespace {

using detail::TracedRun;

void check_usable(const std::function<void()>& program) {
    if (detail::current_loop != nullptr) {
        throw UsageError(
            "explore(), check() or replay() was called inside a running loop; a program under test cannot explore another "
            "one: call it from ordinary code");
    }
    if (!program) {
        throw UsageError("explore() was given an empty function; give it the program under test");
    }
}

void check_options(const ExploreOptions& options) {
    const auto refuse_negative = [](std::chrono::nanoseconds value, const char* name) {
        if (value.count() < 0) {
            throw UsageError(fmt::format("{} is a length of time; give 0 or more", name));
        }
    };
    refuse_negative(options.step_time_max, "step_time_max");
    refuse_negative(options.shrink_time_max, "shrink_time_max");
    refuse_negative(options.time_limit, "time_limit");
    refuse_negative(options.timer_slack, "timer_slack");
    refuse_negative(options.time_max, "time_max");
    if (const std::string problem = problem_with(options.script); !problem.empty()) {
        throw UsageError(fmt::format("the script cannot be followed by any run. {}", problem));
    }
    const auto refuse_unknown = [](bool is_known, const char* name) {
        if (!is_known) {
            throw UsageError(fmt::format("{} is none of its enumerators; give one of them", name));
        }
    };
    const std::vector<StrategyName>& names = strategy_names();
    refuse_unknown(std::any_of(names.begin(), names.end(), [&](const StrategyName& it) { return it.kind == options.strategy; }),
                   "strategy");
    refuse_unknown(options.order <= Order::fifo, "order");
    refuse_unknown(options.sharing <= Sharing::tracked, "sharing");
    refuse_unknown(options.sweep <= Sweep::fail, "sweep");
    refuse_unknown(options.races <= Detect::finding, "races");
    refuse_unknown(options.lost_updates <= Detect::finding, "lost_updates");
    refuse_unknown(options.script_fit <= ScriptFit::as_far_as_possible, "script_fit");
    if (options.stride == 0) {
        throw UsageError("stride is the distance between the runs that are made; give 1 or more");
    }
}

/// Returns the options with as many cancellations, forced yields and early ticks as the script has.
ExploreOptions with_budgets_for_script(ExploreOptions options) {
    std::uint32_t cancellations = 0;
    std::uint32_t forced_yields = 0;
    std::uint32_t time_passes = 0;
    for (const Constraint& constraint : options.script) {
        cancellations += constraint.kind == ChoiceKind::cancel ? 1U : 0U;
        forced_yields += constraint.kind == ChoiceKind::forced_yield ? 1U : 0U;
        const bool is_early_tick = constraint.kind == ChoiceKind::schedule && constraint.place.path == detail::clock_path;
        time_passes += is_early_tick ? 1U : 0U;
    }
    options.cancellations = std::max(options.cancellations, cancellations);
    options.forced_yields = std::max(options.forced_yields, forced_yields);
    options.time_passes = std::max(options.time_passes, time_passes);
    return options;
}

std::string promises_of(const ExploreOptions& options) {
    std::string text = options.order == Order::any ? "any ready task may go next" : "asyncio's order";
    const auto add = [&](std::uint32_t count, const char* one, const char* many) {
        text += count == 0 ? "" : fmt::format(", at most {} {}", count, count == 1 ? one : many);
    };
    add(options.cancellations, "injected cancellation", "injected cancellations");
    add(options.forced_yields, "forced yield", "forced yields");
    add(options.time_passes, "deadline overtaking ready tasks", "deadlines overtaking ready tasks");
    if (options.timer_slack.count() != 0) {
        text += fmt::format(", timers within {} count as simultaneous", detail::format_time(options.timer_slack.count()));
    }
    text += "; tasks switch only where they wait";
    return text + (options.sharing == Sharing::tracked ? "; tasks share nothing beside tracked objects" : "");
}

/// One exploration, from the calm runs to the report.
class Exploration {
public:
    Exploration(const std::function<void()>& body, const ExploreOptions& options)
        : body_(body), options_(with_budgets_for_script(options)), world_(options_.world()), program_(body, options_, world_) {
        report_.name = options_.name;
        report_.seed = options_.effective_seed();
        report_.promises = promises_of(options_);
        report_.options = options_;
    }

    /// `part` is null unless several processes make the search; `search`, if any, makes it instead of a strategy.
    Report explore(detail::SearchPart* part = nullptr, const detail::SearchFunction& search = nullptr) {
        if (options_.confirm_in_child) {
            child_.emplace(program_, world_, options_.name, options_.step_time_max);
        }
        std::optional<KeptTape> kept;
        if (!options_.out.empty()) {
            kept.emplace(detail::in_flight_path(options_.out, options_.name, ::getpid()), world_, options_);
        }
        const detail::Watchdog watchdog(world_, options_.name, kept ? kept->tape.path().string() : std::string(),
                                        options_.step_time_max);
        if (!options_.script.empty()) {
            follow_script();
            return std::move(report_);
        }
        std::unique_ptr<Strategy> strategy = make_strategy(options_.strategy, report_.seed, options_.first_run);
        if (part != nullptr) {
            strategy = part->share(std::move(strategy));
        }
        report_.strategy = strategy->name();
        if (!make_calm_runs()) {
            return std::move(report_);
        }
        if (!calm_failure_.has_value() && search) {
            report_.search = search(program_, world_);
        } else if (!calm_failure_.has_value()) {
            Explorer explorer(program_, world_);
            explorer.on_progress(options_.progress);
            report_.search = explorer.search(*strategy, {.runs_max = options_.runs_max,
                                                         .time_max = options_.time_limit,
                                                         .first_run = options_.first_run,
                                                         .stride = options_.stride});
            if (rests_on_footprints(report_.search)) {
                try_to_refute(explorer);
            }
        } else {
            report_.search.runs = report_.search.digests = 1;
            report_.search.failure = calm_failure_;
        }
        if (report_.search.has_threads) {
            report_.promises += "; threads switch only before operations on what they share";
            if (report_.search.interleavings.has_value()) {
                report_.promises += ", and what else they share is guarded";
            }
        }
        if (report_.search.has_spun) {
            report_.promises += "; who makes the same step again and again waits until another has gone";
        }
        report_.is_pruned = options_.sharing == Sharing::tracked || report_.search.has_threads;
        report_.notes.insert(report_.notes.end(), report_.search.notes.begin(), report_.search.notes.end());
        if (report_.search.failure.has_value()) {
            handle(*report_.search.failure, part);
        } else if (report_.search.is_promise_broken) {
            report_.finding = Finding{
                .kind = FindingKind::broken_promise,
                .what = "two runs that differ in the order of independent steps only ended differently: tasks share something that "
                        "is not tracked; put it into a Shared, or leave out .sharing = Sharing::tracked",
                .label = "sharing"};
        } else if (report_.search.has_diverged) {
            const TracedRun one = detail::trace_prefix(program_, world_, report_.search.diverged);
            TracedRun other = detail::trace_prefix(program_, world_, report_.search.diverged, 1);
            for (unsigned moved = 2; moved <= places_tried && other.run.digest == one.run.digest; ++moved) {
                other = detail::trace_prefix(program_, world_, report_.search.diverged, moved);
            }
            report_.finding = detail::explain_divergence(one, other, "a run that began as an earlier one went another way");
        } else {
            add_search_notes();
        }
        return std::move(report_);
    }

    Report replay(const ReplayLine& line) {
        const detail::Watchdog watchdog(world_, options_.name, {}, options_.step_time_max);
        report_.strategy = "replay";
        return play(line, options_.found);
    }

    Report replay(const TapeFile& file) {
        const detail::Watchdog watchdog(world_, options_.name, {}, options_.step_time_max);
        report_.strategy = "replay";
        const std::string& found = options_.found.empty() ? file.found : options_.found;
        // The dense tape fits the same build only; when it does, nothing can be left to chance.
        if (!file.dense.empty() || file.mishaps.empty()) {
            TracedRun strict = detail::trace_tape(program_, world_, file.dense, false);
            const bool is_same = file.digest == 0 || file.digest == strict.run.digest;
            // A file without mishaps was written while the process died, or before the run was understood: it has no
            // other form, so what fits of the dense one is all there is. Behind its end everything is calm.
            if (file.mishaps.empty() && !(is_same && !strict.run.mismatch.has_value())) {
                strict = detail::trace_prefix(program_, world_, file.dense);
            } else if (strict.run.mismatch.has_value() || !is_same) {
                return play({file.scenario, file.options, file.mishaps}, found);
            }
            report_.search.runs = 1;
            report_.wanted = report_.matched = strict.run.mishaps.size();
            judge_replay(strict.run, found);
            finish(std::move(strict));
            return std::move(report_);
        }
        return play({file.scenario, file.options, file.mishaps}, found);
    }

private:
    /// `found` is the signature of the recorded failure, or empty.
    Report play(const ReplayLine& line, const std::string& found) {
        report_.wanted = line.mishaps.size();
        const MishapList mishaps = without_texts(line.mishaps);
        TracedRun best = detail::trace_mishaps(program_, world_, mishaps, false);
        const TracedRun again = detail::trace_mishaps(program_, world_, mishaps, true);
        if (again.run.digest != best.run.digest) {
            report_.finding = detail::explain_divergence(best, again, "two replays of one tape differ");
            return std::move(report_);
        }
        const Repaired repaired = repair(program_, world_, line.mishaps, found);
        if (repaired.run.digest != best.run.digest) {
            best = detail::trace_tape(program_, world_, repaired.run.tape, false);
        }
        report_.search.runs = 1;
        report_.matched = repaired.matched;
        report_.moved = repaired.moved;
        report_.repair_runs = repaired.runs - 1;
        judge_replay(best.run, found);
        finish(std::move(best));
        return std::move(report_);
    }

    void judge_replay(const Replayed& run, const std::string& found) {
        if (!run.finding.has_value()) {
            report_.verdict = ReplayVerdict::no_longer_fails;
        } else if (found.empty()) {
            report_.verdict = ReplayVerdict::fails;
        } else if (is_same_failure(found, run.finding->signature())) {
            report_.verdict = ReplayVerdict::same_failure;
        } else {
            report_.verdict = ReplayVerdict::different_failure;
        }
    }

    /// Makes the one run that the script tells.
    void follow_script() {
        report_.strategy = "script";
        TracedRun traced;
        Trace events;
        const PlayedScript played = play_script(program_, world_, options_.script, options_.script_fit, &events);
        traced.run = played.run;
        traced.events = events.events();
        traced.names = world_.names();
        report_.search.runs = report_.search.digests = 1;
        report_.search.choices = traced.run.tape.size();
        const TracedRun again = detail::trace_tape(program_, world_, traced.run.tape, true);
        if (again.run.digest != traced.run.digest) {
            report_.finding = detail::explain_divergence(traced, again, "the run on the script's tape was another one");
            return;
        }
        const bool is_whole = played.problems.empty() || options_.script_fit == ScriptFit::as_far_as_possible;
        const bool has_failed = traced.run.finding.has_value();
        finish(std::move(traced));
        if (has_failed) {
            write_tape(report_.run->tape, report_.mishaps, *report_.finding, report_.run->digest, report_.run->steps);
        }
        if (!has_failed && !is_whole) {
            fail_script(played);
            return;
        }
        for (const std::string& problem : played.problems) {
            report_.notes.push_back({FindingKind::script, "not as the script says: " + problem});
        }
    }

    /// The run passed, but it was not the one that was asked for.
    void fail_script(const PlayedScript& played) {
        report_.finding = Finding{.kind = FindingKind::script,
                                  .what = fmt::format("{} of {} constraints came about", played.met, options_.script.size()),
                                  .label = "script",
                                  .details = played.problems};
        report_.replay_line.clear();  // a tape knows nothing of scripts
    }

    /// Keeps the tape of the run in flight on disk, so that it survives a crash of this process.
    struct KeptTape {
        MappedTape tape;
        World& world;
        KeptTape(const std::filesystem::path& path, World& kept_world, const ExploreOptions& options)
            : tape(path, options.name, options.world()), world(kept_world) {
            world.choices().recorder().use(&tape);
        }
        ~KeptTape() { world.choices().recorder().use(nullptr); }
        KeptTape(const KeptTape&) = delete;
        KeptTape& operator=(const KeptTape&) = delete;
    };

    /// A search begins with two calm runs that must agree, wherever heap and stacks lie.
    bool make_calm_runs() {
        const TracedRun first = detail::trace_mishaps(program_, world_, {}, false);
        TracedRun second = detail::trace_mishaps(program_, world_, {}, 1);
        if (first.run.digest == second.run.digest) {
            second = detail::trace_mishaps(program_, world_, {}, 2);  // once may be chance
        }
        if (first.run.digest != second.run.digest) {
            const TracedRun third = detail::trace_mishaps(program_, world_, {}, false);
            report_.finding = detail::explain_divergence(
                first, second,
                third.run.digest == second.run.digest
                    ? "run 1 differs from run 2, but 2 = 3: global state is initialised in run 1; reset it with `reset`"
                    : "two calm runs differ");
            return false;
        }
        if (options_.races != Detect::off && world_.activity().threads == 0) {
            report_.notes = detail::find_task_races(first.events, first.names);
        }
        if (first.run.finding.has_value()) {
            calm_failure_ = Failure{0, *first.run.finding, first.run.tape, first.run.digest, first.run.steps};
        }
        return true;
    }

    /// Returns whether "all" is said of runs that were left out because nothing tracked tells them from runs that were made.
    bool rests_on_footprints(const SearchResult& search) const {
        return search.is_exhausted &&
               (options_.sharing == Sharing::tracked || (search.has_threads && search.interleavings.has_value()));
    }

    /// What such a claim rests on is put to a test of its own: random runs, a tenth of the budget. Of tasks it is a promise
    /// that may be broken; threads may use plain variables that nothing guards, and then only the order tells.
    void try_to_refute(Explorer& explorer) {
        Measured walk(std::make_unique<RandomWalk>(mix(report_.seed, hash_text("refute"))));  // which asks for fingerprints
        const SearchResult result = explorer.search(
            walk, {.runs_max = std::max<std::uint64_t>(options_.runs_max / 10, 1), .time_max = options_.time_limit / 10});
        report_.search.is_promise_broken = result.is_promise_broken;
        report_.search.failure = result.failure;
    }

    void handle(const Failure& failure, detail::SearchPart* part) {
        write_tape(failure.tape, {}, failure.finding, failure.digest, failure.steps);
        if (part != nullptr && !part->is_first_failure(failure.run)) {
            report_.search.failure.reset();
            return;
        }
        TracedRun confirmed = detail::trace_tape(program_, world_, failure.tape, true);
        if (confirmed.run.digest != failure.digest) {
            const TracedRun again = detail::trace_tape(program_, world_, failure.tape, false);
            diverge(failure, confirmed, again, "the failing run's tape gave another run when it was played again");
            return;
        }
        if (child_.has_value()) {
            const std::optional<detail::PristineChild::Answer> answer = child_->replay(failure.tape);
            if (answer.has_value() && answer->digest != failure.digest) {
                report_.finding = detail::explain_divergence(
                    confirmed, child_->events(),
                    "the failing run's tape gave another run in a fresh process: something is left by earlier runs; clear "
                    "it with `reset`");
                tell_unrepeatable(failure);
                return;
            }
        }
        if (options_.shrink) {
            report_.shrunk = shrink(program_, world_, failure,
                                    {.runs_max = options_.shrink_runs_max, .time_max = options_.shrink_time_max});
            const Tape& tape = report_.shrunk->run.tape;
            confirmed = detail::trace_tape(program_, world_, tape, true);
            if (confirmed.run.digest != report_.shrunk->run.digest) {
                const TracedRun again = detail::trace_tape(program_, world_, tape, false);
                diverge(failure, confirmed, again, "the shrunk run's tape gave another run when it was played again");
                return;
            }
        }
        finish(std::move(confirmed));
        report_.fifo = detail::judge_fifo_legality(body_, options_, *report_.finding, report_.run->mishaps);
        write_tape(report_.run->tape, report_.mishaps, *report_.finding, report_.run->digest, report_.run->steps);
        if (report_.replay_line.size() > replay_line_length_max && !report_.tape_path.empty()) {
            report_.replay_line = report_.tape_path;
        }
        // Last, because a re-rolled run may crash or hang: by now the tape is on disk.
        if (options_.root_cause && report_.shrunk.has_value()) {
            report_.root_cause = explain_root_cause(
                program_, world_, *report_.run,
                {.seed = mix(report_.seed, hash_text("root cause")), .runs_max = options_.root_cause_runs_max});
        }
    }

    void diverge(const Failure& failure, const TracedRun& one, const TracedRun& other, const std::string& when) {
        report_.finding = detail::explain_divergence(one, other, when);
        tell_unrepeatable(failure);
    }

    void tell_unrepeatable(const Failure& failure) {
        report_.finding->details.push_back("the run that could not be repeated had found: " + failure.finding.what);
    }

    /// Fills the report from the run that is to be told.
    void finish(TracedRun traced) {
        report_.finding = traced.run.finding;
        if (report_.finding.has_value() && report_.finding->kind == FindingKind::exception) {
            detail::tell_last_wait(*report_.finding, traced.events);
        }
        report_.mishaps = with_texts(traced.run.mishaps, traced.names);
        report_.story = detail::tell_story(traced.events, traced.names);
        report_.replay_line = to_line({options_.name, options_.world(), report_.mishaps});
        if (traced.run.finding.has_value() && !report_.mishaps.empty() && report_.mishaps.size() <= script_mishaps_max) {
            WrittenScript written =
                write_script(program_, world_, traced.run.tape, traced.run.finding->signature());
            if (written.reproduces) {
                report_.script = std::move(written.script);
            }
        }
        report_.run = std::move(traced.run);
        for (const Note& note : report_.run->notes) {
            if (std::find(report_.notes.begin(), report_.notes.end(), note) == report_.notes.end()) {
                report_.notes.push_back(note);
            }
        }
    }

    void write_tape(const Tape& tape, const std::vector<MishapText>& mishaps, const Finding& finding, std::uint64_t digest,
                    std::uint64_t steps) {
        if (options_.out.empty()) {
            return;
        }
        const std::filesystem::path path = detail::tape_path(options_.out, options_.name, finding);
        write_tape_file(path, {.scenario = options_.name,
                               .options = options_.world(),
                               .build = build_name(),
                               .found = finding.signature(),
                               .mishaps = mishaps,
                               .dense = tape,
                               .digest = digest,
                               .steps = steps});
        report_.tape_path = path.string();
    }

    void add_search_notes() {
        if (report_.search.choices == 0) {
            report_.search.is_exhausted = true;  // whatever the strategy, there is one run
            report_.notes.push_back({FindingKind::check, "the search asked no choice: nothing in this program could go another "
                                                         "way, so one run says all there is to say"});
        } else if (report_.search.waits == 0 && !report_.search.has_threads && has_scheduled()) {
            report_.notes.push_back({FindingKind::check, "no task ever waited for another: the schedules differ only in the "
                                                         "order of steps that nothing ties together"});
        }
    }

    bool has_scheduled() const {
        const std::span<const Choice> tape = world_.choices().tape();
        return std::any_of(tape.begin(), tape.end(),
                           [](const Choice& choice) { return choice.kind == ChoiceKind::schedule; });
    }

    static constexpr std::size_t script_mishaps_max = 32;  // nobody reads more, and each costs runs

    static constexpr unsigned places_tried = 5;  // of heap and stacks, to see two runs differ

    const std::function<void()>& body_;
    ExploreOptions options_;
    World world_;
    detail::BodyProgram program_;
    std::optional<detail::PristineChild> child_;
    std::optional<Failure> calm_failure_;
    Report report_;
};

}  // namespace

Report explore(const std::function<void()>& program, const ExploreOptions& options) {
    check_usable(program);
    check_options(options);
    if (options.runs_max == 0) {
        throw UsageError("runs_max is 0, so nothing would be run; give 1 or more");
    }
    return Exploration(program, options).explore();
}

Report detail::explore_part(const std::function<void()>& program, const ExploreOptions& options, SearchPart& part) {
    check_usable(program);
    check_options(options);
    return Exploration(program, options).explore(&part);
}

Report detail::explore_by(const std::function<void()>& program, const ExploreOptions& options,
                          const SearchFunction& search) {
    check_usable(program);
    check_options(options);
    return Exploration(program, options).explore(nullptr, search);
}

CheckFailed::CheckFailed(const Report& report) : std::runtime_error(report.to_text()) {}

void check(const std::function<void()>& program, const ExploreOptions& options) {
    const Report report = explore(program, options);
    if (!report.passed()) {
        throw CheckFailed(report);
    }
}

Report replay(std::string_view line, const std::function<void()>& program, const ExploreOptions& options) {
    check_usable(program);
    check_options(options);
    ExploreOptions replayed = options;
    replayed.script.clear();
    const auto take = [&](const std::string& scenario, const WorldOptions& world) {
        replayed.name = scenario.empty() ? options.name : scenario;
        replayed.order = world.order;
        replayed.cancellations = world.cancellations;
        replayed.cancel_everywhere = world.cancel_everywhere;
        replayed.forced_yields = world.forced_yields;
        replayed.time_passes = world.time_passes;
        replayed.timer_slack = world.timer_slack;
        replayed.sweep = world.sweep;
        replayed.steps_max = world.steps_max;
        replayed.time_max = world.time_max;
        replayed.livelock_steps = world.livelock_steps;
        replayed.overtaken_max = world.overtaken_max;
    };
    if (is_replay_line(line)) {
        const ReplayLine parsed = parse_replay_line(line);
        take(parsed.scenario, parsed.options);
        return Exploration(program, replayed).replay(parsed);
    }
    const TapeFile file = detail::read_any_tape(std::filesystem::path(line));
    take(file.scenario, file.options);
    return Exploration(program, replayed).replay(file);
}

}  // namespace mishap
