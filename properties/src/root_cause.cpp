// Where a failing run was lost.
//
// The chance of failing with the first k answers kept, as a function of k, ends at one: with all answers kept it is the
// failing run. Where it jumps, an answer was given that mattered; behind the place where it stays near one, nothing that
// could still have happened would have helped. A short tape is estimated everywhere. Of a long one a grid is, and then the
// two jumps of interest are followed by halving, so that the cost grows with the logarithm of the length.

#include <mishap/properties/root_cause.hpp>

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <mishap/properties/detail/divergence.hpp>
#include <mishap/properties/detail/reroll.hpp>
#include <mishap/properties/detail/story.hpp>
#include <mishap/sim/errors.hpp>

namespace mishap {

namespace {

using Estimate = RootCause::Estimate;
using Curve = std::map<std::size_t, Estimate>;

constexpr std::size_t grid = 24;               // places on the tape to begin with
constexpr std::uint64_t grid_share = 2;        // of the budget: one half is for the grid
constexpr std::uint64_t change_share = 4;      // of the budget: a quarter is for runs that differ in one answer
constexpr std::uint64_t runs_least = 8;        // a place; fewer say too little
constexpr std::uint64_t runs_coarse = 40;      // while it is open which places matter
constexpr std::uint64_t runs_fine = 200;       // where the report says a number
constexpr std::uint64_t percent_inevitable = 90;

/// Two neighbours of the curve, by the numbers of answers kept.
struct Gap {
    std::size_t before = 0;
    std::size_t after = 0;
    bool is_one_answer() const { return after == before + 1; }
};

/// Returns the last gap over which failing becomes inevitable; none: it is from the start.
std::optional<Gap> inevitable_gap(const Curve& curve) {
    for (auto after = curve.rbegin(); std::next(after) != curve.rend(); ++after) {
        const Estimate& before = std::next(after)->second;
        if (before.percent() < percent_inevitable) {
            return Gap{before.kept, after->second.kept};
        }
    }
    return std::nullopt;
}

/// Returns the gap over which the chance rises most, the first of equals.
std::optional<Gap> largest_gap(const Curve& curve) {
    std::optional<Gap> largest;
    std::int64_t most = -101;
    for (auto before = curve.begin(); std::next(before) != curve.end(); ++before) {
        const Estimate& after = std::next(before)->second;
        const std::int64_t rise = static_cast<std::int64_t>(after.percent()) -
                                  static_cast<std::int64_t>(before->second.percent());
        if (rise > most) {
            most = rise;
            largest = Gap{before->second.kept, after.kept};
        }
    }
    return largest;
}

/// Narrows the gap that `find` returns to one answer and then looks closely at its two sides, as far as the budget goes.
template <class Find>
void follow(detail::Reroll& reroll, Find find) {
    while (reroll.has_budget()) {
        const std::optional<Gap> gap = find(reroll.curve());
        if (!gap.has_value()) {
            return;
        }
        const std::uint64_t runs_before = reroll.runs();
        if (gap->is_one_answer()) {
            reroll.estimate(gap->before, runs_fine);
            reroll.estimate(gap->after, runs_fine);
        } else {
            reroll.estimate(gap->before + (gap->after - gap->before) / 2, runs_coarse);
        }
        if (reroll.runs() == runs_before) {
            return;  // both sides are known as well as they shall be
        }
    }
}

void estimate_grid(detail::Reroll& reroll, std::size_t answers, std::uint64_t runs_max) {
    const std::size_t places = std::min(answers, grid);
    if (places == 0) {
        return;
    }
    const std::uint64_t runs = std::clamp(runs_max / grid_share / places, runs_least, runs_coarse);
    for (std::size_t i = 0; i < places; ++i) {
        reroll.estimate(answers * i / places, runs);
    }
}

/// Plays the failing tape and notes, beside the trace, to which row of the story each answer belongs.
class Locator final : public Strategy, public Observer {
public:
    explicit Locator(std::span<const Choice> tape) : playback_(tape) { playback_.begin_run({0}); }

