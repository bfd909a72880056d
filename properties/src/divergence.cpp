#include <mishap/properties/detail/divergence.hpp>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <memory>

#include <fmt/format.h>
#include <mishap/loop/detail/fiber.hpp>
#include <mishap/properties/detail/story.hpp>

namespace mishap::detail {

namespace {

/// Occupies heap for as long as it lives, so that a program's own allocations get other addresses, in another order.
class MovedHeap {
public:
    /// `how` is from 1; each lays the free blocks out differently.
    explicit MovedHeap(unsigned how) {
        constexpr std::size_t sizes[] = {24, 40, 56, 72, 104, 168, 296, 552, 1064};
        // Seven go back, as many as glibc keeps of a size, and neither rising nor falling: a program that frees in the
        // order in which it allocated leaves free lists that rise and fall by turns, so either could be met by chance.
        constexpr std::size_t freed[] = {4, 2, 6, 1, 5, 0, 3};
        for (const std::size_t size : sizes) {
            const std::size_t begin = blocks_.size();
            for (std::size_t i = 0; i < 2 * std::size(freed); ++i) {
                blocks_.push_back(std::make_unique<char[]>(size));
            }
            for (std::size_t i = 0; i < std::size(freed); ++i) {
                blocks_[begin + 2 * freed[(i + 3 * (how - 1)) % std::size(freed)]].reset();
            }
        }
    }

private:
    std::vector<std::unique_ptr<char[]>> blocks_;
};

template <class Play>
TracedRun trace(World& world, unsigned moved, Play&& play) {
    std::unique_ptr<MovedHeap> heap;
    if (moved != 0) {
        fiber_pool().shuffle();
        heap = std::make_unique<MovedHeap>(moved);
    }
    TracedRun traced;
    Trace events;
    traced.run = play(&events);
    traced.events = events.events();
    traced.names = world.names();
    return traced;
}

bool is_same(const TraceEvent& a, const TraceEvent& b) {
    return a.kind == b.kind && a.access == b.access && a.time_ns == b.time_ns && a.entity == b.entity &&
           a.object == b.object && a.other == b.other && a.value == b.value && std::strcmp(a.what, b.what) == 0;
}

Finding begin_finding(const std::string& when) {
    return {.kind = FindingKind::divergence,
            .what = fmt::format("the program is not deterministic: {}", when),
            .label = "divergence"};
}

/// Says how the two runs go on at event `at`; empty: that one ends there.
void add_sides(Finding& finding, std::size_t at, const std::string& one, const std::string& other) {
    finding.details.push_back(fmt::format("first difference at event {}:", at));
    finding.details.push_back("    one run:   " + (one.empty() ? std::string("ends") : one));
    finding.details.push_back("    the other: " + (other.empty() ? std::string("ends") : other));
}

/// Says where a run left its tape: all that is known when only the tape of the other run was kept.
void add_mismatch(Finding& finding, const TracedRun& run) {
    const auto describe = [](const Choice& choice) {
        return choice.kind == ChoiceKind::none
                   ? std::string("nothing")
                   : fmt::format("{} of {}, after digest {:08x}", to_text(choice.kind), choice.classes, choice.digest);
    };
    const TapeMismatch& mismatch = *run.run.mismatch;
    finding.details.push_back(fmt::format("the run left its tape at question {}:", mismatch.depth));
    finding.details.push_back("    the tape:  " + describe(mismatch.expected));
    finding.details.push_back("    the run:   " + describe(mismatch.actual));
    if (!run.events.empty()) {
        finding.details.push_back("    its last event: " + describe_event(run.events.back(), run.names));
        finding.place = run.events.back().place;
    }
}

std::string likely_cause(const TraceEvent* one, const TraceEvent* other) {
    if (one == nullptr || other == nullptr) {
        return "state left by an earlier run (a global or static variable), a wall clock, or unseeded randomness";
    }
    if (one->kind == TraceEventKind::tick || other->kind == TraceEventKind::tick || one->time_ns != other->time_ns) {
        return "a wall clock or unseeded randomness in a delay: the two runs sleep for different times";
    }
    if (one->entity == other->entity && one->object == other->object && one->value != other->value) {
        return "a wall clock, unseeded randomness, or a variable left by an earlier run: the same access gives another value";
    }
    if (one->kind == TraceEventKind::access && other->kind == TraceEventKind::access) {
        return "order by address, as in a std::set of pointers or an unordered container: the same accesses come in another "
               "order";
    }
    return "order by address (a std::set of pointers, an unordered container), state left by an earlier run, or a real thread";
}

}  // namespace

TracedRun trace_mishaps(Program& program, World& world, const MishapList& mishaps, unsigned moved,
                        MishapPlayback::Match match) {
    return trace(world, moved,
                 [&](Observer* observer) { return mishap::replay(program, world, mishaps, match, {}, observer); });
}

TracedRun trace_tape(Program& program, World& world, std::span<const Choice> tape, unsigned moved) {
    return trace(world, moved, [&](Observer* observer) { return mishap::replay(program, world, tape, observer); });
}

TracedRun trace_prefix(Program& program, World& world, std::span<const Choice> prefix, unsigned moved) {
    return trace(world, moved, [&](Observer* observer) {
        return mishap::replay(program, world, MishapList{}, MishapPlayback::Match::exact, prefix, observer);
    });
}

Finding explain_divergence(const TracedRun& one, const TracedRun& other, const std::string& when) {
    Finding finding = begin_finding(when);
    const std::size_t common = std::min(one.events.size(), other.events.size());
    std::size_t at = 0;
    while (at < common && is_same(one.events[at], other.events[at])) {
        ++at;
    }
    const TraceEvent* const left = at < one.events.size() ? &one.events[at] : nullptr;
    const TraceEvent* const right = at < other.events.size() ? &other.events[at] : nullptr;
    if (left != nullptr || right != nullptr) {
        add_sides(finding, at, left != nullptr ? describe_event(*left, one.names) : std::string(),
                  right != nullptr ? describe_event(*right, other.names) : std::string());
        finding.place = left != nullptr ? left->place : Place{};
    } else if (one.run.mismatch.has_value()) {
        add_mismatch(finding, one);
    }
    finding.details.push_back("likely cause: " + likely_cause(left, right));
    return finding;
}

Finding explain_divergence(const TracedRun& one, const std::vector<std::string>& other, const std::string& when) {
    Finding finding = begin_finding(when);
    for (std::size_t at = 0; at < std::max(one.events.size(), other.size()); ++at) {
        const std::string left = at < one.events.size() ? describe_event(one.events[at], one.names) : std::string();
        const std::string right = at < other.size() ? other[at] : std::string();
        if (left != right) {
            add_sides(finding, at, left, right);
            finding.place = at < one.events.size() ? one.events[at].place : Place{};
            break;
        }
    }
    finding.details.push_back("likely cause: " + likely_cause(nullptr, nullptr));
    return finding;
}

}  // namespace mishap::detail
