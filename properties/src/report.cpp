#include <mishap/properties/report.hpp>

#include <algorithm>

#include <fmt/format.h>
#include <mishap/properties/detail/story.hpp>
#include <mishap/properties/detail/tape_places.hpp>

namespace mishap {

namespace {

constexpr std::size_t story_rows_max = 24;

std::string plural(std::uint64_t count, const char* one) { return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s"); }

/// Returns the rows worth telling: all of a short story; of a long one the mishaps and what leads to the end.
std::vector<bool> rows_to_tell(const std::vector<StoryRow>& story) {
    std::vector<bool> told(story.size(), story.size() <= story_rows_max);
    if (story.size() <= story_rows_max) {
        return told;
    }
    const auto tell_around = [&](std::size_t row) {
        for (std::size_t i = row == 0 ? 0 : row - 1; i < std::min(row + 2, story.size()); ++i) {
            told[i] = true;
        }
    };
    for (std::size_t i = 0; i < story.size(); ++i) {
        if (story[i].is_mishap() && static_cast<std::size_t>(std::count(told.begin(), told.end(), true)) < story_rows_max - 6) {
            tell_around(i);
        }
    }
    for (std::size_t i = story.size() - 4; i < story.size(); ++i) {
        told[i] = true;
    }
    return told;
}

std::string tell(const std::vector<StoryRow>& story) {
    std::size_t width = 4;
    for (const StoryRow& row : story) {
        width = std::max(width, std::min<std::size_t>(row.who.size(), 32));
    }
    const std::vector<bool> told = rows_to_tell(story);
    std::string text;
    std::size_t skipped = 0;
    for (std::size_t i = 0; i < story.size(); ++i) {
        if (!told[i]) {
            ++skipped;
            continue;
        }
        if (skipped != 0) {
            text += fmt::format("      ... {}\n", plural(skipped, "step"));
            skipped = 0;
        }
        const StoryRow& row = story[i];
        text += fmt::format("  {} {:>8}  {:<{}}  {}\n", row.is_mishap() ? '!' : ' ', detail::format_time(row.time_ns), row.who,
                            width, row.did);
        if (row.is_mishap()) {
            text += fmt::format("    {:>8}  {:<{}}  (mishap; calm: {})\n", "", "", width, row.calm);
        }
    }
    if (skipped != 0) {
        text += fmt::format("      ... {}\n", plural(skipped, "step"));
    }
    return text;
}

std::string how_shrunk(const ShrinkResult& shrunk) {
    std::string text = fmt::format("shrunk in {}:", plural(shrunk.runs, "run"));
    const auto add_count = [&](const char* what, std::uint64_t before, std::uint64_t after) {
        if (before != 0 || after != 0) {
            text += fmt::format("{} {} {} -> {}", text.back() == ':' ? "" : ",", what, before, after);
        }
    };
    add_count("mishaps", shrunk.before.mishaps, shrunk.after.mishaps);
    add_count("context switches", shrunk.before.switches, shrunk.after.switches);
    add_count("tasks", shrunk.before.tasks, shrunk.after.tasks);
    add_count("faults", shrunk.before.faults, shrunk.after.faults);
    add_count("steps", shrunk.before.steps, shrunk.after.steps);
    if (shrunk.is_minimal) {
        text += "; no run with fewer mishaps fails like this";
    } else if (shrunk.is_local_minimum) {
        text += "; no single edit makes it simpler";
    }
    if (!shrunk.is_local_minimum) {
        text += "; a limit ended it, so a simpler run may be near";
    }
    return text + "\n";
}

std::string tell(const SweepResult& swept, std::string_view replay_command) {
    std::string text = swept.summary() + "\n";
    for (const SweptFailure& failure : swept.failures) {
        std::string numbers;
        for (const std::uint64_t number : failure.awaits) {
            numbers += fmt::format("{}{}", numbers.empty() ? "" : ", ", number);
        }
        text += fmt::format("  await{} {}: {}: {}\n    at first {}\n    {}{}{}\n", failure.awaits.size() == 1 ? "" : "s", numbers,
                            to_text(failure.finding.kind), failure.finding.what, failure.where, replay_command,
                            replay_command.empty() ? "" : " ",
                            replay_command.empty() ? failure.replay_line : detail::shell_word(failure.replay_line));
    }
    return text;
}

std::string statistics(const Report& report) {
    const SearchResult& search = report.search;
    std::string text = fmt::format("{}, {} distinct", plural(search.runs, "run"), search.digests);
    if (search.fingerprints != 0) {
        text += fmt::format(", {}", plural(search.fingerprints, "fingerprint"));
    }
    return text + fmt::format(", strategy {}, seed {}", report.strategy, report.seed);
}

std::string describe_replay(const Report& report) {
    std::string text = fmt::format("{}; {} of {} still fit the program", to_text(report.verdict), report.matched,
                                   plural(report.wanted, "mishap"));
    if (report.moved != 0) {
        text += fmt::format(", {} of them elsewhere", report.moved);
    }
    if (report.repair_runs != 0) {
        text += fmt::format("; {} to look for the failure", plural(report.repair_runs, "further run"));
    }
    return text + "\n";
}

}  // namespace

const char* to_text(ReplayVerdict verdict) {
    switch (verdict) {
        case ReplayVerdict::none: return "no replay";
        case ReplayVerdict::fails: return "it still fails";
        case ReplayVerdict::same_failure: return "the same failure as recorded";
        case ReplayVerdict::different_failure: return "a different failure from the one recorded";
        case ReplayVerdict::no_longer_fails: return "it no longer fails";
    }
    return "unknown";
}

std::string SweepResult::summary() const {
    if (awaits == 0 && !is_complete) {
        return fmt::format("swept no await ({})", mishap::to_text(kind));
    }
    std::string text = fmt::format("swept {} ({}): ", plural(awaits, "await"), mishap::to_text(kind));
    text += failed == 0 ? "all pass" : fmt::format("{} pass, {} fail", awaits - failed, failed);
    return text + (is_complete ? "" : "; stopped before the program's last await");
}

std::string FifoLegality::to_text() const {
    switch (verdict) {
        case Verdict::as_it_is: return "FIFO legality: asyncio as it is";
        case Verdict::other_timings: return "FIFO legality: FIFO with other timings";
        case Verdict::not_seen: return fmt::format("FIFO legality: not seen in {}", plural(runs, "FIFO run"));
        case Verdict::impossible:
            return fmt::format("FIFO legality: impossible ({}, all there are)", plural(runs, "FIFO run"));
    }
    return {};
}

std::string Report::headline() const {
    if (finding.has_value()) {
        return fmt::format("{}: {}", mishap::to_text(finding->kind), finding->what);
    }
    if (swept.has_value()) {
        return swept->summary();
    }
    if (strategy == "replay") {
        return "the replay found nothing wrong";
    }
    if (strategy == "script") {
        return "the run that the script tells passes";
    }
    if (search.is_exhausted && search.interleavings.has_value() && is_pruned) {
        return *search.interleavings == 1 ? std::string("the only interleaving passes")
                                          : fmt::format("all {} interleavings pass", *search.interleavings);
    }
    if (search.is_exhausted) {
        if (search.digests == 1) {
            return "the only order passes";
        }
        // Not the runs: a strategy that makes others in between makes some orders twice.
        return fmt::format("all {} orders pass ({} distinct fingerprint{})", search.digests, search.fingerprints,
                           search.fingerprints == 1 ? "" : "s");
    }
    std::string text = fmt::format("{} passed, {} of them distinct", plural(search.runs, "run"), search.digests);
    if (search.fingerprints != 0) {
        text += fmt::format(", in {}", plural(search.fingerprints, "interleaving"));
    }
    text += "; that is not all there are";
    if (search.next_is_new_max.has_value()) {
        text += fmt::format(" (one more random run shows a new interleaving with a probability of at most {:.2g})", *search.next_is_new_max);
    }
    return text;
}

std::string Report::to_text(std::string_view replay_command) const {
    std::string text;
    if (!finding.has_value()) {
        text = fmt::format("{}: {}\n", name, headline());
        if (search.is_exhausted) {
            text += fmt::format("  promised: {}\n", promises);
        }
    } else {
        const std::string place =
            finding->place.line != 0 ? fmt::format("{}:{}: ", finding->place.file, finding->place.line) : std::string();
        text = fmt::format("{}error: {}: {}\n", place, name, headline());
        for (const std::string& line : finding->details) {
            text += fmt::format("  {}\n", line);
        }
        if (!story.empty()) {
            text += "the shortest story found:\n" + tell(story);
        }
        if (shrunk.has_value()) {
            text += how_shrunk(*shrunk);
        }
        if (fifo.has_value()) {
            text += fifo->to_text() + "\n";
        }
        if (root_cause.has_value()) {
            text += root_cause->to_text();
        }
        if (search.runs != 0 && strategy != "replay" && strategy != "script") {
            text += statistics(*this) + "\n";
        }
    }
    if (swept.has_value() && finding.has_value()) {
        text += tell(*swept, replay_command);
    }
    if (verdict != ReplayVerdict::none) {
        text += describe_replay(*this);
    }
    for (const Note& note : notes) {
        text += fmt::format("note: {}\n", note.what);
    }
    if (finding.has_value() && !replay_line.empty()) {
        text += replay_command.empty()
                    ? fmt::format("replay with\n{}\n", replay_line)
                    : fmt::format("replay with\n{} {}\n", replay_command, detail::shell_word(replay_line));
    }
    return text;
}

}  // namespace mishap
