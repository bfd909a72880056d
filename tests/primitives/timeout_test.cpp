#include <mishap/primitives/timeout.hpp>

#include <stdexcept>

#include <mishap/primitives/gather.hpp>
#include <mishap/primitives/task_group.hpp>

#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

VirtualTime now() { return get_running_loop().time(); }

}  // namespace

TEST_CASE("a body that ends in time gives its result") {
    in_both_worlds([] {
        CHECK(timeout(1h, [] {
                  sleep(1ms);
                  return 3;
              }) == 3);
        timeout_at(now() + 1h, [] { sleep(1ms); });
        CHECK(timeout(1h, []() -> Coro<int> {
                  co_await sleep(1ms);
                  co_return 4;
              }) == 4);
    });
}

TEST_CASE("a body that is late is cancelled, and its scope throws TimeoutError") {
    in_a_calm_world([] {
        bool was_cancelled = false;
        Timeout late(now() + 10ms);
        CHECK_THROWS_AS(late.run([&] {
            try {
                sleep(1h);
            } catch (const CancelledError&) {
                was_cancelled = true;
                throw;
            }
        }),
                        TimeoutError);
        CHECK(was_cancelled);
        CHECK(late.expired());
        CHECK(now() == VirtualTime(10ms));
        CHECK(current_task().cancelling() == 0);
    });
}

TEST_CASE("a deadline that passed acts at the body's first wait, even a bare yield (gh-95051)") {
    in_both_worlds([] {
        for (const auto delay : {0ns, -1ns}) {
            bool began = false;
            bool went_on = false;
            CHECK_THROWS_AS(timeout(delay,
                                    [&] {
                                        began = true;
                                        sleep(0s);
                                        went_on = true;
                                    }),
                            TimeoutError);
            CHECK(began);
            CHECK(!went_on);
        }
        CHECK(timeout(0ns, [] { return 1; }) == 1);  // no wait, nothing to interrupt
        sleep(0s);
    });
}

TEST_CASE("without a deadline a timeout never expires, unless it is given one") {
    in_both_worlds([] {
        CHECK(timeout(std::nullopt, [](Timeout& scope) {
            CHECK(!scope.when().has_value());
            sleep(1ms);
            return !scope.expired();
        }));
        CHECK_THROWS_AS(timeout_at(std::nullopt,
                                   [](Timeout& scope) {
                                       scope.reschedule(now());
                                       sleep(1h);
                                   }),
                        TimeoutError);
    });
}

TEST_CASE("a deadline can be moved and taken away") {
    in_a_calm_world([] {
        timeout(10ms, [](Timeout& scope) {
            const VirtualTime later = now() + 20ms;
            scope.reschedule(later);
            CHECK(scope.when() == later);
            sleep(15ms);
            CHECK(!scope.expired());
            scope.reschedule(std::nullopt);
            sleep(1h);
        });
    });
}

TEST_CASE("a Timeout is run once and rescheduled only while its body runs") {
    in_both_worlds([] {
        Timeout scope(std::nullopt);
        CHECK_THROWS_AS(scope.reschedule(now()), UsageError);
        scope.run([&] { CHECK_THROWS_AS(scope.run([] {}), UsageError); });
        CHECK_THROWS_AS(scope.run([] {}), UsageError);
        CHECK_THROWS_AS(scope.reschedule(now()), UsageError);
        Timeout late(now());
        CHECK_THROWS_AS(late.run([&] {
            try {
                sleep(1h);
            } catch (const CancelledError&) {
                CHECK(late.expired());
                CHECK_THROWS_AS(late.reschedule(now()), UsageError);
                throw;
            }
        }),
                        TimeoutError);
        CHECK_THROWS_AS(late.reschedule(now()), UsageError);
    });
    CHECK_THROWS_AS(timeout(1s, [] {}), UsageError);
    CHECK_THROWS_AS(Timeout(std::nullopt).run([] {}), UsageError);
}

TEST_CASE("the inner of two nested timeouts expires alone") {
    in_a_calm_world([] {
        timeout(1h, [](Timeout& outer) {
            CHECK_THROWS_AS(timeout(1ms, [] { sleep(2h); }), TimeoutError);
            CHECK(!outer.expired());
        });
    });
}

TEST_CASE("the outer of two nested timeouts expires alone, and the inner lets the cancellation pass (trio 860)") {
    in_a_calm_world([] {
        bool inner_saw_cancellation = false;
        CHECK_THROWS_AS(timeout(1ms,
                                [&] {
                                    try {
                                        timeout(1h, [] { sleep(2h); });
                                    } catch (const CancelledError&) {
                                        inner_saw_cancellation = true;
                                        throw;
                                    }
                                }),
                        TimeoutError);
        CHECK(inner_saw_cancellation);
        CHECK(current_task().cancelling() == 0);
    });
}

TEST_CASE("nested timeouts of one deadline end in TimeoutError, whichever timer goes first (trio 1175)") {
    const auto runs = in_every_order([] {
        CHECK_THROWS_AS(timeout(1ms, [] { timeout(1ms, [] { sleep(1h); }); }), TimeoutError);
        CHECK(current_task().cancelling() == 0);
        sleep(1ms);
    });
    CHECK(runs > 1);
}

