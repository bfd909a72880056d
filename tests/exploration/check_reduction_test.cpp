// Optimal DPOR on tasks, against plain exhaustive search of the same programs.

#include <mishap/properties/check_reduction.hpp>

#include <mishap/mishap.hpp>

#include "exploration/random_tasks.hpp"
#include "exploration/trace_programs.hpp"
#include "support/catch.hpp"

#ifndef MISHAP_TRACES_MAX
#define MISHAP_TRACES_MAX 100000  // under sanitizers only small programs are made in every order
#endif

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

ExploreOptions tracked() {
    ExploreOptions options;
    options.sharing = Sharing::tracked;
    options.races = Detect::off;
    options.lost_updates = Detect::off;  // else nearly every program fails
    options.runs_max = 100'000;
    return options;
}

void check_optimal(const std::function<void()>& body, const ExploreOptions& options) {
    const ReductionCheck check = check_reduction(body, options);
    INFO(check.to_text());
    REQUIRE(check.all.is_exhausted);
    CHECK(check.loses_nothing());
    CHECK(check.is_optimal());
}

/// Compares for many random programs; those that have more orders than `runs_max` are passed over.
void check_random(const TaskShape& shape, ExploreOptions options, std::uint64_t programs = 60) {
    options.runs_max = 1'000;
    std::uint64_t compared = 0;
    for (std::uint64_t seed = 0; seed < programs; ++seed) {
        const RandomTasks program = random_tasks(seed, shape);
        const ReductionCheck check = check_reduction(program.body, options);
        if (check.all.is_exhausted) {
            ++compared;
            INFO(program.text << "\n" << check.to_text());
            CHECK(check.loses_nothing());
            CHECK(check.is_optimal());
        }
    }
    INFO(compared << " of " << programs << " compared");
    CHECK(compared > programs / 2);
}

}  // namespace

