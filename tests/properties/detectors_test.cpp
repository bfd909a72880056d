// Every detector has a program in which it must fire, and its repaired twin in which it must not.

#include <memory>
#include <mutex>

#include <mishap/loop/async_generator.hpp>
#include <mishap/loop/coro.hpp>
#include <mishap/loop/detail/open_resource.hpp>
#include <mishap/primitives/primitives.hpp>
#include <mishap/primitives/shared.hpp>
#include <mishap/properties/claims.hpp>
#include <mishap/properties/explore.hpp>

#include "../loop/child_process.hpp"
#include "outcomes.hpp"

namespace mishap {
namespace {

using namespace std::chrono_literals;
using test::contains;
using test::every_order;
using test::tells;
using test::verdict;

[[gnu::noinline]] void write_carelessly(Shared<int>& n) {
    n.store(1);
    n.store(2);
}
[[gnu::noinline]] int read_carelessly(Shared<int>& n) { return n.load() + 1; }

bool notes(const Report& report, FindingKind kind) {
    return std::any_of(report.notes.begin(), report.notes.end(), [&](const Note& note) { return note.kind == kind; });
}

}  // namespace

TEST_CASE("an exception out of the program is a finding, one that is caught is none") {
    const Report report = explore([] { throw std::runtime_error("broken"); }, every_order());
    CHECK(verdict(report) == "exception");
    CHECK(contains(report.finding->what, "runtime_error"));
    CHECK(verdict(explore(
              [] {
                  try {
                      throw std::runtime_error("broken");
                  } catch (const std::runtime_error&) {
                  }
              },
              every_order())) == "passes");
}

TEST_CASE("an exception of a task is main's when main awaits it") {
    const auto program = [] { await(create_task([] { throw std::runtime_error("in a task"); })); };
    CHECK(contains(explore(program).finding->what, "in a task"));
}

TEST_CASE("a cancellation that the program asked for and lets out of main is a finding") {
    const auto program = [] {
        auto task = create_task([] { sleep(1h); });
        task.cancel();
        await(task);
    };
    CHECK(contains(explore(program).finding->what, "CancelledError"));
}

TEST_CASE("a failed check is a finding with place and task, a claim that holds is none") {
    const auto program = [](bool holds) {
        return [holds] { await(create_task([holds] { always(holds, "it holds"); }, {.name = "checker"})); };
    };
    const Report report = explore(program(false), every_order());
    CHECK(verdict(report) == "check failed");
    CHECK(contains(report.finding->what, "it holds"));
    CHECK(contains(report.finding->place.file, "detectors_test.cpp"));
    CHECK(tells(report, "main/checker"));
    CHECK(verdict(explore(program(true), every_order())) == "passes");
}

TEST_CASE("a task stops at its failed check") {
    bool went_on = false;
    explore([&] {
        always(false, "no");
        went_on = true;
    });
    CHECK_FALSE(went_on);
}

TEST_CASE("a check that fails in a callback is a finding") {
    const auto program = [] {
        get_running_loop().call_soon([] { always(false, "in a callback"); });
        sleep(1s);
    };
    CHECK(verdict(explore(program, every_order())) == "check failed");
}

TEST_CASE("what must not be reached is a finding only if it is") {
    const auto program = [](bool reaches) {
        return [reaches] {
            if (reaches) {
                unreachable("this branch");
            }
        };
    };
    const Report report = explore(program(true), every_order());
    CHECK(verdict(report) == "check failed");
    CHECK(contains(report.finding->what, "this branch"));
    CHECK(verdict(explore(program(false), every_order())) == "passes");
}

TEST_CASE("outside of runs a false claim throws") {
    CHECK_THROWS_AS(always(false, "no"), std::logic_error);
    CHECK_THROWS_AS(unreachable("no"), std::logic_error);
    CHECK_NOTHROW(always(true, "yes"));
}

TEST_CASE("two locks taken in two orders are a deadlock that names the cycle, the waits and the holders") {
    const auto program = [](bool ordered) {
        return [ordered] {
            Lock first("first");
            Lock second("second");
            const auto take = [](Lock& one, Lock& other) {
                const auto outer = one.guard();
                sleep(0s);
                const auto inner = other.guard();
            };
            const auto a = create_task([&] { take(first, second); }, {.name = "a"});
            const auto b = create_task(
                [&] {
                    for (int i = 0; i < 3; ++i) {
                        sleep(0s);
                    }
                    ordered ? take(first, second) : take(second, first);
                },
                {.name = "b"});
            await(a);
            await(b);
        };
    };
    const Report report = explore(program(false));
    INFO(report.to_text());
    CHECK(verdict(report) == "deadlock");
    CHECK(report.finding->label == "cycle");
    CHECK(tells(report, "cycle: main/a -> main/b -> main/a"));
    CHECK(tells(report, "main/a waits for Lock 'second', held by main/b [locked, waiters:1]"));
    CHECK(tells(report, "main/b waits for Lock 'first', held by main/a"));
    CHECK(tells(report, "in Lock.acquire at "));
    CHECK(tells(report, "main waits for task main/a"));
    CHECK(verdict(explore(program(true), every_order())) == "passes");
}

TEST_CASE("a task that waits for itself in a combinator is a cycle of one") {
    const auto verdict_of = [](auto wait_for_it) {
        return explore([wait_for_it] {
            Task<void> self;
            self = create_task([&] { wait_for_it(self); }, {.name = "self"});
            await(self);
        });
    };
    const auto told = [](const Report& report) {
        return report.finding.has_value() && report.finding->what == "a task waits for itself" &&
               tells(report, "cycle: main/self -> main/self");
    };
    CHECK(told(verdict_of([](const Task<void>& self) { gather(self); })));
    CHECK(told(verdict_of([](const Task<void>& self) { wait({self}); })));
    CHECK(told(verdict_of([](const Task<void>& self) { await(shield(self)); })));
}

TEST_CASE("tasks that await each other are a cycle") {
    const auto program = [] {
        Task<void> a;
        Task<void> b;
        a = create_task([&] { await(b); }, {.name = "a"});
        b = create_task([&] { await(a); }, {.name = "b"});
        await(a);
    };
    const Report report = explore(program);
    CHECK(verdict(report) == "deadlock");
    CHECK(report.finding->label == "cycle");
}

TEST_CASE("a task that waits for what nobody will do is stuck, if somebody does it, it is not") {
    const auto program = [](bool sets) {
        return [sets] {
            Event event("news");
            const auto waiter = create_task([&] { event.wait(); }, {.name = "waiter"});
            if (sets) {
                event.set();
            }
            await(waiter);
        };
    };
    const Report report = explore(program(false), every_order());
    CHECK(verdict(report) == "deadlock");
    CHECK(report.finding->label == "stuck");
    CHECK(tells(report, "main/waiter waits for Event 'news' [unset, waiters:1]"));
    CHECK(tells(report, "in Event.wait at "));
    CHECK(verdict(explore(program(true), every_order())) == "passes");
}

TEST_CASE("a future that nobody completes makes its waiter stuck") {
    const Report report = explore([] { await(get_running_loop().create_future<int>()); });
    CHECK(verdict(report) == "deadlock");
    CHECK(tells(report, "nobody has completed"));
}

TEST_CASE("an await stack tells the levels, outermost first") {
    const Report report = explore([] {
        Event never("never");
        TaskGroup group;
        task_group([&](TaskGroup& tasks) { tasks.create_task([&] { never.wait(); }, {.name = "child"}); });
    });
    CHECK(verdict(report) == "deadlock");
    CHECK(tells(report, "main/child waits for Event 'never'"));
}

TEST_CASE("a write of what was read before another write is a lost update, under a lock it is none") {
    const auto program = [](bool locks) {
        return [locks] {
            Shared<int> value(0, "balance");
            Lock lock;
            const auto add = [&](int times) {
                for (int i = 0; i < times; ++i) {
                    sleep(0s);
                }
                const auto guard = locks ? lock.guard() : std::unique_lock<Lock>();
                const int read = value.load();
                sleep(0s);
                value.store(read + 1);
            };
            const auto a = create_task([&] { add(0); }, {.name = "a"});
            const auto b = create_task([&] { add(1); }, {.name = "b"});
            await(a);
            await(b);
        };
    };
    const Report report = explore(program(false));
    INFO(report.to_text());
    CHECK(verdict(report) == "lost update");
    CHECK(report.mishaps.size() == 1);
    CHECK(contains(report.finding->what, "balance"));
    CHECK(contains(report.finding->place.file, "detectors_test.cpp"));
    CHECK(verdict(explore(program(true), every_order())) == "passes");
}

TEST_CASE("a program that never comes to an end is over its budget of steps, one that does is not") {
    const auto program = [](bool ends) {
        return [ends] {
            for (int i = 0; !ends || i < 10; ++i) {
                sleep(0s);
            }
        };
    };
    ExploreOptions options = every_order();
    options.steps_max = 100;
    const Report report = explore(program(false), options);
    CHECK(verdict(report) == "over budget");
    CHECK(contains(report.finding->what, "100 steps"));
    CHECK(verdict(explore(program(true), options)) == "passes");
}

TEST_CASE("a program that sleeps beyond its time is over its budget of time, one that just fits is not") {
    const auto program = [](std::chrono::nanoseconds delay) { return [delay] { sleep(delay); }; };
    ExploreOptions options = every_order();
    options.time_max = 1h;
    CHECK(verdict(explore(program(1h + 1ns), options)) == "over budget");
    CHECK(verdict(explore(program(1h), options)) == "passes");
}

TEST_CASE("the longest delay there is does not wrap around") {
    CHECK(verdict(explore([] {
              sleep(1s);
              sleep(std::chrono::nanoseconds::max());
          })) == "over budget");
}

TEST_CASE("a primitive destroyed under its waiters is a finding, one that outlives them is none") {
    const auto program = [](bool outlives) {
        return [outlives] {
            auto event = std::make_unique<Event>("short-lived");
            const auto waiter = create_task([&] { event->wait(); }, {.name = "waiter"});
            sleep(1s);
            if (outlives) {
                event->set();
                await(waiter);
            }
            event.reset();
        };
    };
    const Report report = explore(program(false), every_order());
    CHECK(verdict(report) == "primitive destroyed while in use");
    CHECK(contains(report.finding->what, "short-lived"));
    CHECK(tells(report, "main/waiter"));
    CHECK(verdict(explore(program(true), every_order())) == "passes");
}

TEST_CASE("a task left behind is a note, a finding on request, one that is awaited is neither") {
    const auto program = [](bool awaits) {
        return [awaits] {
            const auto left = create_task([] { sleep(1h); }, {.name = "left"});
            if (awaits) {
                await(left);
            }
        };
    };
    const Report noted = explore(program(false), every_order());
    CHECK(noted.passed());
    CHECK(notes(noted, FindingKind::leaked_task));
    ExploreOptions strict = every_order();
    strict.leaks_are_findings = true;
    const Report found = explore(program(false), strict);
    CHECK(verdict(found) == "leaked task");
    CHECK(contains(found.finding->what, "sleep at "));
    const Report clean = explore(program(true), strict);
    CHECK(verdict(clean) == "passes");
    CHECK_FALSE(notes(clean, FindingKind::leaked_task));
}

TEST_CASE("an exception that nobody looks at is a note, a finding on request, one that is looked at is neither") {
    const auto program = [](bool looks) {
        return [looks] {
            const auto task = create_task([] { throw std::runtime_error("unseen"); }, {.name = "thrower"});
            sleep(1s);
            if (looks) {
                static_cast<void>(task.exception());
            }
        };
    };
    const Report noted = explore(program(false), every_order());
    CHECK(noted.passed());
    CHECK(notes(noted, FindingKind::never_retrieved));
    ExploreOptions strict = every_order();
    strict.leaks_are_findings = true;
    CHECK(verdict(explore(program(false), strict)) == "exception never retrieved");
    const Report clean = explore(program(true), strict);
    CHECK(verdict(clean) == "passes");
    CHECK_FALSE(notes(clean, FindingKind::never_retrieved));
}

TEST_CASE("a report names every primitive that somebody waits on, with its statistics") {
    const Report report = explore(
        [] {
            Lock lock("lock");
            Event event("event");
            Condition condition("condition");
            Semaphore semaphore(0, "semaphore");
            BoundedSemaphore bounded(1, "bounded");
            Barrier barrier(3, "barrier");
            Queue<int> empty(0, "empty");
            Queue<int> full(1, "full");
            LifoQueue<int> lifo(0, "lifo");
            PriorityQueue<int> priority(0, "priority");
            AsyncResult<int> answer("answer");
            Pool pool(1, "pool");
            lock.acquire();
            bounded.acquire();
            full.put_nowait(1);
            pool.spawn([&] { event.wait(); });
            task_group([&](TaskGroup& group) {
                group.create_task([&] { lock.acquire(); });
                group.create_task([&] { event.wait(); });
                group.create_task([&] {
                    const auto guard = condition.guard();
                    condition.wait();
                });
                group.create_task([&] { semaphore.acquire(); });
                group.create_task([&] { bounded.acquire(); });
                group.create_task([&] { barrier.wait(); });
                group.create_task([&] { empty.get(); });
                group.create_task([&] { full.put(2); });
                group.create_task([&] { full.join(); });
                group.create_task([&] { lifo.get(); });
                group.create_task([&] { priority.get(); });
                group.create_task([&] { answer.get(); });
                group.create_task([&] { pool.spawn([] {}); });
            });
        },
        {.runs_max = 1, .shrink = false});
    CHECK(verdict(report) == "deadlock");
    for (const char* const line : {
             "waits for Lock 'lock', held by main [locked, waiters:1]",
             "waits for Event 'event' [unset, waiters:2]",
             "waits for Condition 'condition' [unlocked, waiters:1]",
             "waits for Semaphore 'semaphore' [locked, waiters:1]",
             "waits for BoundedSemaphore 'bounded' [locked, waiters:1]",
             "waits for Barrier 'barrier' [filling, waiters:1/3]",
             "waits for an item in Queue 'empty' [size:0, getters:1]",
             "waits for room in Queue 'full' [size:1/1, putters:1, joiners:1, tasks:1]",
             "waits for an item in LifoQueue 'lifo' [size:0, getters:1]",
             "waits for an item in PriorityQueue 'priority' [size:0, getters:1]",
             "waits for AsyncResult 'answer' [not ready, waiters:1]",
             "waits for Semaphore 'pool' [locked, waiters:1]",
         }) {
        INFO(line);
        CHECK(tells(report, line));
    }
}

TEST_CASE("a coroutine that is never awaited is a note, a finding on request, one that is awaited is neither") {
    const auto program = [](bool awaits) {
        return [awaits] {
            auto coroutine = []() -> Coro<int> { co_return 1; }();
            if (awaits) {
                await(std::move(coroutine));
            }
        };
    };
    const Report noted = explore(program(false), every_order());
    CHECK(noted.passed());
    CHECK(notes(noted, FindingKind::never_awaited));
    ExploreOptions strict = every_order();
    strict.leaks_are_findings = true;
    CHECK(verdict(explore(program(false), strict)) == "never awaited");
    const Report clean = explore(program(true), strict);
    CHECK(verdict(clean) == "passes");
    CHECK_FALSE(notes(clean, FindingKind::never_awaited));
}

TEST_CASE("a generator that is not closed is a note, a finding on request, one that is closed is neither") {
    const auto program = [](bool closes) {
        return [closes] {
            auto numbers = []() -> AsyncGenerator<int> {
                co_yield 1;
                co_yield 2;
            }();
            numbers.next_here();
            if (closes) {
                await(numbers.aclose());
            }
        };
    };
    CHECK(notes(explore(program(false), every_order()), FindingKind::unclosed));
    ExploreOptions strict = every_order();
    strict.leaks_are_findings = true;
    CHECK(verdict(explore(program(false), strict)) == "never closed");
    const Report clean = explore(program(true), strict);
    CHECK(verdict(clean) == "passes");
    CHECK_FALSE(notes(clean, FindingKind::unclosed));
}

TEST_CASE("debug mode notes slow steps, tasks that nobody looks at and what is not closed, and nothing else") {
    const auto program = [](bool is_careless) {
        return [is_careless] {
            EventLoop& loop = get_running_loop();
            loop.set_debug(true);
            detail::OpenResource file(loop, "file 'log'");
            const auto task = create_task([&loop, is_careless] { loop.busy_for(is_careless ? 100ms : 99ms); }, {.name = "worker"});
            sleep(1s);
            if (!is_careless) {
                await(task);
                file.close();
            }
        };
    };
    const Report careless = explore(program(true), every_order());
    CHECK(careless.passed());
    CHECK(notes(careless, FindingKind::slow_step));
    CHECK(notes(careless, FindingKind::never_awaited));
    CHECK(notes(careless, FindingKind::unclosed));
    CHECK(contains(careless.to_text(), "a step of task main/worker took 0.100 s"));
    CHECK(contains(careless.to_text(), "unclosed file 'log'"));
    const Report careful = explore(program(false), every_order());
    for (const FindingKind kind : {FindingKind::slow_step, FindingKind::never_awaited, FindingKind::unclosed}) {
        CHECK_FALSE(notes(careful, kind));
    }
}

TEST_CASE("a call from the wrong thread is a finding with who made it, call_soon_threadsafe is none") {
    const auto program = [](bool is_safe) {
        return [is_safe] {
            EventLoop& loop = get_running_loop();
            const auto done = loop.create_future<void>();
            Thread caller(
                [&] {
                    const auto finish = [done] { done.set_result(); };
                    if (is_safe) {
                        loop.call_soon_threadsafe(finish);
                    } else {
                        loop.call_soon(finish);
                    }
                },
                {.name = "caller"});
            await(done);
        };
    };
    const Report report = explore(program(false), every_order());
    CHECK(verdict(report) == "call from the wrong thread");
    CHECK(contains(report.finding->what, "thread main/caller used a loop of another thread"));
    CHECK(verdict(explore(program(true), every_order())) == "passes");
}

TEST_CASE("a step that never returns is ended with its stack, steps that do return are left alone", "[real]") {
    const auto hung = detail::run_in_child([] {
        explore(
            [] {
                volatile bool is_over = false;  // a loop without side effects might be left out
                while (!is_over) {
                }
            },
            {.name = "spinning", .step_time_max = 1s, .confirm_in_child = false});
    });
    CHECK(hung.exit_code == 1);
    CHECK(contains(hung.error_output, "spinning"));
    CHECK(contains(hung.error_output, "never returned"));
    const auto busy = detail::run_in_child([] {
        // Many short runs: a look at the clock may well see the same step number each time.
        const Report report = explore(
            [] {
                const auto a = create_task([] { sleep(0s); });
                await(a);
            },
            {.step_time_max = 4ms, .strategy = Strategy::random, .runs_max = 30'000});
        _exit(report.passed() ? 0 : 3);
    });
    CHECK(busy.exit_code == 0);
}

TEST_CASE("a race of threads is told with both places and both stacks") {
    const Report report = explore([] {
        Shared<int> n{0, "n"};
        Thread writer([&] { write_carelessly(n); }, {.name = "writer"});
        Thread reader([&] { read_carelessly(n); }, {.name = "reader"});
        writer.join();
        reader.join();
    });
    REQUIRE(verdict(report) == "race");
    for (const char* const part : {"main/writer writes it in its step", "main/reader reads it in its step", "detectors_test.cpp",
                                   "write_carelessly", "read_carelessly"}) {
        INFO(part);
        CHECK(tells(report, part));
    }
}

}  // namespace mishap
