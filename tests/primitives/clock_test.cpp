#include <mishap/primitives/clock.hpp>

#include <stdexcept>
#include <string>
#include <vector>

#include <mishap/loop/await.hpp>
#include <mishap/loop/sleep.hpp>
#include <mishap/primitives/looping_call.hpp>

#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

using Seconds = std::vector<std::int64_t>;

std::int64_t seconds_of(VirtualTime time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}
std::int64_t now_of(EventLoop& loop) { return seconds_of(loop.time()); }

}  // namespace

TEST_CASE("the time of a Clock stands still until it is advanced") {
    Clock clock;
    bool is_called = false;
    clock.call_later(2s, [&] { is_called = true; });
    CHECK(clock.time() == VirtualTime());
    clock.advance(1s);
    CHECK(!is_called);
    CHECK(seconds_of(clock.time()) == 1);
    clock.advance(1s);
    CHECK(is_called);
    CHECK(seconds_of(clock.time()) == 2);
    clock.advance(1h);
    CHECK(seconds_of(clock.time()) == 3602);
}

TEST_CASE("advance calls what is due in order of time, with what is scheduled meanwhile") {
    Clock clock;
    Seconds times;
    const auto note = [&] { times.push_back(now_of(clock.loop())); };
    clock.call_later(3s, note);
    clock.call_later(1s, [&] {
        note();
        clock.call_later(1s, note);
        clock.call_later(9s, note);
    });
    clock.advance(5s);
    CHECK(times == Seconds{1, 2, 3});
    clock.advance(5s);
    CHECK(times == Seconds{1, 2, 3, 10});
}

TEST_CASE("pump advances step by step") {
    Clock clock;
    Seconds times;
    clock.create_task([&] {
        for (int i = 0; i < 3; ++i) {
            sleep(2s);
            times.push_back(now_of(clock.loop()));
        }
    });
    clock.pump({1s, 1s, 1s});
    CHECK(times == Seconds{2});
    clock.pump(std::vector<std::chrono::nanoseconds>{1s, 2s});
    CHECK(times == Seconds{2, 4, 6});
}

TEST_CASE("advancing by nothing runs what is ready, all of it") {
    Clock clock;
    int steps = 0;
    clock.create_task([&] {
        for (int i = 0; i < 5; ++i) {
            ++steps;
            sleep(0s);
        }
    });
    CHECK(steps == 0);
    clock.advance(0s);
    CHECK(steps == 5);
}

TEST_CASE("a cancelled call is not called, and no time is spent on it") {
    Clock clock;
    bool is_called = false;
    auto call = clock.call_later(1s, [&] { is_called = true; });
    call.cancel();
    clock.advance(2s);
    CHECK(!is_called);
    CHECK(seconds_of(clock.time()) == 2);
}

TEST_CASE("advance throws what a call has thrown, when all has been run") {
    Clock clock;
    int calls = 0;
    clock.call_later(1s, [] { throw std::runtime_error("boom"); });
    clock.call_later(2s, [&] { ++calls; });
    CHECK_THROWS_AS(clock.advance(3s), std::runtime_error);
    CHECK(calls == 1);
    clock.advance(1s);
    CHECK_THROWS_AS(clock.advance(-1s), UsageError);
}

TEST_CASE("advance throws when tasks run for ever and never let the time pass") {
    Clock clock;
    clock.create_task([] {
        for (;;) {
            sleep(0s);
        }
    });
    CHECK_THROWS_AS(clock.advance(1s), std::runtime_error);
}

TEST_CASE("a Clock that goes ends its tasks, and cannot be used inside a loop") {
    bool is_ended = false;
    {
        Clock clock;
        clock.create_task([&] {
            try {
                sleep(1h);
            } catch (const CancelledError&) {
                is_ended = true;
                throw;
            }
        });
        clock.advance(1s);
    }
    CHECK(is_ended);
    in_a_calm_world([] { CHECK_THROWS_AS(Clock(), UsageError); });
}

// ---- LoopingCall -------------------------------------------------------------------------------------------------------

TEST_CASE("a looping call comes at every multiple of its interval, from the first moment on or one later") {
    Clock clock;
    Seconds now;
    Seconds later;
    LoopingCall first([&] { now.push_back(now_of(clock.loop())); });
    LoopingCall second([&] { later.push_back(now_of(clock.loop())); });
    first.start(2s, true, clock.loop());
    second.start(2s, false, clock.loop());
    clock.advance(5s);
    CHECK(now == Seconds{0, 2, 4});
    CHECK(later == Seconds{2, 4});
}

