#pragma once

// Searches every order of a body for one that fails, where failing is what a test is about.

#include <string>

#include <mishap/loop/await.hpp>
#include <mishap/sim/exhaustive.hpp>
#include <mishap/sim/explorer.hpp>

namespace mishap::test {

/// Fails the run unless `holds`.
inline void claim(bool holds, const char* text, Place place = Place::here()) {
    if (!holds) {
        Finding finding;
        finding.what = finding.label = text;
        finding.place = place;
        detail::current_world()->fail(std::move(finding));
    }
}

/// Waits for a task that may have been cancelled. Returns whether it was not.
template <class T>
bool ended_well(const Task<T>& task) {
    try {
        await(task);
        return true;
    } catch (const CancelledError&) {
        return false;
    }
}

/// Makes the runs of `body` that `strategy` wants, until one fails: by a claim, an exception, or by being stuck.
template <class F>
SearchResult search_with(Strategy& strategy, F body, const WorldOptions& options, std::uint64_t runs_max) {
    class Searched final : public Program {
    public:
        Searched(EventLoop& loop, F& body) : loop_(loop), body_(body) {}
        void run(World& world) override {
            loop_.begin_run();
            {
                const auto main = loop_.create_task([this] { body_(); }, {.name = "main"});
                const auto outcome = loop_.run_main(main.state());
                main.state().mark_retrieved();
                if (outcome == EventLoop::Outcome::stuck) {
                    fail(world, FindingKind::stuck, "stuck");
                } else if (main.state().peek_exception() != nullptr) {
                    fail(world, FindingKind::exception, describe_exception(main.state().peek_exception()));
                }
                world.end_verdict();
                loop_.tear_down();
            }
            loop_.end_run();
        }

    private:
        static void fail(World& world, FindingKind kind, const std::string& what) {
            Finding finding;
            finding.kind = kind;
            finding.what = what;
            world.fail(std::move(finding));
        }

        EventLoop& loop_;
        F& body_;
    };
    World world(options);
    EventLoop loop(world);
    Searched program(loop, body);
    Explorer explorer(program, world);
    SearchLimits limits;
    limits.runs_max = runs_max;
    return explorer.search(strategy, limits);
}

/// Makes every run of `body` that `options` allow, until one fails.
template <class F>
SearchResult search_every_order(F body, const WorldOptions& options = {}, std::uint64_t runs_max = 1'000'000) {
    Exhaustive strategy;
    return search_with(strategy, body, options, runs_max);
}

/// Returns what the first failing run says, "passes" if every run passes, "unfinished" if not all could be made.
inline std::string verdict(const SearchResult& result) {
    if (result.failure.has_value()) {
        return result.failure->finding.what;
    }
    return result.is_exhausted ? "passes" : "unfinished";
}

}  // namespace mishap::test
