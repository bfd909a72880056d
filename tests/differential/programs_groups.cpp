// TaskGroup; programs_groups.py is its twin.

#include <mishap/primitives/task_group.hpp>
#include <mishap/primitives/timeout.hpp>

#include "differential/program.hpp"

namespace mishap::test {

namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

struct Work {
    seconds delay;
    const char* failure = nullptr;
    std::optional<seconds> cleanup = std::nullopt;
};

auto worker(Log& log, Work work) {
    return [&log, work] {
        log("begins");
        bool is_cancelled = false;
        try {
            log.watch("work", [&] { sleep(work.delay); });
        } catch (const CancelledError&) {
            if (!work.cleanup.has_value()) {
                throw;
            }
            is_cancelled = true;
        }
        if (is_cancelled) {
            sleep(*work.cleanup);
            boom("in cleanup");
        }
        if (work.failure != nullptr) {
            boom(work.failure);
        }
        log("ends");
        return static_cast<int>(work.delay.count());
    };
}

void group_succeeds(Log& log) {
    Task<int> first;
    TaskGroup outer;
    outer.run([&](TaskGroup& group) {
        first = group.create_task(worker(log, {2s}), {.name = "first"});
        group.create_task(
            [&] {
                sleep(1s);
                group.create_task(worker(log, {3s}), {.name = "grandchild"});
            },
            {.name = "spawns"});
        log("body ends");
    });
    log("all done, first " + text(first.result()));
    task_group([&] { log("empty"); });
    log("an empty group does not yield");
    log.attempt("create_task in a finished group",
                [&] { outer.create_task(worker(log, {1s}), {.name = "late"}); });
}

void group_child_fails(Log& log) {
    const auto in_the_body = [&](TaskGroup& group) {
        group.create_task(worker(log, {1s, "one"}), {.name = "fails"});
        group.create_task(worker(log, {5s}), {.name = "sibling"});
        group.create_task(worker(log, {5s, nullptr, 1s}), {.name = "cleans up"});
        log.watch("body", [] { sleep(9s); });
    };
    const auto in_the_wait = [&](TaskGroup& group) {
        group.create_task(worker(log, {1s, "one"}), {.name = "fails"});
        group.create_task(worker(log, {1s, "two"}), {.name = "fails too"});
        group.create_task(worker(log, {1s}), {.name = "ends"});
        group.create_task(worker(log, {2s}), {.name = "sibling"});
    };
    for (const std::function<void(TaskGroup&)>& body :
         {std::function<void(TaskGroup&)>(in_the_body), {in_the_wait}}) {
        log.attempt("group", [&] { task_group(body); });
        log("asked " + text(current_task().cancelling()));
        log.attempt("next wait", [] { sleep(0s); });
    }
}

void group_body_fails(Log& log) {
    const auto fails = [&](TaskGroup& group) {
        group.create_task(worker(log, {3s}), {.name = "child"});
        group.create_task(worker(log, {3s, nullptr, 2s}), {.name = "cleans up"});
        sleep(1s);
        boom("body");
    };
    const auto fails_at_once = [&](TaskGroup& group) {
        group.create_task(worker(log, {3s}), {.name = "never begins"});
        boom("body");
    };
    const auto spawns_while_shutting_down = [&](TaskGroup& group) {
        group.create_task(
            [&] {
                try {
                    sleep(5s);
                } catch (const CancelledError&) {
                    try {
                        group.create_task(worker(log, {1s}));
                    } catch (const UsageError&) {
                        log("refused");
                    }
                    throw;
                }
            },
            {.name = "spawns"});
        sleep(0s);
        boom("body");
    };
    log.attempt("group", [&] { task_group(fails); });
    log.attempt("group", [&] { task_group(fails_at_once); });
    log.attempt("group", [&] { task_group(spawns_while_shutting_down); });
}

void group_cancelled(Log& log) {
    const auto in_the_body = [&](TaskGroup& group) {
        group.create_task(worker(log, {5s}), {.name = "child"});
        log.watch("body", [] { sleep(9s); });
    };
    const auto in_the_wait = [&](TaskGroup& group) {
        group.create_task(worker(log, {5s}), {.name = "child"});
        group.create_task(worker(log, {6s}), {.name = "other"});
    };
    const auto with_a_failure = [&](TaskGroup& group) {
        group.create_task(worker(log, {5s, nullptr, 1s}), {.name = "cleans up"});
    };
    const auto twice = [&](TaskGroup& group) {
        group.create_task(worker(log, {5s, nullptr, 2s}), {.name = "cleans up"});
    };
    const auto run = [&](auto& body, bool is_cancelled_twice) {
        const auto task = spawn(
            [&] {
                log.attempt("group", [&] { task_group(body); });
                log("asked " + text(current_task().cancelling()));
                log.watch("next wait", [] { sleep(1s); });
            },
            "runs");
        sleep(1s);
        task.cancel("outside");
        if (is_cancelled_twice) {
            sleep(1s);
            task.cancel("again");
        }
        log.attempt("join", [&] { await(task); });
    };
    run(in_the_body, false);
    run(in_the_wait, false);
    run(with_a_failure, false);
    run(twice, true);
}

void group_cancelled_as_it_fails(Log& log) {
    EventLoop& loop = get_running_loop();
    Task<void> task;
    const auto cancels = [&] { log("cancels " + truth(task.cancel())); };
    const auto runs = [&](bool has_body) {
        const auto group_of_one = [&](TaskGroup& group) {
            group.create_task(worker(log, {2s, "child"}), {.name = "child"});
            if (has_body) {
                log.watch("body", [] { sleep(9s); });
            }
        };
        log.attempt("group", [&] { task_group(group_of_one); });
        log("asked " + text(current_task().cancelling()));
        log.attempt("next wait", [] { sleep(1s); });
    };
    for (const bool has_body : {true, false}) {
        for (const bool early : {true, false}) {
            if (early) {
                loop.call_later(2s, cancels);
            }
            task = spawn([&runs, has_body] { runs(has_body); }, "runs");
            if (!early) {
                loop.call_later(2s, [&] { loop.call_soon(cancels); });
            }
            log.attempt("join", [&] { await(task); });
        }
    }
    const auto races = [&](TaskGroup& group) {
        group.create_task(
            [&] {
                sleep(0s);
                loop.call_soon(cancels);
                boom("child");
            },
            {.name = "child"});
        log.watch("body", [] { sleep(9s); });
    };
    task = spawn([&] { log.watch("group", [&] { task_group(races); }); }, "races");
    log.attempt("join", [&] { await(task); });
}

void groups_nested(Log& log) {
    const auto inner_fails = [&] {
        task_group([&](TaskGroup& outer) {
            outer.create_task(worker(log, {5s}), {.name = "outer child"});
            log.watch("inner group", [&] {
                task_group([&](TaskGroup& group) {
                    group.create_task(worker(log, {1s, "inner"}), {.name = "inner child"});
                    group.create_task(worker(log, {3s}), {.name = "inner sibling"});
                });
            });
        });
    };
    const auto outer_fails = [&] {
        task_group([&](TaskGroup& outer) {
            outer.create_task(worker(log, {1s, "outer"}), {.name = "outer child"});
            log.watch("inner group", [&] {
                task_group([&](TaskGroup& group) {
                    group.create_task(worker(log, {3s}), {.name = "inner child"});
                    log.watch("inner body", [] { sleep(5s); });
                });
            });
        });
    };
    const auto under_a_timeout = [&] {
        timeout(2s, [&] {
            task_group([&](TaskGroup& group) {
                group.create_task(worker(log, {2s, "at the deadline"}), {.name = "child"});
                log.watch("body", [] { sleep(5s); });
            });
        });
    };
    const auto run = [&](const auto& body) {
        log.attempt("outer group", body);
        log("asked " + text(current_task().cancelling()));
    };
    run(inner_fails);
    run(outer_fails);
    run(under_a_timeout);
}

}  // namespace

std::vector<Program> group_programs() {
    return {
        {"group_succeeds", group_succeeds, {}},
        {"group_child_fails", group_child_fails, {}},
        {"group_body_fails", group_body_fails, {}},
        {"group_cancelled", group_cancelled, {}},
        {"group_cancelled_as_it_fails", group_cancelled_as_it_fails, {}},
        {"groups_nested", groups_nested, {}},
    };
}

}  // namespace mishap::test
