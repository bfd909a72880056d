#pragma once

// Runs one body in several worlds. A check inside is an ordinary check of the test framework.

#include <cstdint>
#include <utility>

#include <mishap/loop/run.hpp>
#include <mishap/sim/exhaustive.hpp>
#include <mishap/sim/explorer.hpp>

#include "support/catch.hpp"

namespace mishap::test {

/// Ends the run of a loop however its body ended.
class LoopRun {
public:
    explicit LoopRun(EventLoop& loop) : loop_(loop) { loop_.begin_run(); }
    ~LoopRun() {
        loop_.tear_down();
        loop_.end_run();
    }
    LoopRun(const LoopRun&) = delete;
    LoopRun& operator=(const LoopRun&) = delete;

    template <class F>
    void run(F& body) {
        const auto main = loop_.create_task([&body] { body(); }, {.name = "main"});
        loop_.run_until_complete(static_cast<const Future<void>&>(main));
    }

private:
    EventLoop& loop_;
};

/// Runs `body` in a simulated world where everything is calm.
template <class F>
void in_a_calm_world(F body, const WorldOptions& options = {}) {
    World world(options);
    world.begin_run(nullptr);
    EventLoop loop(world);
    LoopRun(loop).run(body);
}

/// Runs `body` in the real world, then in a calm simulated one.
template <class F>
void in_both_worlds(F body) {
    {
        INFO("in the real world");
        mishap::run([&body] { body(); });
    }
    {
        INFO("in the simulated world");
        in_a_calm_world(body);
    }
}

/// Runs `body` in every order, with every choice that `options` allow, and returns how many runs that were.
template <class F>
std::uint64_t in_every_order(F body, const WorldOptions& options = {}) {
    struct EveryOrder final : Program {
        EveryOrder(EventLoop& loop_, F& body_) : loop(loop_), body(body_) {}
        void run(World&) override {
            INFO("run " << number++);
            LoopRun(loop).run(body);
        }
        EventLoop& loop;
        F& body;
        std::uint64_t number = 0;
    };
    World world(options);
    EventLoop loop(world);
    loop.end_run();
    EveryOrder program(loop, body);
    Explorer explorer(program, world);
    Exhaustive strategy;
    const SearchResult result = explorer.search(strategy, {.runs_max = 300'000});
    CHECK(result.is_exhausted);
    return result.runs;
}

}  // namespace mishap::test