TEST_CASE("a timeout in the clean-up of a cancelled task expires as any other (gh-102780)") {
    in_both_worlds([] {
        bool timed_out = false;
        const auto task = create_task([&] {
            try {
                sleep(1h);
            } catch (const CancelledError&) {
                CHECK(current_task().cancelling() == 1);
                CHECK_THROWS_AS(timeout(0ns, [] { sleep(1h); }), TimeoutError);
                CHECK(current_task().cancelling() == 1);
                timed_out = true;
                throw;
            }
        });
        sleep(1ms);
        task.cancel();
        CHECK_THROWS_AS(await(task), CancelledError);
        CHECK(timed_out);
    });
}

TEST_CASE("a task that is cancelled a second time in a clean-up with a timeout is cancelled, not timed out") {
    in_both_worlds([] {
        const auto task = create_task([] {
            try {
                sleep(1h);
            } catch (const CancelledError&) {
            }
            CHECK_THROWS_AS(timeout(1h, [] { sleep(2h); }), CancelledError);
            CHECK(current_task().cancelling() == 2);
        });
        sleep(1ms);
        task.cancel();
        sleep(1ms);
        task.cancel();
        await(task);
    });
}

TEST_CASE("when somebody else cancels at the deadline, the cancellation wins in both orders (async-timeout 229)") {
    // Of the two callbacks of one deadline either may go first.
    bool was_second = false;
    const auto runs = in_every_order([&] {
        bool was_expired = false;
        const auto task = create_task([&] {
            Timeout scope(VirtualTime(1ms));
            try {
                scope.run([] { sleep(1h); });
            } catch (const CancelledError&) {
                was_expired = scope.expired();
                throw;
            }
        });
        get_running_loop().call_at(VirtualTime(1ms), [task] { task.cancel("from outside"); });  // it may outlive this body
        try {
            await(task);
        } catch (const TimeoutError&) {
            // The task ended before the cancellation came.
            CHECK(task.cancelling() == 0);
        } catch (const CancelledError&) {
            CHECK(task.cancelling() == 1);
            was_second = was_second || was_expired;
        }
    });
    CHECK(was_second);
    CHECK(runs > 2);
}

TEST_CASE("a cancellation requested before a timeout that has expired already is not hidden by it (gh-134471)") {
    in_both_worlds([] {
        for (const auto delay : {-1s, 0s, 1s}) {
            const auto task = create_task([&] {
                current_task().cancel("before");
                try {
                    timeout(delay, [] { sleep(1h); });
                } catch (const CancelledError& error) {
                    CHECK(error.message() == "before");
                    CHECK(current_task().cancelling() == 1);
                    throw;
                }
            });
            CHECK_THROWS_AS(await(task), CancelledError);
        }
    });
}

TEST_CASE("two cancellations requested before a timeout that has expired already are not hidden by it") {
    in_both_worlds([] {
        const auto task = create_task([] {
            current_task().cancel();
            current_task().cancel();
            timeout(0ns, [] { sleep(1h); });
        });
        CHECK_THROWS_AS(await(task), CancelledError);
        CHECK(task.cancelling() == 2);
    });
}

TEST_CASE("in every order, whatever cancels a task before or in a timeout, now or later, it ends as cancelled") {
    for (const std::chrono::nanoseconds delay : {0ns, 1ns}) {
        in_every_order([delay] {
            const auto task = create_task([delay] {
                sleep(0s);
                timeout(delay, [] { sleep(1h); });
            });
            const auto canceller = create_task([&] { task.cancel(); });
            try {
                await(task);
                FAIL("the task ended well");
            } catch (const TimeoutError&) {
                CHECK(task.cancelling() == 0);
            } catch (const CancelledError&) {
                CHECK(task.cancelling() == 1);
            }
            await(canceller);
        });
    }
}

TEST_CASE("timeout_at takes a time, and a task inside is not the one that is cancelled") {
    in_a_calm_world([] {
        Task<void> inner;
        CHECK_THROWS_AS(timeout_at(now() + 1s,
                                   [&](Timeout& scope) {
                                       CHECK(scope.when() == VirtualTime(1s));
                                       inner = create_task([] { sleep(2s); });
                                       sleep(3s);
                                   }),
                        TimeoutError);
        CHECK(inner.cancelling() == 0);
        await(inner);
        CHECK(now() == VirtualTime(2s));
    });
}

TEST_CASE("a coroutine runs a timeout, and can be its body") {
    in_both_worlds([] {
        await([]() -> Coro<> {
            CHECK(timeout(1h, []() -> Coro<int> {
                      co_await sleep(1ms);
                      co_return 3;
                  }) == 3);
            CHECK_THROWS_AS(timeout(1ms, []() -> Coro<> { co_await sleep(1h); }), TimeoutError);
            co_await sleep(0s);
        }());
    });
}

