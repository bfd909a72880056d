// Contexts, eager tasks, callbacks of futures, handlers and stops; programs_contexts.py is its twin.

#include <mishap/loop/context.hpp>

#include "differential/program.hpp"

namespace mishap::test {

namespace {

using namespace std::chrono_literals;

const ContextVar<int> number{"number", 0};

template <class F>
auto spawn_eagerly(F&& function, std::string_view name) {
    return create_task(std::forward<F>(function), {.name = name, .eager_start = true});
}

void see(Log& log, const std::string& what) {
    log(what + ": " + text(number.get()));
    number.set(number.get() + 100);
}

void context_copies(Log& log) {
    EventLoop& loop = get_running_loop();
    number.set(1);
    const auto inner = [&] {
        see(log, "inner begins");
        sleep(1s);
        see(log, "inner ends");
    };
    const auto child = [&] {
        see(log, "child begins");
        const auto spawned = spawn(inner, "inner");
        sleep(0s);
        see(log, "child goes on");
        await(spawned);
    };
    const auto task = spawn(child, "child");
    loop.call_soon([&] { see(log, "soon"); });
    number.set(2);
    loop.call_later(1s, [&] { see(log, "later"); });
    loop.call_at(loop.time() + 2s, [&] { see(log, "at"); });
    number.set(3);
    const auto future = loop.create_future<void>();
    future.add_done_callback([&](const Future<void>&) { see(log, "done"); });
    number.set(4);
    future.set_result();
    see(log, "main");
    sleep(0s);
    see(log, "main again");
    await(task);
    sleep(2s);
    see(log, "main ends");
}

void context_given(Log& log) {
    EventLoop& loop = get_running_loop();
    number.set(1);
    const Context context = copy_context();
    number.set(2);
    const auto increments = [&] {
        see(log, "begins");
        sleep(0s);
        see(log, "goes on");
    };
    const auto first = loop.create_task(increments, {.name = "first", .context = context});
    const auto second = loop.create_task(increments, {.name = "second", .context = context});
    loop.call_soon([&] { see(log, "soon"); }, context);
    loop.call_later(1s, [&] { see(log, "later"); }, context);
    const auto future = loop.create_future<void>();
    future.add_done_callback([&](const Future<void>&) { see(log, "done"); }, context);
    future.set_result();
    await(first);
    await(second);
    sleep(1s);
    log("in the context: " + text(*context.get(number)));
    context.run([&] { see(log, "run"); });
    log("in the context: " + text(*context.get(number)));
    log("here: " + text(number.get()));
}

void eager_starts(Log& log) {
    EventLoop& loop = get_running_loop();
    const auto waits = [&] {
        log("begins");
        sleep(0s);
        log("goes on");
        sleep(1s);
        log("ends");
    };
    loop.call_soon([&] { log("soon"); });
    const auto usual = spawn(waits, "usual");
    const auto done = spawn_eagerly([&] { log("at once"); }, "done");
    log("done: " + truth(done.done()));
    const auto nesting = spawn_eagerly(
        [&] {
            log("nests");
            const auto inner = spawn_eagerly(waits, "inner");
            log("has nested");
            await(inner);
            log("inner has ended");
        },
        "nesting");
    const auto failing = spawn_eagerly([] { boom("eagerly"); }, "failing");
    log("failing: " + truth(failing.done()));
    const auto cancelled = spawn_eagerly(
        [&] {
            current_task().cancel("self");
            log("before the wait");
            log.watch("wait", [] { sleep(0s); });
        },
        "cancelled");
    log("all: " + text(static_cast<std::int64_t>(all_tasks().size())));
    log.join_all({usual, done, nesting, failing, cancelled});
    log("all: " + text(static_cast<std::int64_t>(all_tasks().size())));
}

void eager_from_callbacks(Log& log) {
    EventLoop& loop = get_running_loop();
    std::vector<Task<void>> made;
    const auto makes = [&](const std::string& name) {
        return [&, name] {
            log("makes " + name);
            made.push_back(spawn_eagerly(
                [&] {
                    log("begins");
                    sleep(0s);
                    log("ends");
                },
                name));
            log("has made " + name);
        };
    };
    loop.call_soon(makes("first"));
    loop.call_soon([&] { log("between"); });
    loop.call_later(1s, makes("second"));
    sleep(2s);
    for (const auto& task : made) {
        await(task);
    }
}

void eager_cancellation(Log& log) {
    auto future = get_running_loop().create_future<void>();
    const auto waits = [&] { log.watch("future", [&] { await(future); }); };
    const auto first = spawn_eagerly(waits, "first");
    first.cancel("one");
    log("cancelling: " + text(first.cancelling()));
    log("future cancelled: " + truth(future.cancelled()));
    log.join_all({first});
    future = get_running_loop().create_future<void>();
    const auto second = spawn_eagerly(
        [&] {
            log.attempt("future", [&] { await(future); });
            sleep(0s);
            log("goes on");
        },
        "second");
    const auto third = spawn_eagerly(waits, "third");
    future.set_result();
    second.cancel("two");
    third.cancel();
    log.join_all({second, third});
}

void eager_factory(Log& log) {
    EventLoop& loop = get_running_loop();
    loop.set_task_factory(eager_task_factory);
    const std::function<void(int)> chain = [&](int depth) {
        log("depth " + text(depth));
        if (depth == 0) {
            sleep(0s);
            log("bottom");
            return;
        }
        await(create_task([&chain, depth] { chain(depth - 1); }));
        log("back at " + text(depth));
    };
    chain(3);
    loop.set_task_factory(nullptr);
    chain(1);
}

/// A callback that can be told from others.
struct Says {
    void operator()(const Future<void>&) const { (*log)(what); }
    friend bool operator==(const Says&, const Says&) = default;
    Log* log;
    std::string what;
};

void done_callbacks(Log& log) {
    EventLoop& loop = get_running_loop();
    const auto future = loop.create_future<void>();
    const Says first{&log, "first"};
    const Says third{&log, "third"};
    const Says fourth{&log, "fourth"};
    const auto removed = [&](const Says& callback) {
        return text(static_cast<std::int64_t>(future.remove_done_callback(callback)));
    };
    future.add_done_callback(first);
    future.add_done_callback([&](const Future<void>&) {
        log("removes: " + removed(third));
        future.add_done_callback(fourth);
    });
    future.add_done_callback(third);
    future.add_done_callback(first);
    future.add_done_callback(fourth);
    log("removed: " + removed(first));
    log("removed: " + removed(first));
    const auto task = spawn([&] { log.attempt("future", [&] { await(future); }); }, "waiter");
    sleep(0s);
    future.add_done_callback(first);
    loop.call_soon([&] { log("before"); });
    future.set_result();
    loop.call_soon([&] { log("behind"); });
    task.cancel("late");
    sleep(0s);
    log("removed: " + removed(first));
    log.join_all({task});
}

void exception_handlers(Log& log) {
    EventLoop& loop = get_running_loop();
    number.set(1);
    loop.set_exception_handler([&](EventLoop&, const LoopException& what) {
        const std::string thrown = describe(what.exception);
        log("told " + thrown.substr(thrown.find(": ") + 2) + " in context " + text(number.get()));
        number.set(50);
    });
    const auto fails = [](const char* what) {
        return [what] {
            number.set(2);
            boom(what);
        };
    };
    loop.call_soon(fails("soon"));
    number.set(3);
    loop.call_later(1s, fails("later"));
    const auto future = loop.create_future<void>();
    future.add_done_callback([](const Future<void>&) { boom("done"); });
    future.set_result();
    loop.call_soon([&] { log("goes on"); });
    sleep(1s);
    loop.call_exception_handler({"by hand", std::make_exception_ptr(Boom("by hand"))});
    log("main: " + text(number.get()));
}

void stops(Log& log) {
    EventLoop& loop = log.loop;
    const auto counts = [&](const std::string& name) {
        return [&log, &loop, name] {
            for (int i = 0; i < 5; ++i) {
                log(name + " " + text(i));
                if (i == 2) {
                    loop.stop();
                }
                sleep(name == "slow" ? 1s : 0s);
            }
        };
    };
    const auto quick = loop.create_task(counts("quick"), {.name = "quick"});
    const auto slow = loop.create_task(counts("slow"), {.name = "slow"});
    for (int turn = 0; turn < 3; ++turn) {
        loop.call_soon([&] { log("in the run"); });
        loop.run_forever();
        log("stopped " + text(turn));
        if (turn == 1) {
            loop.stop();
            loop.stop();
        }
    }
    log.run(quick);
    log.run(slow);
    log.run(slow);
    loop.call_later(3s, [&] { loop.stop(); });
    loop.call_later(3s, [&] { log("due with the stop"); });
    loop.call_later(4s, [&] { log("due in the next run"); });
    loop.run_forever();
    log("stopped by a timer");
    loop.call_later(1s, [&] { loop.stop(); });
    loop.run_forever();
    log("stopped again");
}

}  // namespace

std::vector<Program> context_programs() {
    return {
        {"context_copies", context_copies, {}},
        {"context_given", context_given, {}},
        {"eager_starts", eager_starts, {}},
        {"eager_from_callbacks", eager_from_callbacks, {}},
        {"eager_cancellation", eager_cancellation, {}},
        {"eager_factory", eager_factory, {}},
        {"done_callbacks", done_callbacks, {}},
        {"exception_handlers", exception_handlers, {}},
        {"stops", {}, stops},
    };
}

}  // namespace mishap::test
