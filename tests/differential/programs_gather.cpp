// gather; programs_gather.py is its twin.

#include <mishap/primitives/gather.hpp>

#include "differential/program.hpp"

namespace mishap::test {

namespace {

using namespace std::chrono_literals;

/// A function that sleeps, then returns or fails.
auto worker(Log& log, int result, std::chrono::seconds delay, const char* failure = nullptr) {
    return [&log, result, delay, failure] {
        log("begins " + text(result));
        log.watch("work " + text(result), [&] { sleep(delay); });
        if (failure != nullptr) {
            boom(failure);
        }
        log("ends " + text(result));
        return result;
    };
}

void gather_results(Log& log) {
    const auto done = get_running_loop().create_future<int>();
    done.set_result(0);
    const auto shared = spawn(worker(log, 9, 1s), "shared");
    // More than four: a range. Tasks are made in the order of the elements.
    const std::vector<Future<int>> all = {create_task(worker(log, 1, 2s)), shared,
                                          create_task(worker(log, 2, 0s)), done, shared};
    std::string line;
    for (const int result : gather(all)) {
        line += (line.empty() ? "" : " ") + text(result);
    }
    log(line);
    const auto soon = spawn([&] { log("has its turn"); }, "soon");
    gather(done, shared);
    log("all done already: no yield");
    gather();
    log("no arguments: no yield");
    await(soon);
}

void gather_failure(Log& log) {
    const auto slow = spawn(worker(log, 3, 3s), "g3");
    const auto failing = spawn(worker(log, 1, 1s, "first"), "g1");
    const auto other = spawn(worker(log, 2, 2s, "second"), "g2");
    const auto all_of_them = [&] { gather(slow, failing, other); };
    log.attempt("gather", all_of_them);
    log("the others go on: " + truth(slow.done()) + " " + truth(other.done()));
    log.attempt("slow", [&] { await(slow); });
    log.attempt("gather again", all_of_them);
}

bool is_cancellation(const std::exception_ptr& exception) {
    return describe(exception).rfind("cancelled", 0) == 0;
}

void gather_exceptions(Log& log) {
    const auto good = spawn(worker(log, 1, 1s), "g1");
    const auto failing = spawn(worker(log, 2, 2s, "fails"), "g2");
    const auto third = spawn(worker(log, 5, 5s), "g5");
    get_running_loop().call_later(3s, [&] { third.cancel("child"); });
    const auto [first, second, last] = gather(return_exceptions, good, failing, third);
    log(text(first.value()) + " " + truth(describe(second.exception()) == "failed: fails") + " " +
        truth(is_cancellation(last.exception())));
    Task<int> cancelled;
    const auto without = [&] { gather(worker(log, 6, 1s), cancelled); };
    cancelled = spawn(worker(log, 7, 1s), "cancelled");
    cancelled.cancel("before");
    log.attempt("a cancelled child", without);
    log("asked " + text(current_task().cancelling()));
    sleep(2s);
}

void gather_cancelled(Log& log) {
    const auto slow_to_leave = [&](int delay) {
        return [&log, delay] {
            const std::string name = "c" + text(delay);
            try {
                log.watch(name, [] { sleep(10s); });
            } catch (const CancelledError&) {
                sleep(std::chrono::seconds(delay));
                log(name + " has left");
                throw;
            }
        };
    };
    for (const bool returns_exceptions : {false, true}) {
        std::vector<Task<void>> children;
        for (const int n : {2, 1, 3}) {
            children.push_back(spawn(slow_to_leave(n), "c" + text(n)));
        }
        const auto gathers = [&] {
            if (returns_exceptions) {
                gather(return_exceptions, children);
            } else {
                gather(children);
            }
        };
        const auto task = spawn([&] { log.watch("gather", gathers); }, "gatherer");
        sleep(1s);
        task.cancel();
        log.attempt("join", [&] { await(task); });
        sleep(4s);
    }
}

void gather_cancelled_late(Log& log) {
    EventLoop& loop = get_running_loop();
    std::vector<Future<int>> futures = {loop.create_future<int>(), loop.create_future<int>()};
    const auto gathers = [&] { gather(futures); };
    const auto attempts = [&] { log.attempt("gather", gathers); };
    auto task = spawn(attempts, "gatherer");
    sleep(0s);
    futures[0].set_result(1);
    futures[1].set_result(2);
    log("cancel " + truth(task.cancel()));
    await(task);
    futures = {loop.create_future<int>(), loop.create_future<int>()};
    task = spawn(attempts, "gatherer");
    sleep(0s);
    futures[0].set_exception(std::make_exception_ptr(Boom("first")));
    futures[1].cancel();
    sleep(0s);
    log("cancel " + truth(task.cancel()));
    await(task);
}

}  // namespace

std::vector<Program> gather_programs() {
    return {
        {"gather_results", gather_results, {}},
        {"gather_failure", gather_failure, {}},
        {"gather_exceptions", gather_exceptions, {}},
        {"gather_cancelled", gather_cancelled, {}},
        {"gather_cancelled_late", gather_cancelled_late, {}},
    };
}

}  // namespace mishap::test