TEST_CASE("an error of the body passes, before and after the deadline") {
    in_both_worlds([] {
        CHECK_THROWS_AS(timeout(1h, [] { throw std::runtime_error("early"); }), std::runtime_error);
        CHECK_THROWS_AS(timeout(0ns,
                                [] {
                                    try {
                                        sleep(1h);
                                    } catch (const CancelledError&) {
                                        throw std::runtime_error("late");
                                    }
                                }),
                        std::runtime_error);
        CHECK(current_task().cancelling() == 0);
        sleep(0s);  // nothing is left to interrupt it
    });
}

TEST_CASE("a body that swallows the cancellation ends well, and the request is taken back") {
    in_both_worlds([] {
        Timeout scope(now());
        CHECK(scope.run([] {
            try {
                sleep(1h);
            } catch (const CancelledError&) {
            }
            return 1;
        }) == 1);
        CHECK(scope.expired());
        CHECK(current_task().cancelling() == 0);
    });
}

TEST_CASE("a cancellation from inside the body is not a timeout") {
    in_both_worlds([] {
        const auto task = create_task([] {
            timeout(1h, [] {
                current_task().cancel();
                sleep(0s);
            });
        });
        CHECK_THROWS_AS(await(task), CancelledError);
        CHECK_THROWS_AS(timeout(1h, [] { throw CancelledError("home-made"); }), CancelledError);
    });
}

TEST_CASE("a timeout around a group cancels the group's tasks") {
    in_both_worlds([] {
        bool child_cancelled = false;
        CHECK_THROWS_AS(timeout(1ms,
                                [&] {
                                    task_group([&](TaskGroup& group) {
                                        group.create_task([&] {
                                            try {
                                                sleep(1h);
                                            } catch (const CancelledError&) {
                                                child_cancelled = true;
                                                throw;
                                            }
                                        });
                                    });
                                }),
                        TimeoutError);
        CHECK(child_cancelled);
        CHECK(current_task().cancelling() == 0);
    });
}

TEST_CASE("a task whose timeout expired and was caught is not cancelled") {
    in_both_worlds([] {
        const auto task = create_task([] { CHECK_THROWS_AS(timeout(1ms, [] { sleep(1h); }), TimeoutError); });
        await(task);
        CHECK(!task.cancelled());
        CHECK(task.cancelling() == 0);
    });
}

TEST_CASE("the outer of two nested timeouts expires after the inner one was caught, though both were due at once") {
    in_a_calm_world([] {
        bool inner_expired = false;
        CHECK_THROWS_AS(timeout(10ms,
                                [&] {
                                    try {
                                        timeout(10ms, [] { sleep(1s); });
                                    } catch (const TimeoutError&) {
                                        inner_expired = true;
                                    } catch (const CancelledError&) {
                                        throw;  // the outer one went first
                                    }
                                    sleep(10s);
                                }),
                        TimeoutError);
        CHECK(!inner_expired);
        CHECK(now() == VirtualTime(10ms));
        CHECK_THROWS_AS(timeout(10ms,
                                [&] {
                                    CHECK_THROWS_AS(timeout(1ms, [] { sleep(1s); }), TimeoutError);
                                    inner_expired = true;
                                    sleep(10s);
                                }),
                        TimeoutError);
        CHECK(inner_expired);
        CHECK(now() == VirtualTime(20ms));
    });
}

TEST_CASE("a timeout in the clean-up of an expired one expires as any other") {
    in_a_calm_world([] {
        bool expired = false;
        CHECK_THROWS_AS(timeout(1ms,
                                [&] {
                                    try {
                                        sleep(1s);
                                    } catch (const CancelledError&) {
                                        CHECK_THROWS_AS(timeout(1ms, [] { sleep(10s); }), TimeoutError);
                                        expired = true;
                                        throw;
                                    }
                                }),
                        TimeoutError);
        CHECK(expired);
        CHECK(current_task().cancelling() == 0);
    });
}

TEST_CASE("errors in the clean-up of a group whose deadline passed come out of the timeout as they are") {
    in_both_worlds([] {
        CHECK_THROWS_AS(timeout(1ms,
                                [] {
                                    task_group([](TaskGroup& group) {
                                        group.create_task([] {
                                            try {
                                                sleep(1h);
                                            } catch (const CancelledError&) {
                                                throw std::runtime_error("clean-up");
                                            }
                                        });
                                        sleep(1h);
                                    });
                                }),
                        ExceptionGroup);
        CHECK(current_task().cancelling() == 0);
        sleep(0s);
    });
}

TEST_CASE("a timeout leaves no timer behind") {
    in_a_calm_world([] {
        timeout(1h, [] {});
        CHECK_THROWS_AS(timeout(1ms, [] { sleep(1h); }), TimeoutError);
        sleep(2h);
        CHECK(now() == VirtualTime(2h + 1ms));
    });
}

TEST_CASE("timeout costs asyncio's hops") {
    // The ticks were counted with CPython 3.13.
    in_a_calm_world([] {
        int ticks = 0;
        const auto ticker = create_task([&] {
            for (;;) {
                sleep(0s);
                ++ticks;
            }
        });
        sleep(0s);
        const int begin = ticks;
        CHECK_THROWS_AS(timeout(0ns, [] { sleep(1h); }), TimeoutError);
        CHECK(ticks - begin == 2);
        ticker.cancel();
    });
}
