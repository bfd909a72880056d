// Sweeps: every await goes wrong once, and only what is wrong with the program is found.

#include <mishap/properties/sweep.hpp>

#include <memory>
#include <stdexcept>

#include <mishap/loop/coro.hpp>
#include <mishap/primitives/primitives.hpp>
#include <mishap/primitives/shared.hpp>
#include <mishap/properties/claims.hpp>
#include <mishap/sim/errors.hpp>

#include "outcomes.hpp"

namespace mishap {
namespace {

using namespace std::chrono_literals;
using test::contains;
using test::tells;

constexpr Sweep kinds[] = {Sweep::cancel, Sweep::timeout, Sweep::fail};

/// Waits for a task, however it ends.
template <class T>
void see_to(const T& task) {
    try {
        await(task);
    } catch (const CancelledError&) {
    } catch (const TimeoutError&) {
    } catch (const InjectedFailure&) {
    }
}

/// A user of a lock holds it across an await, with a guard or without one; a second user wants it too.
auto lock_program(bool has_guard) {
    return [has_guard] {
        const auto lock = std::make_shared<Lock>("door");
        const auto use = [lock, has_guard] {
            if (has_guard) {
                const auto guard = lock->guard();
                sleep(1s);
            } else {
                lock->acquire();
                sleep(1s);
                lock->release();
            }
        };
        const auto first = create_task(use, {.name = "first"});
        const auto second = create_task(use, {.name = "second"});
        see_to(first);
        see_to(second);
    };
}

Coro<void> use_in_coroutine(std::shared_ptr<Queue<int>> free) {
    const int item = free->get();
    co_await sleep(1s);
    free->put_nowait(item);
}

}  // namespace

TEST_CASE("every await of every task is swept once, then the program ends before the next") {
    const auto program = [] {
        sleep(1s);
        const auto child = create_task([] {
            sleep(0s);
            sleep(1s);
        });
        see_to(child);
    };
    for (const Sweep kind : kinds) {
        const Report report = sweep(program, kind);
        INFO(report.to_text());
        CHECK(report.passed());
        REQUIRE(report.swept.has_value());
        CHECK(report.swept->awaits == 4);
        CHECK(report.swept->failed == 0);
        CHECK(report.swept->is_complete);
        CHECK(report.search.runs == 5);
        CHECK(report.headline() == std::string("swept 4 awaits (") + to_text(kind) + "): all pass");
    }
}

TEST_CASE("what is not given back when an await goes wrong is found, with a guard nothing is") {
    for (const Sweep kind : kinds) {
        const Report report = sweep(lock_program(false), kind);
        INFO(report.to_text());
        REQUIRE_FALSE(report.passed());
        CHECK(report.finding->kind == FindingKind::stuck);
        CHECK(tells(report, "whose holder has ended"));
        CHECK(tells(report, "await 2 "));
        CHECK(tells(report, "sleep at "));
        CHECK(tells(report, "in main/first"));
        CHECK(report.swept->failed == 1);
        REQUIRE(report.swept->failures.size() == 1);
        CHECK(report.swept->failures[0].awaits == std::vector<std::uint64_t>{2});
        CHECK(contains(report.swept->failures[0].where, "sleep at tests/properties/sweep_test.cpp:"));
        CHECK(contains(report.swept->failures[0].where, " in main/first"));
        CHECK(contains(report.to_text(), report.swept->summary()));
        CHECK(contains(report.to_text(), "  await 2: deadlock"));
        const Report clean = sweep(lock_program(true), kind);
        INFO(clean.to_text());
        CHECK(clean.passed());
        CHECK(clean.swept->is_complete);
    }
}

TEST_CASE("what a sweep finds is replayed by its line, which holds the await") {
    for (const Sweep kind : kinds) {
        const Report report = sweep(lock_program(false), kind, {.name = "door"});
        CHECK(contains(report.replay_line, std::string("sweep=") + to_text(kind)));
        CHECK(contains(report.replay_line, "sweep@main/first#1[sleep]"));
        for (const std::string& line : {report.replay_line, report.swept->failures[0].replay_line}) {
            const Report again = replay(line, lock_program(false));
            REQUIRE_FALSE(again.passed());
            CHECK(again.finding->signature() == report.finding->signature());
            CHECK(again.matched == 1);
            CHECK(tells(again, "await 2 "));
            CHECK(replay(line, lock_program(true)).passed());
        }
    }
}

TEST_CASE("awaits of coroutines are swept as those of tasks are") {
    const auto program = [] {
        const auto free = std::make_shared<Queue<int>>();
        free->put_nowait(1);
        const auto first = create_task(use_in_coroutine(free), {.name = "first"});
        const auto second = create_task(use_in_coroutine(free), {.name = "second"});
        see_to(first);
        see_to(second);
        always(!free->empty(), "the item has come back");
    };
    for (const Sweep kind : kinds) {
        const Report report = sweep(program, kind);
        INFO(report.to_text());
        REQUIRE_FALSE(report.passed());
        CHECK(contains(report.swept->failures[0].where, "in main/second"));
        CHECK(report.swept->failures[0].awaits.front() == 4);
    }
    const auto whole = []() -> Coro<void> {
        co_await sleep(1s);
        co_await sleep(0s);
    };
    CHECK(sweep(whole, Sweep::timeout).swept->awaits == 2);
}

TEST_CASE("an error of the program's own that leaves main is a finding, whatever the sweep is about") {
    const auto program = [] {
        try {
            sleep(1s);
        } catch (const TimeoutError&) {
            throw TimeoutError("mine");
        } catch (const InjectedFailure&) {
            throw std::runtime_error("mine");
        }
    };
    CHECK(sweep(program, Sweep::cancel).passed());
    const Report timed_out = sweep(program, Sweep::timeout);
    REQUIRE_FALSE(timed_out.passed());
    CHECK(contains(timed_out.finding->what, "mine"));
    CHECK_FALSE(sweep(program, Sweep::fail).passed());
}

TEST_CASE("a group of nothing but what was injected is no finding, a group with another error is one") {
    const auto program = [](bool adds) {
        return [adds] {
            task_group([adds](TaskGroup& group) {
                group.create_task([] { sleep(1s); }, {.name = "a"});
                group.create_task(
                    [adds] {
                        try {
                            sleep(1s);
                        } catch (const CancelledError&) {
                            if (adds) {
                                throw std::logic_error("while it cleaned up");
                            }
                            throw;
                        }
                    },
                    {.name = "b"});
            });
        };
    };
    for (const Sweep kind : {Sweep::timeout, Sweep::fail}) {
        const Report report = sweep(program(false), kind);
        INFO(report.to_text());
        CHECK(report.passed());
        CHECK(report.swept->awaits == 2);  // the group itself waits on, whatever happens
        const Report mixed = sweep(program(true), kind);
        REQUIRE_FALSE(mixed.passed());
        CHECK(contains(mixed.finding->what, "while it cleaned up"));
    }
}

TEST_CASE("an error injected into a task that nobody looks at is no leftover of the program") {
    ExploreOptions strict;
    strict.leaks_are_findings = true;
    const auto program = [] {
        create_task([] { sleep(1s); });
        sleep(2s);
    };
    CHECK(sweep(program, Sweep::fail, strict).passed());
}

TEST_CASE("what is awaited is cancelled, and has ended, before the await throws") {
    const auto program = [] {
        const auto has_ended_owner = std::make_shared<bool>(false);
        bool& has_ended = *has_ended_owner;
        const auto child = create_task([&has_ended, has_ended_owner] {
            try {
                sleep(1h);
            } catch (const CancelledError&) {
                sleep(0s);
                has_ended = true;
                throw;
            } catch (const std::runtime_error&) {
                has_ended = true;  // its own await was the one
                throw;
            }
            has_ended = true;
        });
        sleep(0s);  // it begins
        try {
            await(child);
        } catch (const InjectedFailure&) {
        } catch (const TimeoutError&) {
        }
        always(has_ended, "the child has ended");
        always(current_task().cancelling() == 0, "nobody asked for a cancellation");
    };
    for (const Sweep kind : {Sweep::timeout, Sweep::fail}) {
        const Report report = sweep(program, kind);
        INFO(report.to_text());
        CHECK(report.passed());
    }
}

TEST_CASE("a cancellation that comes to an await that is about to fail is not lost") {
    const auto program = [] {
        std::string heard = "nothing";
        const auto sleeper = create_task([&] {
            try {
                sleep(1h);
            } catch (const CancelledError&) {
                heard = "cancelled";
            } catch (const InjectedFailure&) {
                heard = "failed";
            }
        });
        const auto canceller = create_task([&] { sleeper.cancel(); });
        see_to(sleeper);
        see_to(canceller);
        always(heard != "failed" || sleeper.cancelling() == 0, "the request comes first");
    };
    for (const Sweep kind : kinds) {
        const Report report = sweep(program, kind, {.strategy = Strategy::exhaustive}, 100);
        INFO(report.to_text());
        CHECK(report.passed());
    }
}

TEST_CASE("no primitive loses anything when an await of its goes wrong, in any order") {
    const auto program = [] {
        struct State {
            Lock lock;
            Semaphore semaphore{1};
            Event event;
            Queue<int> queue{1};
            int inside = 0;
        };
        const auto state = std::make_shared<State>();
        const auto use = [state] {
            {
                const auto guard = state->lock.guard();
                sleep(0s);
            }
            state->semaphore.acquire();
            always(++state->inside == 1, "one at a time");
            try {
                sleep(0s);
            } catch (...) {
                --state->inside;
                state->semaphore.release();
                throw;
            }
            --state->inside;
            state->semaphore.release();
            state->event.wait();
        };
        const auto first = create_task(use, {.name = "user"});
        const auto second = create_task(use, {.name = "user"});
        const auto putter = create_task(
            [state] {
                state->queue.put(1);
                state->queue.put(2);
            },
            {.name = "putter"});
        const auto getter = create_task(
            [state] {
                state->queue.get();
                state->queue.get();
            },
            {.name = "getter"});
        const auto setter = create_task([state] { state->event.set(); });
        see_to(setter);
        see_to(first);
        see_to(second);
        putter.cancel();  // its partner may have failed
        getter.cancel();
        see_to(putter);
        see_to(getter);
        const auto guard = state->lock.guard();
        state->semaphore.acquire();
    };
    for (const Sweep kind : kinds) {
        const Report report = sweep(program, kind, {.strategy = Strategy::random}, 100);
        INFO(report.to_text());
        CHECK(report.passed());
        CHECK(report.swept->is_complete);
        CHECK(report.swept->awaits > 8);
    }
}

TEST_CASE("what fails only in another order is found when each await has several schedules") {
    const auto program = [] {
        const auto state = std::make_shared<Shared<int>>(0, "state");
        const auto worker = create_task([state] {
            try {
                sleep(0s);
            } catch (const CancelledError&) {
                always(state->load() == 0, "nobody has seen it yet");
                throw;
            }
        });
        const auto watcher = create_task([state] {
            sleep(0s);
            state->store(1);
        });
        see_to(worker);
        see_to(watcher);
    };
    CHECK(sweep(program, Sweep::cancel).passed());
    CHECK(explore(program, test::every_order()).passed());
    const Report report = sweep(program, Sweep::cancel, {}, 50);
    INFO(report.to_text());
    REQUIRE_FALSE(report.passed());
    CHECK(report.mishaps.size() == 2);
    CHECK_FALSE(replay(report.replay_line, program).passed());
}

TEST_CASE("awaits that fail in one way are told together") {
    const auto program = [] {
        bool is_complete = true;
        for (int i = 0; i < 3; ++i) {
            try {
                sleep(1s);
            } catch (const InjectedFailure&) {
                is_complete = false;
            }
        }
        sleep(1s);
        always(is_complete, "nothing is left out");
    };
    const Report report = sweep(program, Sweep::fail);
    INFO(report.to_text());
    REQUIRE_FALSE(report.passed());
    CHECK(report.swept->awaits == 4);
    CHECK(report.swept->failed == 3);
    REQUIRE(report.swept->failures.size() == 1);
    CHECK(report.swept->failures[0].awaits == std::vector<std::uint64_t>{1, 2, 3});
    CHECK(report.swept->summary() == "swept 4 awaits (fail): 1 pass, 3 fail");
}

TEST_CASE("a sweep that its limit ends says so") {
    const auto program = [] {
        for (int i = 0; i < 10; ++i) {
            sleep(1s);
        }
    };
    const Report report = sweep(program, Sweep::cancel, {.runs_max = 3});
    CHECK(report.swept->awaits == 3);
    CHECK_FALSE(report.swept->is_complete);
    CHECK(contains(report.headline(), "stopped before"));
}

TEST_CASE("a program that fails calmly is not swept") {
    const Report report = sweep([] { always(false, "never right"); }, Sweep::cancel);
    CHECK(report.finding->kind == FindingKind::check);
    CHECK(report.swept->awaits == 0);
}

TEST_CASE("as an option of explore a sweep is one mishap among others") {
    ExploreOptions options = test::every_order();
    options.sweep = Sweep::cancel;
    const Report report = explore(lock_program(false), options);
    REQUIRE_FALSE(report.passed());
    REQUIRE(report.mishaps.size() == 1);
    CHECK(report.mishaps[0].mishap.kind == ChoiceKind::sweep);
    CHECK(test::verdict(explore(lock_program(true), options)) == "passes");
}

TEST_CASE("a cancelled wait writes the task's control cell and what it waits for") {
    /// Remembers the footprint of the step that ends in the injected cancellation.
    class Watcher final : public Strategy {
    public:
        const char* name() const override { return "watcher"; }
        Needs needs() const override { return {.steps = true, .footprints = true}; }
        bool begin_run(const RunInfo& run) override { return run.number == 0; }
        std::uint32_t pick(const Question& question) override {
            if (question.kind != ChoiceKind::sweep) {
                return 0;
            }
            asker = {question.asker, question.asker_step};
            return 1;
        }
        void after_step(const Step& step) override {
            if (step.entity == asker) {
                footprint.assign(step.footprint.begin(), step.footprint.end());
            }
        }
        EntityStep asker;
        std::vector<Touch> footprint;
    };
    World world({.sweep = Sweep::cancel});
    EventLoop loop(world);
    Watcher watcher;
    watcher.begin_run({0});
    world.begin_run(&watcher);
    loop.begin_run();
    std::uint64_t awaited = 0;
    {
        const auto main = loop.create_task([&] {
            const auto future = get_running_loop().create_future<void>();
            awaited = future.state().key;
            await(future);
        });
        loop.run_main(main.state());
        loop.tear_down();
    }
    loop.end_run();
    const auto writes = [&](std::uint64_t object) {
        return std::any_of(watcher.footprint.begin(), watcher.footprint.end(), [&](const Touch& touch) {
            return touch.object == object && touch.access != Access::read;
        });
    };
    CHECK(writes(watcher.asker.entity));
    CHECK(writes(awaited));
}

TEST_CASE("a sweep of nothing, or without a run, is a usage error") {
    const auto program = [] { sleep(1s); };
    CHECK_THROWS_AS(sweep(program, Sweep::off), UsageError);
    CHECK_THROWS_AS(sweep(program, Sweep::cancel, {}, 0), UsageError);
    CHECK_THROWS_AS(sweep(program, Sweep::cancel, {.runs_max = 0}), UsageError);
}

}  // namespace mishap
