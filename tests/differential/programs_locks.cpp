// Lock, Event and Semaphore under contention and cancellation; programs_locks.py is its twin.

#include <mishap/primitives/event.hpp>
#include <mishap/primitives/lock.hpp>
#include <mishap/primitives/semaphore.hpp>

#include "differential/program.hpp"

namespace mishap::test {

namespace {

using namespace std::chrono_literals;

struct Use {
    int turns;
    std::chrono::seconds pause;
};

void lock_contention(Log& log) {
    Lock lock;
    const auto holder = [&](Use use) {
        for (int i = 0; i < use.turns; ++i) {
            lock.acquire();
            log("has it " + text(i));
            sleep(use.pause);
            lock.release();
            log("gave it up, locked " + truth(lock.locked()));
        }
    };
    std::vector<Task<void>> tasks;
    for (const Use use : {Use{2, 0s}, Use{2, 1s}, Use{3, 0s}}) {
        tasks.push_back(spawn([&holder, use] { holder(use); }, "h" + std::to_string(tasks.size())));
    }
    for (const Task<void>& task : tasks) {
        await(task);
    }
}

/// A task that takes the lock once.
auto wants_lock(Log& log, Lock& lock) {
    return [&] {
        log.watch("acquire", [&] { lock.acquire(); });
        log("has it");
        sleep(0s);
        lock.release();
    };
}

void lock_cancelled_while_waiting(Log& log) {
    Lock lock;
    lock.acquire();
    const auto wants = [&] {
        log.watch("acquire", [&] { lock.acquire(); });
        log("has it");
        lock.release();
    };
    std::vector<Task<void>> tasks;
    for (int n = 0; n < 4; ++n) {
        tasks.push_back(spawn(wants, "w" + text(n)));
    }
    sleep(0s);
    tasks[1].cancel("leave");
    tasks[3].cancel("leave");
    lock.release();
    log("released");
    log.join_all(tasks);
    log("locked " + truth(lock.locked()));
}

void lock_cancelled_after_wakeup(Log& log) {
    Lock lock;
    const auto wants = wants_lock(log, lock);
    lock.acquire();
    const auto first = spawn(wants, "first");
    const auto second = spawn(wants, "second");
    sleep(0s);
    lock.release();
    first.cancel();
    const auto newcomer = spawn(wants, "newcomer");
    log("locked " + truth(lock.locked()));
    log.join_all({first, second, newcomer});
    lock.acquire();
    const std::vector<Task<void>> doomed = {spawn(wants, "doomed0"), spawn(wants, "doomed1")};
    sleep(0s);
    lock.release();
    for (const Task<void>& task : doomed) {
        task.cancel();
    }
    log.attempt("acquire", [&] { lock.acquire(); });
    lock.release();
    log.join_all(doomed);
}

void lock_released_by_another(Log& log) {
    Lock lock;
    lock.acquire();
    get_running_loop().call_later(2s, [&] { lock.release(); });
    log.attempt("acquire", [&] { lock.acquire(); });
    log.attempt("release", [&] { lock.release(); });
    log.attempt("release again", [&] { lock.release(); });
}

void event_wakes_all(Log& log) {
    Event event;
    const auto waits = [&] {
        log.watch("wait", [&] { event.wait(); });
        log("through, set " + truth(event.is_set()));
    };
    std::vector<Task<void>> tasks;
    for (int n = 0; n < 4; ++n) {
        tasks.push_back(spawn(waits, "w" + text(n)));
    }
    sleep(0s);
    tasks[0].cancel();
    event.set();
    tasks[2].cancel("after set");
    event.clear();
    const auto late = spawn(waits, "late");
    log("set and cleared");
    log.join_all(tasks);
    log("late is done: " + truth(late.done()));
    event.set();
    event.set();
    event.wait();
    log("no wait when set");
    await(late);
}

void semaphore_contention(Log& log) {
    Semaphore semaphore(2);
    const auto uses = [&](Use use) {
        for (int i = 0; i < use.turns; ++i) {
            semaphore.acquire();
            log("in " + text(i) + ", locked " + truth(semaphore.locked()));
            sleep(use.pause);
            log("out");
            semaphore.release();
        }
    };
    std::vector<Task<void>> tasks;
    for (const Use use : {Use{2, 0s}, Use{1, 1s}, Use{2, 1s}, Use{2, 0s}}) {
        tasks.push_back(spawn([&uses, use] { uses(use); }, "u" + std::to_string(tasks.size())));
    }
    for (const Task<void>& task : tasks) {
        await(task);
    }
    semaphore.release();
    log("locked " + truth(semaphore.locked()));
}

void semaphore_cancelled(Log& log) {
    Semaphore semaphore(0);
    const auto wants = [&] {
        log.watch("acquire", [&] { semaphore.acquire(); });
        log("has a permit");
    };
    std::vector<Task<void>> tasks;
    for (int n = 0; n < 6; ++n) {
        tasks.push_back(spawn(wants, "w" + text(n)));
    }
    sleep(0s);
    tasks[1].cancel("while waiting");
    semaphore.release();
    semaphore.release();
    tasks[0].cancel("after the grant");
    log("locked " + truth(semaphore.locked()));
    tasks.push_back(spawn(wants, "newcomer"));
    sleep(0s);
    sleep(0s);
    semaphore.release();
    tasks[3].cancel("after its grant");
    semaphore.release();
    sleep(0s);
    sleep(0s);
    semaphore.release();
    semaphore.release();
    log.join_all(tasks);
    log("locked " + truth(semaphore.locked()));
}

void semaphore_bounded(Log& log) {
    BoundedSemaphore semaphore(1);
    log.attempt("release", [&] { semaphore.release(); });
    semaphore.acquire();
    const auto waiter = spawn([&] { semaphore.acquire(); }, "waiter");
    sleep(0s);
    log.attempt("release", [&] { semaphore.release(); });
    log.attempt("release while a grant is under way", [&] { semaphore.release(); });
    await(waiter);
    log("locked " + truth(semaphore.locked()));
}

}  // namespace

std::vector<Program> lock_programs() {
    return {
        {"lock_contention", lock_contention, {}},
        {"lock_cancelled_while_waiting", lock_cancelled_while_waiting, {}},
        {"lock_cancelled_after_wakeup", lock_cancelled_after_wakeup, {}},
        {"lock_released_by_another", lock_released_by_another, {}},
        {"event_wakes_all", event_wakes_all, {}},
        {"semaphore_contention", semaphore_contention, {}},
        {"semaphore_cancelled", semaphore_cancelled, {}},
        {"semaphore_bounded", semaphore_bounded, {}},
    };
}

}  // namespace mishap::test