TEST_CASE("a slow call delays the next, which comes at a multiple again, never overlaps, and is told what was skipped") {
    Clock clock;
    Seconds times;
    Seconds intervals;
    int running = 0;
    LoopingCall call([&](std::int64_t passed) {
        CHECK(++running == 1);
        times.push_back(now_of(clock.loop()));
        intervals.push_back(passed);
        sleep(times.size() == 2 ? 25s : 1s);
        --running;
    });
    call.start(10s, true, clock.loop());
    clock.advance(60s);
    CHECK(times == Seconds{0, 10, 40, 50, 60});
    CHECK(intervals == Seconds{1, 1, 3, 1, 1});
}

TEST_CASE("looping calls do not drift") {
    Clock clock;
    std::vector<std::chrono::nanoseconds> times;
    LoopingCall call([&]() -> Coro<void> {
        times.push_back(clock.time().time_since_epoch());
        co_await sleep(3ms);
    });
    call.start(7ms, false, clock.loop());
    clock.advance(7s);
    CHECK(times.size() == 1000);
    CHECK(times.back() == 7s);
}

TEST_CASE("stop ends the calls, also from within, and a call that waits comes to its end") {
    Clock clock;
    int calls = 0;
    int ended = 0;
    LoopingCall inside([&] {
        if (++calls == 2) {
            inside.stop();
        }
    });
    const auto inside_task = inside.start(1s, true, clock.loop());
    LoopingCall waiting([&] {
        sleep(5s);
        ++ended;
    });
    const auto waiting_task = waiting.start(1s, true, clock.loop());
    clock.advance(3s);
    CHECK(calls == 2);
    CHECK(inside_task.done());
    CHECK(!inside.running());
    waiting.stop();
    CHECK(!waiting_task.done());
    clock.advance(10s);
    CHECK(ended == 1);
    CHECK(waiting_task.done());
    LoopingCall idle([] {});
    const auto idle_task = idle.start(1h, false, clock.loop());
    clock.advance(1s);
    idle.stop();
    clock.advance(0s);
    CHECK(idle_task.done());
    CHECK_THROWS_AS(idle.stop(), UsageError);
}

TEST_CASE("reset counts the interval anew") {
    Clock clock;
    Seconds times;
    LoopingCall call([&] { times.push_back(now_of(clock.loop())); });
    call.start(10s, true, clock.loop());
    clock.advance(14s);
    call.reset();
    clock.advance(20s);
    CHECK(times == Seconds{0, 10, 24, 34});
    call.stop();
    CHECK_THROWS_AS(call.reset(), UsageError);
}

TEST_CASE("a call that throws ends the calls, and their task ends with that") {
    Clock clock;
    LoopingCall call([] { throw std::runtime_error("boom"); });
    const auto task = call.start(1s, false, clock.loop());
    clock.advance(5s);
    CHECK(!call.running());
    CHECK_THROWS_AS(task.result(), std::runtime_error);
}

TEST_CASE("a looping call starts once at a time, and again after it was stopped or cancelled") {
    Clock clock;
    Seconds times;
    LoopingCall call([&] { times.push_back(now_of(clock.loop())); });
    const auto first = call.start(1s, false, clock.loop());
    CHECK_THROWS_AS(call.start(1s, false, clock.loop()), UsageError);
    clock.advance(1s);
    call.stop();
    call.start(10s, false, clock.loop());
    clock.advance(10s);
    CHECK(first.done());
    CHECK(call.running());
    CHECK(times == Seconds{1, 11});
    call.stop();
    const auto cancelled = call.start(1s, false, clock.loop());
    cancelled.cancel();
    clock.advance(5s);
    CHECK(!call.running());
    CHECK(times.size() == 2);
    CHECK_THROWS_AS(call.start(-1s, false, clock.loop()), UsageError);
}

TEST_CASE("an interval of nothing calls in every iteration") {
    Clock clock;
    int calls = 0;
    LoopingCall call([&](std::int64_t intervals) {
        CHECK(intervals == 1);
        if (++calls == 5) {
            call.stop();
        }
    });
    call.start(0s, true, clock.loop());
    clock.advance(0s);
    CHECK(calls == 5);
}

TEST_CASE("a looping call runs in the loop that runs, real or simulated") {
    in_both_worlds([] {
        int calls = 0;
        LoopingCall call([&] {
            if (++calls == 3) {
                call.stop();
            }
        });
        await(call.start(1ms));
        CHECK(calls == 3);
    });
}
