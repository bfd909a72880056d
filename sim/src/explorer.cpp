#include <mishap/sim/explorer.hpp>

#include <algorithm>

#include <boost/unordered/unordered_flat_set.hpp>
#include <mishap/sim/real_clock.hpp>

namespace mishap {

namespace {

constexpr std::uint64_t clock_stride_max = 64;  // runs between two looks at the real clock, when runs are short
constexpr std::int64_t clock_period_ns = 1'000'000;
constexpr std::int64_t progress_period_ns = 100'000'000;

void add_notes(std::vector<Note>& notes, const std::vector<Note>& more) {
    for (const Note& note : more) {
        if (std::find(notes.begin(), notes.end(), note) == notes.end()) {
            notes.push_back(note);
        }
    }
}

Replayed replayed_from(const World& world) {
    Replayed result;
    result.finding = world.finding();
    result.digest = world.verdict().digest;
    result.fingerprint = world.fingerprint();
    result.steps = world.verdict().steps;
    result.time_ns = world.verdict().time_ns;
    result.tape.assign(world.choices().tape().begin(), world.choices().tape().end());
    result.mishaps = world.choices().mishaps();
    result.notes = world.notes();
    return result;
}

}  // namespace

Summary summary_of(const World& world, std::vector<Blocked>& blocked) {
    blocked.clear();
    for (const World::BlockedEntity& entity : world.blocked()) {
        blocked.push_back({entity.who.entity, entity.who.step, entity.pending.span()});
    }
    const std::optional<Finding>& finding = world.finding();
    return {.failed = finding.has_value(),
            .abandoned = world.choices().is_abandoned(),
            .over_budget = finding.has_value() && finding->kind == FindingKind::over_budget,
            .cut_short = world.is_cut_short(),
            .sampled_amounts = world.has_sampled_amounts(),
            .left_ready = world.has_left_ready(),
            .ended_by = world.ended_by(),
            .steps = world.verdict().steps,
            .digest = world.verdict().digest,
            .fingerprint = world.fingerprint(),
            .blocked = blocked};
}

/// Returns whether the last run ended differently from an earlier one, although they differ in the order of independent steps
/// only.
bool Explorer::breaks_promise() {
    if (world_.options().sharing != Sharing::tracked || world_.choices().is_abandoned()) {
        return false;
    }
    const auto [known, is_new] = states_.try_emplace(world_.fingerprint(), world_.state());
    return !is_new && known->second != world_.state();
}

SearchResult Explorer::search(Strategy& strategy, const SearchLimits& limits) {
    SearchResult result;
    boost::unordered_flat_set<std::uint64_t> digests;
    boost::unordered_flat_set<std::uint64_t> fingerprints;
    std::vector<Blocked> blocked;
    const bool has_fingerprints = strategy.needs().footprints;
    const std::int64_t begin_ns = detail::monotonic_now_ns();
    std::int64_t next_progress_ns = begin_ns + progress_period_ns;
    std::int64_t last_look_ns = begin_ns;
    std::uint64_t clock_stride = 1;
    std::uint64_t next_look = 1;
    for (std::uint64_t number = limits.first_run; result.runs < limits.runs_max; number += limits.stride) {
        if (!strategy.begin_run({number})) {
            result.is_exhausted = strategy.is_exhausted() && result.cut_runs == 0 && !result.has_sampled_amounts;
            break;
        }
        world_.begin_run(&strategy);
        program_.run(world_);
        strategy.end_run(summary_of(world_, blocked));
        ++result.runs;
        result.has_sampled_amounts |= world_.has_sampled_amounts();
        result.cut_runs += world_.is_cut_short() ? 1U : 0U;
        result.steps += world_.verdict().steps;
        result.choices += world_.choices().tape().size();
        digests.insert(world_.verdict().digest);
        if (has_fingerprints) {
            fingerprints.insert(world_.fingerprint());
        }
        if (!world_.notes().empty()) {
            add_notes(result.notes, world_.notes());
        }
        if (world_.choices().tape().empty() && digests.size() > 1 && !world_.choices().is_abandoned()) [[unlikely]] {
            result.has_diverged = true;  // nothing was asked, and yet it was another run
            break;
        }
        if (has_fingerprints && breaks_promise()) [[unlikely]] {
            result.is_promise_broken = true;
            break;
        }
        if (world_.has_failed()) {
            const std::span<const Choice> tape = world_.choices().tape();
            result.failure = Failure{number, *world_.finding(), Tape(tape.begin(), tape.end()), world_.verdict().digest,
                                     world_.verdict().steps};
            break;
        }
        if (result.runs == next_look) {
            const std::int64_t now_ns = detail::monotonic_now_ns();
            clock_stride = now_ns - last_look_ns < clock_period_ns ? std::min(clock_stride * 2, clock_stride_max) : 1;
            next_look += clock_stride;
            last_look_ns = now_ns;
            if (limits.time_max.count() != 0 && now_ns - begin_ns > limits.time_max.count()) {
                break;
            }
            if (on_progress_ && now_ns > next_progress_ns) {
                next_progress_ns = now_ns + progress_period_ns;
                on_progress_({result.runs, digests.size(), std::chrono::nanoseconds(now_ns - begin_ns)});
            }
        }
    }
    if (strategy.has_diverged()) [[unlikely]] {
        const std::span<const Choice> tape = world_.choices().tape();
        result.has_diverged = true;
        result.diverged.assign(tape.begin(), tape.end());
    }
    result.waits = world_.activity().waits;
    result.has_threads = world_.activity().threads != 0;
    result.has_spun = world_.activity().spins != 0;
    result.interleavings = result.is_exhausted ? strategy.interleavings() : std::nullopt;
    result.next_is_new_max = strategy.next_is_new_max();
    result.digests = digests.size();
    result.fingerprints = fingerprints.size();
    result.elapsed = std::chrono::nanoseconds(detail::monotonic_now_ns() - begin_ns);
    return result;
}

Replayed play(Program& program, World& world, Strategy& strategy, Observer* observer) {
    world.subscribe(observer);
    world.choices().keep_mishaps(true);
    world.begin_run(&strategy);
    program.run(world);
    world.choices().keep_mishaps(false);
    world.subscribe(nullptr);
    return replayed_from(world);
}

Replayed replay(Program& program, World& world, std::span<const Choice> tape, Observer* observer) {
    StrictPlayback playback(tape);
    playback.begin_run({0});
    Replayed result = play(program, world, playback, observer);
    result.mismatch = playback.mismatch();
    if (!result.mismatch.has_value() && !playback.is_used_up()) {
        const std::size_t depth = result.tape.size();
        result.mismatch = TapeMismatch{static_cast<std::uint32_t>(depth), tape[depth], Choice{}};
    }
    return result;
}

Replayed replay(Program& program, World& world, const MishapList& mishaps, MishapPlayback::Match match,
                std::span<const Choice> prefix, Observer* observer) {
    MishapPlayback playback(mishaps, match, prefix);
    playback.begin_run({0});
    Replayed result = play(program, world, playback, observer);
    result.matched = playback.matched();
    return result;
}

}  // namespace mishap
