// timeout and wait_for; programs_timeouts.py is its twin.

#include <mishap/primitives/timeout.hpp>
#include <mishap/primitives/wait_for.hpp>

#include "differential/program.hpp"

namespace mishap::test {

namespace {

using namespace std::chrono_literals;
using Delay = std::optional<std::chrono::nanoseconds>;

/// A function that runs `body` under a timeout.
template <class F>
auto within(Delay delay, F body) {
    return [delay, body] { timeout(delay, body); };
}

/// A function that sleeps.
auto sleeps(std::chrono::seconds delay) {
    return [delay] { sleep(delay); };
}

void timeout_expires(Log& log) {
    const auto body = [&](std::chrono::seconds delay) {
        return [&log, delay] { log.watch("body", sleeps(delay)); };
    };
    log.attempt("in time", within(2s, sleeps(1s)));
    log.attempt("too late", within(1s, body(2s)));
    log.attempt("at the deadline", within(1s, body(1s)));
    log.attempt("no deadline", within(std::nullopt, sleeps(1s)));
    log.attempt("fails", within(1s, [] { boom("body"); }));
    log.attempt("swallowed", within(1s, [&] { log.attempt("body", sleeps(3s)); }));
    log("asked " + text(current_task().cancelling()));
    log.attempt("next wait", sleeps(0s));
}

void timeout_in_the_past(Log& log) {
    for (const auto delay : {0s, -1s}) {
        log.attempt("no wait", within(delay, [&] { log("computes"); }));
        log.attempt("yields", within(delay, [&] {
                        log("before the yield");
                        log.watch("yield", sleeps(0s));
                    }));
        log.attempt("sleeps", within(delay, [&] { log.watch("sleep", sleeps(1s)); }));
    }
}

void timeouts_nested(Log& log) {
    const auto inner_first = [&] {
        log.attempt("inner", within(1s, sleeps(5s)));
        log.watch("rest", sleeps(5s));
    };
    const auto outer_first = [&] { log.watch("inner", within(2s, [&] { log.watch("body", sleeps(5s)); })); };
    log.attempt("outer", within(3s, inner_first));
    log.attempt("outer", within(1s, outer_first));
    log.attempt("outer of two equal ones", within(2s, outer_first));
}

void timeout_rescheduled(Log& log) {
    EventLoop& loop = get_running_loop();
    const auto later = [&] {
        timeout(1s, [&](Timeout& scope) {
            scope.reschedule(loop.time() + 3s);
            sleep(2s);
            log("expired " + truth(scope.expired()));
            scope.reschedule(loop.time());
            log("due now");
            log.watch("wait", sleeps(5s));
        });
    };
    const auto never = [&] {
        Timeout scope(loop.time() + 1s);
        scope.run([&] {
            scope.reschedule(std::nullopt);
            sleep(2s);
        });
        log.attempt("reschedule when it is over", [&] { scope.reschedule(VirtualTime(5s)); });
    };
    log.attempt("later", later);
    log.attempt("never", never);
}

void timeout_meets_cancel(Log& log) {
    Task<void> victim;
    const auto waits = [&](bool first) {
        return [&log, first] {
            if (first) {
                sleep(0s);
            }
            log.watch("timeout", within(2s, [&] { log.watch("body", sleeps(5s)); }));
        };
    };
    for (const bool first : {false, true}) {
        const auto canceller = spawn(
            [&] {
                sleep(2s);
                log("cancels " + truth(victim.cancel("outside")));
            },
            "canceller");
        victim = spawn(waits(first), "victim");
        log.attempt("join", [&] { await(victim); });
        log("asked " + text(victim.cancelling()));
        await(canceller);
    }
    EventLoop& loop = get_running_loop();
    const auto cancels = [&] { log("cancels " + truth(victim.cancel())); };
    victim = spawn(waits(false), "victim");
    sleep(0s);
    loop.call_later(2s, cancels);
    log.attempt("join", [&] { await(victim); });
    victim = spawn(waits(false), "victim");
    loop.call_later(2s, cancels);
    log.attempt("join", [&] { await(victim); });
}

void wait_for_results(Log& log) {
    const auto work = [&](std::chrono::seconds delay) {
        return [&log, delay] {
            log("works");
            log.watch("work", sleeps(delay));
            log("has worked");
            return 1;
        };
    };
    log.attempt("inline, in time", [&] { wait_for(work(1s), 2s); });
    log.attempt("inline, late", [&] { wait_for(work(3s), 2s); });
    log.attempt("inline, no time", [&] { wait_for(work(3s), 0s); });
    auto task = spawn(work(1s), "task");
    log.attempt("task, in time", [&] { wait_for(task, 2s); });
    log.attempt("task, done, no time", [&] { wait_for(task, 0s); });
    task = spawn(work(3s), "task");
    log.attempt("task, late", [&] { wait_for(task, 2s); });
    task = spawn(work(3s), "task");
    sleep(0s);
    log.attempt("task, no time", [&] { wait_for(task, 0s); });
    task = spawn(work(1s), "task");
    log.attempt("task, no limit", [&] { wait_for(task, std::nullopt); });
    const auto future = get_running_loop().create_future<void>();
    log.attempt("future", [&] { wait_for(future, 1s); });
    log("cancelled " + truth(future.cancelled()));
}

void wait_for_the_stubborn(Log& log) {
    for (const auto delay : {1s, 0s}) {
        for (const bool fails : {false, true}) {
            const auto task = spawn(
                [&log, fails] {
                    bool is_cancelled = false;
                    try {
                        sleep(10s);
                    } catch (const CancelledError&) {
                        is_cancelled = true;
                    }
                    if (is_cancelled) {
                        log("asked to leave");
                        sleep(3s);
                    }
                    if (fails) {
                        boom("late failure");
                    }
                    return 5;
                },
                "stubborn");
            sleep(0s);
            log.attempt("wait_for", [&] { wait_for(task, delay); });
        }
    }
}

void wait_for_cancelled(Log& log) {
    EventLoop& loop = get_running_loop();
    auto future = loop.create_future<int>();
    const auto waits = [&] {
        const int got = log.watch("wait_for", [&] { return wait_for(future, 5s); });
        log("got " + text(got));
    };
    const auto completes = [&](int result) {
        return [&future, result] {
            if (!future.done()) {
                future.set_result(result);
            }
        };
    };
    auto task = spawn(waits, "waits");
    sleep(1s);
    task.cancel("outside");
    log.attempt("join", [&] { await(task); });
    log("future cancelled " + truth(future.cancelled()));
    future = loop.create_future<int>();
    task = spawn(waits, "waits");
    sleep(0s);
    future.set_result(3);
    task.cancel("after the result");
    log.attempt("join", [&] { await(task); });
    future = loop.create_future<int>();
    task = spawn(waits, "waits");
    loop.call_later(5s, completes(4));
    log.attempt("result and deadline at once", [&] { await(task); });
    future = loop.create_future<int>();
    loop.call_later(5s, completes(5));
    task = spawn(waits, "waits");
    log.attempt("deadline after the result", [&] { await(task); });
}

}  // namespace

std::vector<Program> timeout_programs() {
    return {
        {"timeout_expires", timeout_expires, {}},
        {"timeout_in_the_past", timeout_in_the_past, {}},
        {"timeouts_nested", timeouts_nested, {}},
        {"timeout_rescheduled", timeout_rescheduled, {}},
        {"timeout_meets_cancel", timeout_meets_cancel, {}},
        {"wait_for_results", wait_for_results, {}},
        {"wait_for_the_stubborn", wait_for_the_stubborn, {}},
        {"wait_for_cancelled", wait_for_cancelled, {}},
    };
}

}  // namespace mishap::test
