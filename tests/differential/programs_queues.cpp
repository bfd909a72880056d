// Queues under contention, cancellation and shutdown; programs_queues.py is its twin.

#include <mishap/primitives/lifo_queue.hpp>
#include <mishap/primitives/priority_queue.hpp>
#include <mishap/primitives/queue.hpp>

#include "differential/program.hpp"

namespace mishap::test {

namespace {

using namespace std::chrono_literals;

void queue_hands_over(Log& log) {
    Queue<int> queue(2);
    const auto puts = [&](int first) {
        for (int i = 0; i < 3; ++i) {
            queue.put(first + i);
            log("put " + text(first + i));
        }
    };
    const auto gets = [&](int count) {
        for (int i = 0; i < count; ++i) {
            const int item = queue.get();
            log("got " + text(item));
            if (item % 2 != 0) {
                sleep(1s);
            }
            queue.task_done();
        }
    };
    const std::vector<Task<void>> tasks = {spawn([&] { puts(0); }, "p0"), spawn([&] { gets(2); }, "g0"),
                                           spawn([&] { puts(10); }, "p1"), spawn([&] { gets(4); }, "g1")};
    queue.join();
    log("joined, size " + std::to_string(queue.qsize()));
    for (const Task<void>& task : tasks) {
        await(task);
    }
}

void queue_item_is_stolen(Log& log) {
    Queue<std::string> queue;
    const auto gets = [&] {
        const std::string item = queue.get();
        log("got " + item);
    };
    const std::vector<Task<void>> getters = {spawn(gets, "g0"), spawn(gets, "g1"), spawn(gets, "g2")};
    sleep(0s);
    queue.put_nowait("a");
    log("steals " + queue.get_nowait());
    sleep(0s);
    for (const char* const item : {"b", "c", "d"}) {
        queue.put_nowait(item);
    }
    for (const Task<void>& getter : getters) {
        await(getter);
    }
    log.attempt("get_nowait", [&] { queue.get_nowait(); });
}

void queue_getter_cancelled(Log& log) {
    Queue<int> queue;
    const auto gets = [&] {
        const int item = log.watch("get", [&] { return queue.get(); });
        log("got " + text(item));
    };
    std::vector<Task<void>> getters;
    for (int n = 0; n < 4; ++n) {
        getters.push_back(spawn(gets, "g" + text(n)));
    }
    sleep(0s);
    getters[0].cancel("while waiting");
    queue.put_nowait(1);
    getters[1].cancel("after the wake-up");
    sleep(0s);
    queue.put_nowait(2);
    log.join_all(getters);
}

void queue_putter_cancelled(Log& log) {
    Queue<int> queue(1);
    const auto puts = [&](int item) {
        log.watch("put " + text(item), [&] { queue.put(item); });
        log("put " + text(item));
    };
    queue.put_nowait(0);
    std::vector<Task<void>> putters;
    for (int n = 1; n < 5; ++n) {
        putters.push_back(spawn([&puts, n] { puts(n); }, "p" + text(n)));
    }
    sleep(0s);
    putters[1].cancel("while waiting");
    log("got " + text(queue.get_nowait()));
    putters[0].cancel("after the wake-up");
    log.attempt("put_nowait", [&] { queue.put_nowait(9); });
    log.attempt("put_nowait", [&] { queue.put_nowait(9); });
    for (int i = 0; i < 3; ++i) {
        sleep(0s);
        const int item = queue.get();
        log("got " + text(item));
    }
    log.join_all(putters);
}

void queue_shut_down(Log& log) {
    for (const bool immediate : {false, true}) {
        Queue<int> queue(1);
        const auto gets = [&] {
            for (int i = 0; i < 3; ++i) {
                const int item = log.watch("get", [&] { return queue.get(); });
                log("got " + text(item));
                sleep(1s);
            }
        };
        const auto joins = [&] {
            queue.join();
            log("joined");
        };
        const auto puts = [&](int item) {
            log.watch("put " + text(item), [&] { queue.put(item); });
            log("put " + text(item));
        };
        queue.put_nowait(1);
        const std::vector<Task<void>> tasks = {spawn([&] { puts(2); }, "p2"), spawn([&] { puts(3); }, "p3"),
                                               spawn(gets, "getter")};
        const auto joiner = spawn(joins, "joiner");
        sleep(0s);
        sleep(0s);
        sleep(0s);
        queue.shutdown(immediate);
        log("shut down, size " + std::to_string(queue.qsize()));
        const auto done = [&] { queue.task_done(); };
        log.attempt("task_done", done);
        log.attempt("put", [&] { queue.put(8); });
        log.join_all(tasks);
        log.attempt("task_done", done);
        log.attempt("task_done", done);
        await(joiner);
    }
}

struct Job {
    int priority;
    int number;
    bool operator<(const Job& other) const { return priority < other.priority; }
};

void priority_queue_orders(Log& log) {
    PriorityQueue<Job> queue(6);
    const auto puts = [&](int first) {
        for (int i = 0; i < 8; ++i) {
            queue.put(Job{(first + i * 5) % 3, first + i});
            log("put " + text(first + i));
        }
    };
    const auto gets = [&](int count) {
        for (int i = 0; i < count; ++i) {
            const Job job = queue.get();
            log("got " + text(job.priority) + "/" + text(job.number));
            if (job.number % 3 == 0) {
                sleep(1s);
            }
            queue.task_done();
        }
    };
    const std::vector<Task<void>> tasks = {spawn([&] { puts(0); }, "p0"), spawn([&] { gets(5); }, "g0"),
                                           spawn([&] { puts(10); }, "p1"), spawn([&] { gets(11); }, "g1")};
    queue.join();
    log("joined, size " + std::to_string(queue.qsize()));
    for (const Task<void>& task : tasks) {
        await(task);
    }
}

void lifo_queue_cancelled_and_shut_down(Log& log) {
    LifoQueue<int> queue(3);
    const auto puts = [&](int item) {
        log.watch("put " + text(item), [&] { queue.put(item); });
        log("put " + text(item));
    };
    const auto gets = [&] {
        for (;;) {
            const int item = log.watch("get", [&] { return queue.get(); });
            log("got " + text(item));
            sleep(0s);
        }
    };
    std::vector<Task<void>> tasks;
    for (int n = 0; n < 6; ++n) {
        tasks.push_back(spawn([&puts, n] { puts(n); }, "p" + text(n)));
    }
    sleep(0s);
    log("got " + text(queue.get_nowait()));
    tasks[3].cancel("after the wake-up");
    tasks.push_back(spawn(gets, "g0"));
    tasks.push_back(spawn(gets, "g1"));
    sleep(0s);
    tasks[4].cancel("while waiting");
    for (int i = 0; i < 3; ++i) {
        sleep(0s);
    }
    queue.put_nowait(8);
    queue.put_nowait(9);
    queue.shutdown();
    log("shut down, size " + std::to_string(queue.qsize()));
    log.join_all(tasks);
}

}  // namespace

std::vector<Program> queue_programs() {
    return {
        {"queue_hands_over", queue_hands_over, {}},
        {"queue_item_is_stolen", queue_item_is_stolen, {}},
        {"queue_getter_cancelled", queue_getter_cancelled, {}},
        {"queue_putter_cancelled", queue_putter_cancelled, {}},
        {"queue_shut_down", queue_shut_down, {}},
        {"priority_queue_orders", priority_queue_orders, {}},
        {"lifo_queue_cancelled_and_shut_down", lifo_queue_cancelled_and_shut_down, {}},
    };
}

}  // namespace mishap::test