TEST_CASE("of tasks one run of each interleaving is made, as many as exhaustive search finds") {
    ExploreOptions options = tracked();
    options.runs_max = MISHAP_TRACES_MAX;
    for (const TraceProgram& row : task_programs()) {
        const ReductionCheck check = check_reduction(row.body, options);
        INFO(row.name << " " << row.parameters << "\n" << check.to_text());
        CHECK((check.is_optimal() || (!check.all.is_exhausted && MISHAP_TRACES_MAX < 100'000)));
    }
}

TEST_CASE("of tasks that use primitives, too") {
    SECTION("a lock and a shared counter") {
        check_optimal(
            [] {
                Lock lock;
                Shared<int> n;
                const auto add = [&] {
                    const auto guard = lock.guard();
                    const int seen = n.load();
                    sleep(0s);
                    n.store(seen + 1);
                };
                gather(create_task(add), create_task(add));
            },
            tracked());
    }
    SECTION("a queue of one, a producer and a consumer") {
        check_optimal(
            [] {
                Queue<int> queue(1);
                Shared<int> sum;
                gather(create_task([&] {
                           queue.put(1);
                           queue.put(2);
                       }),
                       create_task([&] {
                           sum.fetch_add(queue.get());
                           sum.fetch_add(queue.get());
                       }));
            },
            tracked());
    }
    SECTION("an event that may come before or after the wait") {
        check_optimal(
            [] {
                Event event;
                Shared<int> n;
                gather(create_task([&] {
                           event.wait();
                           n.fetch_add(1);
                       }),
                       create_task([&] {
                           n.fetch_add(2);
                           event.set();
                       }),
                       create_task([&] { n.load(); }));
            },
            tracked());
    }
    SECTION("a semaphore of one and an injected cancellation") {
        ExploreOptions options = tracked();
        options.cancellations = 1;
        check_optimal(
            [] {
                Semaphore semaphore(1);
                const auto use = [&] {
                    semaphore.acquire();
                    sleep(0s);
                    semaphore.release();
                };
                gather(return_exceptions, create_task(use), create_task(use));
            },
            options);
    }
    SECTION("a group of which one fails") {
        check_optimal(
            [] {
                Shared<int> n;
                try {
                    task_group([&](TaskGroup& group) {
                        group.create_task([&] {
                            sleep(0s);
                            n.fetch_add(1);
                        });
                        group.create_task([&] {
                            n.load();
                            throw std::runtime_error("no");
                        });
                    });
                } catch (const ExceptionGroup&) {
                }
            },
            tracked());
    }
}

TEST_CASE("a step of which only some answers touch what others touch is reversed with each answer") {
    check_optimal(
        [] {
            Shared<int> n;
            const auto one = create_task([&] {
                if (choose(3, "which") == 1) {
                    n.store(1);
                }
            });
            const auto two = create_task([&] { n.load(); });
            await(one);
            await(two);
        },
        tracked());
}

TEST_CASE("time that passes is tried wherever a timer is armed") {
    ExploreOptions options = tracked();
    options.time_passes = 1;
    const auto body = [] {
        Shared<int> n;
        const auto work = create_task([&] {
            for (int i = 0; i < 2; ++i) {
                sleep(0s);
                n.fetch_add(1);
            }
        });
        const auto deadline = create_task([&] {
            sleep(1s);
            n.load();
        });
        await(work);
        await(deadline);
    };
    check_optimal(body, options);
    options.time_passes = 2;
    check_optimal(body, options);
}

TEST_CASE("timers within the slack come due together, or not") {
    ExploreOptions options = tracked();
    options.timer_slack = 10ms;
    check_optimal(
        [] {
            Shared<int> n;
            const auto one = create_task([&] {
                sleep(1000ms);
                n.fetch_add(1);
            });
            const auto two = create_task([&] {
                sleep(1005ms);
                n.load();
            });
            await(one);
            await(two);
        },
        options);
}

TEST_CASE("waits that would not suspend yield") {
    ExploreOptions options = tracked();
    options.forced_yields = 1;
    const auto body = [] {
        Lock lock;
        Shared<int> n;
        const auto use = [&] {
            lock.acquire();
            n.fetch_add(1);
            lock.release();
        };
        const auto one = create_task(use);
        const auto two = create_task(use);
        await(one);
        await(two);
    };
    check_optimal(body, options);
    options.forced_yields = 2;
    check_optimal(body, options);
}

TEST_CASE("notified tasks are cancelled, at most as many as may be") {
    ExploreOptions options = tracked();
    const auto body = [] {
        Event event;
        Shared<int> n;
        const auto use = [&] {
            event.wait();
            n.fetch_add(1);
        };
        const auto one = create_task(use);
        const auto two = create_task(use);
        event.set();
        gather(return_exceptions, one, two);
    };
    for (const std::uint32_t cancellations : {1U, 2U}) {
        options.cancellations = cancellations;
        check_optimal(body, options);
    }
}

TEST_CASE("a timeout wins and loses against the work that it guards") {
    ExploreOptions options = tracked();
    options.time_passes = 1;
    check_optimal(
        [] {
            Shared<int> n;
            const auto work = create_task([&] {
                try {
                    timeout(1s, [&] {
                        sleep(0s);
                        n.fetch_add(1);
                    });
                } catch (const TimeoutError&) {
                    n.store(9);
                }
            });
            n.load();
            await(work);
        },
        options);
}

TEST_CASE("random tasks have the interleavings that exhaustive search finds") {
    SECTION("that read and write") { check_random({}, tracked(), 60); }
    SECTION("with locks, queues and events") {
        check_random({.tasks = 2, .operations = 4, .has_locks = true, .has_queues = true, .has_events = true}, tracked());
    }
    SECTION("with data questions") { check_random({.has_data = true}, tracked()); }
    SECTION("with timers") { check_random({.has_timers = true}, tracked()); }
    SECTION("that cancel each other") {
        check_random({.tasks = 2, .has_locks = true, .has_queues = true, .has_timers = true, .has_cancels = true}, tracked());
    }
    SECTION("while time passes") {
        ExploreOptions options = tracked();
        options.time_passes = 1;
        check_random({.has_timers = true, .has_data = true}, options);
    }
    SECTION("with cancellations of notified tasks") {
        ExploreOptions options = tracked();
        options.cancellations = 1;
        check_random({.tasks = 2, .has_locks = true, .has_queues = true, .has_events = true, .has_timers = true}, options);
    }
    SECTION("with forced yields") {
        ExploreOptions options = tracked();
        options.forced_yields = 1;
        check_random({.tasks = 2, .has_locks = true, .has_queues = true}, options);
    }
    SECTION("with all of these") {
        ExploreOptions options = tracked();
        options.cancellations = 1;
        options.time_passes = 1;
        check_random({.tasks = 2, .has_locks = true, .has_queues = true, .has_events = true, .has_timers = true,
                      .has_data = true, .has_cancels = true},
                     options);
    }
}
