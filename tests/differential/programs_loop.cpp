// Callbacks, timers, and what a loop keeps between runs; programs_loop.py is its twin.

#include "differential/program.hpp"

namespace mishap::test {

namespace {

using namespace std::chrono_literals;

/// A callback that logs.
auto say(Log& log, const char* what) {
    return [&log, what] { log(what); };
}

void callbacks_in_order(Log& log) {
    EventLoop& loop = get_running_loop();
    loop.call_soon([&] {
        log("nests");
        loop.call_soon(say(log, "nested"));
    });
    loop.call_soon(say(log, "second"));
    Handle doomed = loop.call_soon(say(log, "never"));
    Handle doomed_behind;
    doomed.cancel();
    loop.call_soon([&] {
        log("cancels two");
        doomed_behind.cancel();
    });
    doomed_behind = loop.call_soon(say(log, "cancelled when ready"));
    loop.call_soon([] { boom("in a callback"); });
    loop.call_soon(say(log, "last"));
    const auto task = spawn(
        [&] {
            log("runs");
            sleep(0s);
            log("runs again");
        },
        "task between");
    loop.call_soon(say(log, "behind the task"));
    await(task);
    log("ends");
}

void timers_and_callbacks(Log& log) {
    EventLoop& loop = get_running_loop();
    loop.call_later(3s, say(log, "three"));
    loop.call_later(1s, [&] {
        log("one");
        loop.call_soon(say(log, "soon after one"));
        loop.call_later(0s, say(log, "none after one"));
    });
    loop.call_at(VirtualTime(1s), say(log, "one again"));
    loop.call_later(-5s, say(log, "negative"));
    loop.call_at(VirtualTime(-5s), say(log, "in the past"));
    loop.call_later(-5s, say(log, "never at all")).cancel();
    loop.call_later(0s, say(log, "none"));
    loop.call_soon(say(log, "soon"));
    TimerHandle cancelled = loop.call_later(2s, say(log, "never"));
    loop.call_later(1s, [&] { cancelled.cancel(); });
    TimerHandle due = loop.call_later(3s, say(log, "never either"));
    loop.call_at(VirtualTime(3s), say(log, "behind"));
    loop.call_later(1s, [&] { due.cancel(); });
    log("sleeps");
    sleep(0s);
    log("yielded once");
    sleep(3s);
    log("slept");
}

void timers_cancel_each_other(Log& log) {
    EventLoop& loop = get_running_loop();
    std::vector<TimerHandle> timers;
    for (std::size_t number = 0; number < 6; ++number) {
        timers.push_back(loop.call_later(1s, [&log, &timers, number] {
            log("timer " + std::to_string(number));
            timers[(number + 2) % 6].cancel();
        }));
    }
    sleep(1s);
    log("behind them");
    sleep(0s);
}

void leftovers(Log& log) {
    EventLoop& loop = log.loop;
    const auto task = loop.create_task(
        [&] {
            log("begins");
            log.watch("first sleep", [] { sleep(2s); });
            log("lingers");
            sleep(0s);
            log("goes");
            return 4;
        },
        {.name = "lingers"});
    log.run(loop.create_task(
        [&] {
            loop.call_soon(say(log, "runs in the last batch"));
            loop.call_soon([&] { loop.call_soon(say(log, "is left over")); });
            return 1;
        },
        {.name = "first"}));
    log.run(loop.create_task(
        [&] {
            log("sees");
            sleep(1s);
        },
        {.name = "second"}));
    log.run(task);
    log.run(task);
}

void stopping(Log& log) {
    EventLoop& loop = log.loop;
    const auto task = loop.create_task(
        [&] {
            for (int i = 0; i < 4; ++i) {
                log("tick " + text(i));
                sleep(0s);
            }
        },
        {.name = "ticks"});
    loop.stop();
    loop.run_forever();
    log("one pass");
    loop.call_soon([&] { loop.stop(); });
    loop.call_soon(say(log, "after stop in the batch"));
    loop.call_soon([&] { loop.call_soon(say(log, "next time")); });
    loop.run_forever();
    log("stopped");
    const auto future = loop.create_future<int>();
    loop.call_soon([&] { loop.stop(); });
    log.run(future);
    future.set_result(1);
    log.run(loop.create_task(
        [] {
            sleep(1s);
            sleep(1s);
        },
        {.name = "rests"}));
    log.run(task);
}

void stuck(Log& log) {
    EventLoop& loop = log.loop;
    loop.create_task(
        [&] {
            sleep(5s);
            log("ends");
        },
        {.name = "other"});
    log.run(loop.create_task([&] { log.attempt("for ever", [&] { await(loop.create_future<void>()); }); },
                             {.name = "main"}));
}

}  // namespace

std::vector<Program> loop_programs() {
    return {
        {"callbacks_in_order", callbacks_in_order, {}},
        {"timers_and_callbacks", timers_and_callbacks, {}},
        {"timers_cancel_each_other", timers_cancel_each_other, {}},
        {"leftovers", {}, leftovers},
        {"stopping", {}, stopping},
        {"stuck", {}, stuck},
    };
}

}  // namespace mishap::test
