// wait, as_completed, shield, staggered_race; programs_waits.py is its twin.

#include <algorithm>

#include <mishap/primitives/as_completed.hpp>
#include <mishap/primitives/gather.hpp>
#include <mishap/primitives/shield.hpp>
#include <mishap/primitives/staggered_race.hpp>
#include <mishap/primitives/wait.hpp>
#include <mishap/primitives/wait_for.hpp>

#include "differential/program.hpp"

namespace mishap::test {

namespace {

using namespace std::chrono_literals;
using Tasks = std::vector<Task<int>>;

/// Counts iterations of the loop. While it runs, the clock stands still.
struct Ticker {
    int ticks = 0;
    Task<void> task = spawn(
        [this] {
            for (;;) {
                sleep(0s);
                ++ticks;
            }
        },
        "ticker");
};

/// Leaves a ticker to the log, which outlives its task.
Ticker& make_ticker(Log& log) {
    const auto ticker = std::make_shared<Ticker>();
    log.kept = ticker;
    return *ticker;
}

/// A function that sleeps, then returns or fails.
auto worker(Log& log, int result, std::chrono::seconds delay, const char* failure = nullptr) {
    return [&log, result, delay, failure] {
        log.watch("work " + text(result), [&] { sleep(delay); });
        if (failure != nullptr) {
            boom(failure);
        }
        log("ends " + text(result));
        return result;
    };
}

/// Says of each task whether it is in `done`, in the order of `tasks`.
template <class F>
std::string split(const std::vector<F>& tasks, const std::vector<F>& done) {
    std::string line;
    for (const F& task : tasks) {
        const bool is_done = std::find(done.begin(), done.end(), task) != done.end();
        line += std::string(line.empty() ? "" : " ") + (is_done ? "done" : "pending");
    }
    return line;
}

void wait_returns(Log& log) {
    Ticker& ticker = make_ticker(log);
    sleep(0s);
    const auto waits = [&](const char* what, const std::vector<Future<int>>& futures, const WaitOptions& options = {}) {
        const int before = ticker.ticks;
        const auto [done, pending] = wait(futures, options);
        log(what + (": " + split(futures, done)) + ", " + std::to_string(pending.size()) + " pending, " +
            text(ticker.ticks - before) + " ticks");
    };
    const auto tasks = [&] {
        const auto one = spawn(worker(log, 1, 0s), "one");
        const auto two = spawn(worker(log, 2, 0s, "two"), "two");
        return std::vector<Future<int>>{one, two, spawn(worker(log, 3, 0s), "three")};
    };
    waits("all", tasks());
    waits("first", tasks(), {.return_when = ReturnWhen::first_completed});
    waits("first exception", tasks(), {.return_when = ReturnWhen::first_exception});
    const auto done = spawn(worker(log, 4, 0s), "four");
    await(done);
    waits("done already", {done});
    waits("done already, twice", {done, done}, {.return_when = ReturnWhen::first_completed});
    const auto future = get_running_loop().create_future<int>();
    waits("no time", {future}, {.timeout = 0s});
    waits("less than no time", {future}, {.timeout = -1s});
    const auto cancelled = spawn(worker(log, 5, 0s), "five");
    cancelled.cancel();
    waits("cancelled", {cancelled, future}, {.return_when = ReturnWhen::first_completed});
    ticker.task.cancel();
}

void wait_in_time(Log& log) {
    const auto slow = spawn(worker(log, 1, 5s), "slow");
    const auto quick = spawn(worker(log, 2, 1s), "quick");
    const auto failing = spawn(worker(log, 3, 2s, "third"), "failing");
    const auto cancelled = spawn(worker(log, 4, 9s), "cancelled");
    const Tasks tasks{slow, quick, failing, cancelled};
    const auto waits = [&](const char* what, const WaitOptions& options = {}) {
        log(what + (": " + split(tasks, wait(tasks, options).done)));
    };
    waits("a deadline of another's second", {.return_when = ReturnWhen::first_completed, .timeout = 3s});
    cancelled.cancel();
    waits("a cancelled one is no failure", {.return_when = ReturnWhen::first_exception});
    waits("timeout", {.timeout = 1s});
    waits("result and timeout at once", {.timeout = 2s});
    waits("all");
}

void wait_cancelled(Log& log) {
    const auto child = spawn(worker(log, 1, 3s), "child");
    const auto waits = [&] { log.watch("wait", [&] { wait({child}, {.timeout = 9s}); }); };
    auto waiting = spawn(waits, "waiting");
    sleep(1s);
    waiting.cancel("enough");
    log.attempt("join", [&] { await(waiting); });
    log("child asked " + text(child.cancelling()));
    waiting = spawn(waits, "waiting");
    await(child);
    waiting.cancel("as it ends");
    log.attempt("join", [&] { await(waiting); });
}

void as_completed_in_order(Log& log) {
    const auto one = spawn(worker(log, 1, 3s), "t1");
    const auto two = spawn(worker(log, 2, 1s), "t2");
    const Tasks tasks{one, two, spawn(worker(log, 3, 2s, "third"), "t3")};
    for (const auto& task : as_completed(tasks)) {
        log("comes " + text(std::find(tasks.begin(), tasks.end(), task) - tasks.begin()));
    }
    Ticker& ticker = make_ticker(log);
    sleep(0s);
    const int begin = ticker.ticks;
    for (const auto& task : as_completed(Tasks{tasks[1], spawn(worker(log, 4, 0s), "t4")})) {
        log("comes " + task.get_name() + " after " + text(ticker.ticks - begin) + " ticks");
    }
    log("over after " + text(ticker.ticks - begin) + " ticks");
    ticker.task.cancel();
}

Tasks one_two_three(Log& log) {
    Tasks tasks;
    for (const int i : {1, 2, 3}) {
        tasks.push_back(spawn(worker(log, i, std::chrono::seconds(i)), "t" + text(i)));
    }
    return tasks;
}

void as_completed_in_time(Log& log) {
    const Tasks tasks = one_two_three(log);
    auto all = as_completed(tasks, 2s);
    for (int i = 0; i < 3; ++i) {
        log.attempt("take", [&] { log("takes " + all.next()->get_name()); });
    }
    for (const auto& task : tasks) {
        log("asked " + text(task.cancelling()));
        log.attempt("join", [&] { await(task); });
    }
}

void as_completed_shared(Log& log) {
    auto all = as_completed(one_two_three(log));
    const auto takes = [&] {
        for (const auto& task : all) {
            log("takes " + task.get_name());
        }
    };
    const auto one = spawn(takes, "one");
    const auto other = spawn(takes, "other");
    log.attempt("join", [&] { await(one); });
    log.attempt("join", [&] { await(other); });
}

void shield_results(Log& log) {
    Ticker& ticker = make_ticker(log);
    sleep(0s);
    const auto shields = [&](const char* what, const Task<int>& task) {
        const int before = ticker.ticks;
        const int result = await(shield(task));
        log(what + (": " + text(result)) + " after " + text(ticker.ticks - before) + " ticks");
    };
    log.attempt("result", [&] { shields("good", spawn(worker(log, 1, 0s), "t1")); });
    log.attempt("failure", [&] { shields("bad", spawn(worker(log, 2, 0s, "second"), "t2")); });
    const auto cancelled = spawn(worker(log, 3, 9s), "t3");
    get_running_loop().call_soon([&] { cancelled.cancel("inner"); });
    log.attempt("inner cancelled", [&] { shields("never", cancelled); });
    const auto done = spawn(worker(log, 4, 0s), "t4");
    await(done);
    log.attempt("done already", [&] { shields("done", done); });
    ticker.task.cancel();
}

void shield_cancelled(Log& log) {
    const auto inner = spawn(worker(log, 1, 3s), "inner");
    const auto waits = [&] { log("got " + text(log.watch("shield", [&] { return await(shield(inner)); }))); };
    auto waiting = spawn(waits, "waiting");
    const auto other = spawn(waits, "other");
    sleep(1s);
    log("cancels " + truth(waiting.cancel("outside")));
    log.attempt("join", [&] { await(waiting); });
    log("inner asked " + text(inner.cancelling()));
    log.attempt("in time", [&] { wait_for(shield(inner), 1s); });
    log.attempt("no time", [&] { wait_for(shield(inner), 0s); });
    log.attempt("join", [&] { await(other); });
    const auto late = spawn(worker(log, 2, 1s), "late");
    waiting = spawn([&] { log.watch("shield", [&] { await(shield(late)); }); }, "waiting");
    await(late);
    waiting.cancel("as it ends");
    log.attempt("join", [&] { await(waiting); });
    const auto outer = shield(spawn(worker(log, 3, 1s), "third"));
    const auto both = gather_future(outer, shield(spawn(worker(log, 4, 2s), "fourth")));
    both.cancel();
    log.attempt("gather", [&] { await(both); });
    sleep(3s);
}

void races(Log& log) {
    using Attempts = std::vector<std::function<int()>>;
    const auto race = [&](const char* what, const Attempts& attempts, std::optional<std::chrono::nanoseconds> delay) {
        const auto [result, index, exceptions] = staggered_race(attempts, delay);
        std::string told;
        for (const std::exception_ptr& exception : exceptions) {
            told += told.empty() ? "" : ", ";
            told += exception == nullptr ? "none" : describe(exception) == "cancelled" ? "cancelled" : "failed";
        }
        log(what + (": " + (index ? std::to_string(*index) + " " + text(*result) : "none none")) + " [" + told + "]");
    };
    const auto attempt = [&](int result, std::chrono::seconds delay, const char* failure = nullptr) {
        return worker(log, result, delay, failure);
    };
    race("nobody", {}, std::nullopt);
    race("first", {attempt(1, 1s), attempt(2, 1s)}, 5s);
    race("second, at once", {attempt(3, 1s, "third"), attempt(4, 1s)}, 5s);
    race("second, late", {attempt(5, 9s), attempt(6, 1s)}, 2s);
    race("first, late", {attempt(7, 3s), attempt(8, 9s), attempt(9, 9s)}, 2s);
    race("none", {attempt(10, 1s, "tenth"), attempt(11, 1s, "eleventh")}, std::nullopt);
    race("in turn", {attempt(12, 3s, "twelfth"), attempt(13, 1s)}, std::nullopt);
    log(std::to_string(all_tasks().size()) + " task");
}

}  // namespace

std::vector<Program> wait_programs() {
    return {
        {"wait_returns", wait_returns, {}},
        {"wait_in_time", wait_in_time, {}},
        {"wait_cancelled", wait_cancelled, {}},
        {"as_completed_in_order", as_completed_in_order, {}},
        {"as_completed_in_time", as_completed_in_time, {}},
        {"as_completed_shared", as_completed_shared, {}},
        {"shield_results", shield_results, {}},
        {"shield_cancelled", shield_cancelled, {}},
        {"races", races, {}},
    };
}

}  // namespace mishap::test
