// Tasks, futures and cancellation; programs_tasks.py is its twin.

#include "differential/program.hpp"

namespace mishap::test {

namespace {

using namespace std::chrono_literals;

void sleep_zero_interleaving(Log& log) {
    std::vector<Task<int>> tasks;
    for (const int count : {3, 1, 2}) {
        tasks.push_back(spawn(
            [&log, count] {
                for (int i = 0; i < count; ++i) {
                    log("step " + text(i));
                    sleep(0s);
                }
                return count;
            },
            "t" + text(count)));
    }
    log("made all");
    for (const Task<int>& task : tasks) {
        const int result = await(task);
        log("result " + text(result));
    }
}

void tasks_start_in_order(Log& log) {
    const auto leaf = [&] { log("leaf"); };
    const auto branch = [&] {
        log("begins");
        const std::vector<Task<void>> leaves = {spawn(leaf, "leaf0"), spawn(leaf, "leaf1")};
        sleep(0s);
        log("after a yield");
        for (const Task<void>& each : leaves) {
            await(each);
            log("awaited");
        }
    };
    const auto first = spawn(branch, "first");
    const auto second = spawn(branch, "second");
    await(second);
    log("first is done: " + truth(first.done()));
    await(first);
    await(first);
    log("awaiting what is done does not yield");
}

void future_callbacks(Log& log) {
    const auto future = get_running_loop().create_future<int>();
    const auto waiter = [&] {
        const int got = await(future);
        log("got " + text(got));
    };
    future.add_done_callback([&](Future<int> f) { log("before the waiters " + text(f.result())); });
    const std::vector<Task<void>> tasks = {spawn(waiter, "w0"), spawn(waiter, "w1")};
    sleep(0s);
    future.add_done_callback([&](Future<int> f) {
        log("adds another");
        f.add_done_callback([&](Future<int>) { log("late one"); });
    });
    future.add_done_callback([&](Future<int>) { boom("in a callback"); });
    future.add_done_callback([&](Future<int>) { log("after the waiters"); });
    log("sets the result");
    future.set_result(7);
    log("has set it");
    log.attempt("set again", [&] { future.set_result(8); });
    for (const Task<void>& task : tasks) {
        await(task);
    }
    future.add_done_callback([&](Future<int>) { log("done already"); });
    log("added to a done one");
    sleep(0s);
}

void future_failures(Log& log) {
    EventLoop& loop = get_running_loop();
    const auto failing = loop.create_future<void>();
    const auto cancelled = loop.create_future<void>();
    const auto pending = loop.create_future<void>();
    std::vector<Task<void>> waiters;
    for (const Future<void>& future : {failing, cancelled, failing}) {
        waiters.push_back(spawn([&log, future] { log.attempt("await", [&] { await(future); }); },
                                "w" + text(static_cast<int>(waiters.size()))));
    }
    loop.call_later(2s, [failing] { failing.set_exception(std::make_exception_ptr(Boom("late"))); });
    loop.call_later(1s, [cancelled] { cancelled.cancel("no more"); });
    for (const Task<void>& waiter : waiters) {
        await(waiter);
    }
    log.attempt("result", [&] { failing.result(); });
    log.attempt("result", [&] { cancelled.result(); });
    log.attempt("result", [&] { pending.result(); });
    const bool first = cancelled.cancel();
    log("cancel of a done one: " + truth(first) + " " + truth(failing.cancel()));
}

void cancel_before_start(Log& log) {
    const auto never = [&] { log("runs"); };
    const auto task = spawn(never, "never");
    task.cancel("early");
    log("done " + truth(task.done()) + " cancelling " + text(task.cancelling()));
    log.attempt("await", [&] { await(task); });
    const auto other = spawn(never, "other");
    other.cancel();
    log("takes it back: " + text(other.uncancel()));
    log.attempt("await", [&] { await(other); });
    const bool first = task.cancel();
    log("cancel when done: " + truth(first) + " " + truth(other.cancel()));
}

void cancel_after_wakeup(Log& log) {
    const auto future = get_running_loop().create_future<int>();
    auto task = spawn([&] { log.attempt("await", [&] { await(future); }); }, "waiter");
    sleep(0s);
    future.set_result(1);
    log("cancel between: " + truth(task.cancel("between")));
    await(task);
    log("value is lost, cancelling " + text(task.cancelling()));
    task = spawn(
        [&] {
            log.attempt("yield", [] { sleep(0s); });
            log.attempt("next yield", [] { sleep(0s); });
        },
        "yields");
    sleep(0s);
    task.cancel("while ready");
    task.cancel("again while ready");
    await(task);
    log("cancelling " + text(task.cancelling()));
}

void cancel_through_a_chain(Log& log) {
    const auto inner = [&] { log.watch("inner", [] { sleep(10s); }); };
    const auto middle = [&] { log.watch("middle", [&] { await(spawn(inner, "inner")); }); };
    const auto outer = [&] { log.watch("outer", [&] { await(spawn(middle, "middle")); }); };
    const auto task = spawn(outer, "outer");
    sleep(1s);
    task.cancel("from the top");
    log("has asked");
    log.attempt("await", [&] { await(task); });
    log("cancelled " + truth(task.cancelled()));
}

void cancel_twice(Log& log) {
    const auto task = spawn(
        [&] {
            log.attempt("first wait", [] { sleep(10s); });
            log.attempt("second wait", [] { sleep(10s); });
            log("cancelling " + text(current_task().cancelling()));
        },
        "stubborn");
    sleep(1s);
    const bool first = task.cancel("one");
    log(truth(first) + " " + truth(task.cancel("two")));
    sleep(1s);
    task.cancel("three");
    log.attempt("await", [&] { await(task); });
}

void uncancel_clears(Log& log) {
    for (const bool takes_back : {false, true}) {
        await(spawn(
            [&] {
                const AnyTask me = current_task();
                me.cancel("myself");
                if (takes_back) {
                    log("left " + text(me.uncancel()));
                }
                log.attempt("wait", [] { sleep(1s); });
                log.attempt("wait", [] { sleep(1s); });
            },
            "self"));
    }
    const auto cancelled_at_the_end = [] {
        current_task().cancel("too late to wait");
        return 5;
    };
    log.attempt("await", [&] { await(spawn(cancelled_at_the_end, "ends")); });
    const auto cancelled_and_fails = [] {
        current_task().cancel("lost");
        boom("failure");
    };
    log.attempt("await", [&] { await(spawn(cancelled_and_fails, "fails")); });
}

void cancel_in_cleanup(Log& log) {
    const auto cleans_up = [&] {
        const auto clean = [&] {
            log("cleans up");
            log.watch("cleanup", [] { sleep(2s); });
            log("is clean");
        };
        try {
            log.watch("work", [] { sleep(10s); });
        } catch (const CancelledError&) {
            clean();
            throw;
        }
        clean();
    };
    const auto one = spawn(cleans_up, "one");
    const auto two = spawn(cleans_up, "two");
    sleep(1s);
    one.cancel("a");
    two.cancel("b");
    sleep(1s);
    two.cancel("c");
    log.attempt("one", [&] { await(one); });
    log.attempt("two", [&] { await(two); });
}

void cancel_a_joiner(Log& log) {
    const auto shared = spawn(
        [&] {
            log.watch("work", [] { sleep(3s); });
            return 1;
        },
        "shared");
    const auto join = [&] { log.attempt("join", [&] { await(shared); }); };
    const auto first = spawn(join, "first");
    const auto second = spawn(join, "second");
    sleep(1s);
    first.cancel();
    await(first);
    await(second);
    log("shared cancelled " + truth(shared.cancelled()) + " second asked " + text(second.cancelling()));
}

void cancel_meets_timer(Log& log) {
    Task<void> sleeper;
    const auto canceller = [&] {
        sleep(2s);
        log("cancels " + truth(sleeper.cancel("at two")));
    };
    const auto sleeps = [&] { log.attempt("sleep", [] { sleep(2s); }); };
    sleeper = spawn(sleeps, "sleeper");
    await(spawn(canceller, "canceller"));
    await(sleeper);
    const auto other = spawn(canceller, "canceller");
    sleeper = spawn(sleeps, "sleeper");
    await(other);
    await(sleeper);
}

}  // namespace

std::vector<Program> task_programs() {
    return {
        {"sleep_zero_interleaving", sleep_zero_interleaving, {}},
        {"tasks_start_in_order", tasks_start_in_order, {}},
        {"future_callbacks", future_callbacks, {}},
        {"future_failures", future_failures, {}},
        {"cancel_before_start", cancel_before_start, {}},
        {"cancel_after_wakeup", cancel_after_wakeup, {}},
        {"cancel_through_a_chain", cancel_through_a_chain, {}},
        {"cancel_twice", cancel_twice, {}},
        {"uncancel_clears", uncancel_clears, {}},
        {"cancel_in_cleanup", cancel_in_cleanup, {}},
        {"cancel_a_joiner", cancel_a_joiner, {}},
        {"cancel_meets_timer", cancel_meets_timer, {}},
    };
}

}  // namespace mishap::test
