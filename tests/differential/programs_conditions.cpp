// Conditions and barriers under contention and cancellation; programs_conditions.py is its twin.

#include <deque>

#include <mishap/primitives/barrier.hpp>
#include <mishap/primitives/condition.hpp>
#include <mishap/primitives/wait_for.hpp>

#include "differential/program.hpp"

namespace mishap::test {

namespace {

using namespace std::chrono_literals;

void condition_hands_over(Log& log) {
    Condition condition;
    std::deque<int> items;
    const auto consumes = [&](int count) {
        for (int i = 0; i < count; ++i) {
            {
                const auto guard = condition.guard();
                condition.wait_for([&] { return !items.empty(); });
                log("took " + text(items.front()));
                items.pop_front();
            }
            sleep(0s);
        }
    };
    const auto produces = [&](int first, int count) {
        for (int i = 0; i < count; ++i) {
            {
                const auto guard = condition.guard();
                items.push_back(first + i);
                log("made " + text(first + i));
                condition.notify();
            }
            sleep(std::chrono::seconds(i));
        }
    };
    const std::vector<Task<void>> tasks = {spawn([&] { consumes(2); }, "c0"), spawn([&] { consumes(3); }, "c1"),
                                           spawn([&] { produces(0, 3); }, "p0"), spawn([&] { produces(10, 2); }, "p1")};
    for (const Task<void>& task : tasks) {
        await(task);
    }
    log("locked " + truth(condition.locked()));
}

void condition_notifies_some(Log& log) {
    Condition condition;
    std::vector<Task<void>> tasks;
    for (int n = 0; n < 6; ++n) {
        tasks.push_back(spawn(
            [&] {
                const auto guard = condition.guard();
                condition.wait();
                log("notified");
                sleep(0s);
            },
            "w" + text(n)));
    }
    sleep(0s);
    for (const int count : {1, 2, 0}) {
        {
            const auto guard = condition.guard();
            condition.notify(static_cast<std::size_t>(count));
            log("notify " + text(count));
            sleep(0s);
        }
        sleep(1s);
    }
    {
        const auto guard = condition.guard();
        condition.notify_all();
        log("notify all");
    }
    for (const Task<void>& task : tasks) {
        await(task);
    }
}

void condition_cancelled(Log& log) {
    Condition condition;
    class Leaving {
    public:
        Leaving(Log& log, Condition& condition) : log_(log), condition_(condition) {}
        ~Leaving() { log_("locked " + truth(condition_.locked())); }
        Leaving(const Leaving&) = delete;
        Leaving& operator=(const Leaving&) = delete;

    private:
        Log& log_;
        Condition& condition_;
    };
    std::vector<Task<void>> tasks;
    for (int n = 0; n < 5; ++n) {
        tasks.push_back(spawn(
            [&] {
                const auto guard = condition.guard();
                const Leaving leaving(log, condition);
                log.watch("wait", [&] { condition.wait(); });
                log("notified");
            },
            "w" + text(n)));
    }
    sleep(0s);
    tasks[0].cancel("while waiting");
    sleep(0s);
    {
        const auto guard = condition.guard();
        condition.notify();
        tasks[1].cancel("after the notification");
        sleep(0s);
        tasks[1].cancel("while it takes the lock");
        sleep(0s);
        tasks[1].cancel("and again");
        condition.notify();
        sleep(0s);
        tasks[2].cancel("too");
        sleep(0s);
        log("gives the lock up");
    }
    for (std::size_t n = 0; n < 4; ++n) {
        log.attempt("join", [&] { await(tasks[n]); });
    }
    {
        const auto guard = condition.guard();
        condition.notify();
    }
    log.attempt("join", [&] { await(tasks[4]); });
}

void condition_misused(Log& log) {
    Lock lock;
    Condition condition(lock);
    log.attempt("wait", [&] { condition.wait(); });
    log.attempt("notify", [&] { condition.notify(); });
    log.attempt("release", [&] { condition.release(); });
    lock.acquire();
    log("locked " + truth(condition.locked()));
    log.attempt("wait", [&] { wait_for([&] { condition.wait(); }, 1s); });
    log("locked " + truth(lock.locked()));
    condition.release();
    log("locked " + truth(lock.locked()));
}

void barrier_rounds(Log& log) {
    Barrier barrier(3);
    const auto passes = [&](int pause) {
        for (int i = 0; i < 3; ++i) {
            sleep(std::chrono::seconds(pause));
            const auto number = static_cast<std::int64_t>(barrier.wait());
            log("round " + text(i) + ": number " + text(number) + ", waiting " + std::to_string(barrier.n_waiting()));
        }
    };
    std::vector<Task<void>> tasks;
    for (int n = 0; n < 3; ++n) {
        tasks.push_back(spawn([&passes, n] { passes(n); }, "p" + text(n)));
    }
    for (const Task<void>& task : tasks) {
        await(task);
    }
}

void barrier_crowded(Log& log) {
    const auto barrier = std::make_shared<Barrier>(2);
    log.kept = barrier;
    const auto passes = [&log, barrier] {
        for (int i = 0; i < 2; ++i) {
            const auto number = static_cast<std::int64_t>(barrier->wait());
            log("turn " + text(i) + ": number " + text(number) + ", waiting " + std::to_string(barrier->n_waiting()));
        }
    };
    std::vector<Task<void>> tasks;
    for (int n = 0; n < 5; ++n) {
        tasks.push_back(spawn(passes, "p" + text(n)));
    }
    for (int i = 0; i < 6; ++i) {
        sleep(0s);
    }
    log("waiting " + std::to_string(barrier->n_waiting()));
    barrier->wait();
    for (int i = 0; i < 3; ++i) {
        sleep(0s);
    }
    for (const Task<void>& task : tasks) {
        log("done " + truth(task.done()));
    }
}

void barrier_cancelled(Log& log) {
    Barrier barrier(4);
    const auto passes = [&] {
        log.watch("wait", [&] { barrier.wait(); });
        log("passed");
    };
    std::vector<Task<void>> tasks;
    for (int n = 0; n < 3; ++n) {
        tasks.push_back(spawn(passes, "p" + text(n)));
    }
    sleep(0s);
    tasks[0].cancel("leave");
    sleep(0s);
    log("waiting " + std::to_string(barrier.n_waiting()));
    for (int n = 3; n < 5; ++n) {
        tasks.push_back(spawn(passes, "p" + text(n)));
    }
    sleep(0s);
    tasks[2].cancel("too late");
    log("waiting " + std::to_string(barrier.n_waiting()));
    const auto late = spawn(passes, "late");
    log.join_all(tasks);
    log("waiting " + std::to_string(barrier.n_waiting()));
    late.cancel();
    log.attempt("join", [&] { await(late); });
}

void barrier_reset_and_aborted(Log& log) {
    Barrier barrier(3);
    const auto passes = [&] {
        for (int i = 0; i < 3; ++i) {
            log.attempt("wait", [&] { barrier.wait(); });
        }
    };
    std::vector<Task<void>> tasks = {spawn(passes, "p0"), spawn(passes, "p1")};
    sleep(0s);
    barrier.reset();
    log("reset, waiting " + std::to_string(barrier.n_waiting()) + ", broken " + truth(barrier.broken()));
    tasks.push_back(spawn([&] { barrier.wait(); }, "late"));
    sleep(0s);
    log("waiting " + std::to_string(barrier.n_waiting()));
    for (int i = 0; i < 4; ++i) {
        sleep(0s);
    }
    barrier.abort();
    log("aborted, broken " + truth(barrier.broken()));
    log.attempt("wait", [&] { barrier.wait(); });
    log.join_all(tasks);
    barrier.reset();
    log("broken " + truth(barrier.broken()));
    const std::vector<Task<void>> more = {spawn([&] { barrier.wait(); }, "m0"), spawn([&] { barrier.wait(); }, "m1")};
    sleep(0s);
    const auto number = static_cast<std::int64_t>(barrier.wait());
    log("number " + text(number));
    barrier.reset();
    log.join_all(more);
}

}  // namespace

std::vector<Program> condition_programs() {
    return {
        {"condition_hands_over", condition_hands_over, {}},
        {"condition_notifies_some", condition_notifies_some, {}},
        {"condition_cancelled", condition_cancelled, {}},
        {"condition_misused", condition_misused, {}},
        {"barrier_rounds", barrier_rounds, {}},
        {"barrier_crowded", barrier_crowded, {}},
        {"barrier_cancelled", barrier_cancelled, {}},
        {"barrier_reset_and_aborted", barrier_reset_and_aborted, {}},
    };
}

}  // namespace mishap::test