    const char* name() const override { return "locator"; }
    bool begin_run(const RunInfo& run) override { return playback_.begin_run(run); }
    std::uint32_t pick(const Question& question) override {
        // Who goes next, and to when the clock moves, is asked before the row begins; everything else within it.
        const bool is_before = question.kind == ChoiceKind::schedule || question.kind == ChoiceKind::tick;
        rows_of_.push_back(is_before || rows_ == 0 ? rows_ : rows_ - 1);
        return playback_.pick(question);
    }
    void on_event(const TraceEvent& event) override {
        if (event.kind == TraceEventKind::step || event.kind == TraceEventKind::tick) {
            ++rows_;
        }
        events_.push_back(event);
    }

    const std::vector<TraceEvent>& events() const { return events_; }
    std::size_t row_of(std::size_t answer) const { return rows_of_.at(answer); }

private:
    StrictPlayback playback_;
    std::size_t rows_ = 0;
    std::vector<std::size_t> rows_of_;
    std::vector<TraceEvent> events_;
};

std::optional<RootCause::Jump> jump_over(const std::optional<Gap>& gap, const Curve& curve, const Locator& locator,
                                         const std::vector<StoryRow>& story) {
    if (!gap.has_value() || story.empty()) {
        return std::nullopt;
    }
    RootCause::Jump jump;
    jump.before = curve.at(gap->before);
    jump.after = curve.at(gap->after);
    jump.row = std::min(locator.row_of(gap->after - 1), story.size() - 1);
    jump.what = fmt::format("{} {}", story[jump.row].who, story[jump.row].did);
    return jump;
}

bool did_the_same(const StoryRow& a, const StoryRow& b) { return a.time_ns == b.time_ns && a.who == b.who && a.did == b.did; }

RootCause::Passing compare(Program& program, World& world, const Replayed& failing, const Names& names,
                           const std::vector<StoryRow>& story, const detail::Reroll::Passed& passed) {
    const detail::TracedRun traced = detail::trace_tape(program, world, passed.tape, false);
    const std::vector<StoryRow> other = detail::tell_story(traced.events, traced.names);
    const auto parted = std::mismatch(story.begin(), story.end(), other.begin(), other.end(), did_the_same);
    RootCause::Passing passing;
    passing.tape = passed.tape;
    passing.removed = with_texts(detail::difference(failing.mishaps, passed.mishaps), names);
    passing.added = with_texts(detail::difference(passed.mishaps, failing.mishaps), traced.names);
    passing.rows_common = static_cast<std::size_t>(parted.first - story.begin());
    passing.failing.assign(parted.first, story.end());
    passing.passing.assign(parted.second, other.end());
    return passing;
}

}  // namespace

RootCause explain_root_cause(Program& program, World& world, const Replayed& failing, const RootCauseLimits& limits) {
    RootCause result;
    if (!failing.finding.has_value()) {
        throw UsageError("explain_root_cause() was given a run that does not fail; give it one that does");
    }
    Locator locator(failing.tape);
    world.subscribe(&locator);
    world.begin_run(&locator);
    program.run(world);
    world.subscribe(nullptr);
    const Names names = world.names();
    const std::vector<StoryRow> story = detail::tell_story(locator.events(), names);
    result.rows = story.size();

    std::optional<detail::Reroll::Passed> closest;
    {
        detail::Reroll reroll(program, world, failing, limits);
        reroll.change_one_answer(limits.runs_max / change_share);
        estimate_grid(reroll, failing.tape.size(), limits.runs_max);
        follow(reroll, inevitable_gap);
        follow(reroll, largest_gap);
        const Curve& curve = reroll.curve();
        for (const auto& [kept, estimate] : curve) {
            result.curve.push_back(estimate);
        }
        result.inevitable = jump_over(inevitable_gap(curve), curve, locator, story);
        result.largest = jump_over(largest_gap(curve), curve, locator, story);
        result.runs = reroll.runs();
        closest = reroll.closest();
    }
    if (closest.has_value()) {
        result.closest = compare(program, world, failing, names, story, *closest);
    }
    return result;
}

}  // namespace mishap
