#include <mishap/primitives/task_group.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <mishap/loop/context.hpp>
#include <mishap/primitives/timeout.hpp>
#include <mishap/primitives/wait_for.hpp>

#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

/// Returns what an exception group holds, sorted.
std::vector<std::string> texts(const ExceptionGroup& group) {
    std::vector<std::string> result;
    for (const std::exception_ptr& exception : group.exceptions()) {
        result.push_back(describe_exception(exception));
    }
    std::sort(result.begin(), result.end());
    return result;
}

template <class F>
std::vector<std::string> failures_of(F&& function) {
    try {
        function();
    } catch (const ExceptionGroup& group) {
        return texts(group);
    }
    return {};
}

void fail() { throw std::runtime_error("child"); }
const std::vector<std::string> child_failed{"std::runtime_error: child"};

/// Waits for ever, and counts how often that was cancelled.
auto patient(int& cancelled) {
    return [&cancelled] {
        try {
            sleep(24h);
        } catch (const CancelledError&) {
            ++cancelled;
            throw;
        }
    };
}

}  // namespace

TEST_CASE("a group waits for its tasks and returns what its body returns") {
    in_both_worlds([] {
        int ended = 0;
        Task<int> one;
        CHECK(task_group([&](TaskGroup& group) {
                  one = group.create_task([&] {
                      sleep(1ms);
                      return ++ended;
                  });
                  group.create_task([&]() -> Coro<> {
                      co_await sleep(2ms);
                      ++ended;
                  });
                  return 42;
              }) == 42);
        CHECK(ended == 2);
        CHECK(one.result() == 1);
    });
}

TEST_CASE("a group without tasks does not yield") {
    in_both_worlds([] {
        bool others_ran = false;
        const auto other = create_task([&] { others_ran = true; });
        task_group([](TaskGroup&) {});
        task_group([] {});
        CHECK(!others_ran);
        await(other);
    });
}

TEST_CASE("a task that fails cancels its siblings and the body") {
    in_both_worlds([] {
        int cancelled = 0;
        bool body_went_on = false;
        CHECK(failures_of([&] {
                  task_group([&](TaskGroup& group) {
                      group.create_task(patient(cancelled));
                      group.create_task([] {
                          sleep(1ms);
                          fail();
                      });
                      patient(cancelled)();
                      body_went_on = true;
                  });
              }) == child_failed);
        CHECK(cancelled == 2);
        CHECK(!body_went_on);
        CHECK(current_task().cancelling() == 0);
        sleep(0s);  // the group's request does not leak out (gh-128588)
    });
}

TEST_CASE("a task that fails while the group waits cancels its siblings, and no request is left") {
    in_both_worlds([] {
        int cancelled = 0;
        CHECK(failures_of([&] {
                  task_group([&](TaskGroup& group) {
                      group.create_task(patient(cancelled));
                      group.create_task(fail);
                  });
              }) == child_failed);
        CHECK(cancelled == 1);
        CHECK(current_task().cancelling() == 0);
        sleep(0s);
    });
}

TEST_CASE("an error of the body cancels the tasks and joins their errors") {
    in_both_worlds([] {
        int cancelled = 0;
        CHECK(failures_of([&] {
                  task_group([&](TaskGroup& group) {
                      group.create_task(patient(cancelled));
                      group.create_task([] {
                          try {
                              sleep(1h);
                          } catch (const CancelledError&) {
                              fail();
                          }
                      });
                      sleep(1ms);
                      throw std::logic_error("body");
                  });
              }) == std::vector<std::string>{"std::logic_error: body", "std::runtime_error: child"});
        CHECK(cancelled == 1);
    });
}

TEST_CASE("a task that is cancelled alone harms nobody") {
    in_both_worlds([] {
        bool sibling_ended = false;
        task_group([&](TaskGroup& group) {
            const auto one = group.create_task([] { sleep(1h); });
            group.create_task([&] {
                sleep(2ms);
                sibling_ended = true;
            });
            sleep(1ms);
            one.cancel();
        });
        CHECK(sibling_ended);
    });
}

TEST_CASE("awaiting a task that was cancelled in the body makes the group end as cancelled") {
    in_both_worlds([] {
        int cancelled = 0;
        CHECK_THROWS_AS(task_group([&](TaskGroup& group) {
                            group.create_task(patient(cancelled));
                            const auto one = group.create_task([] { sleep(1h); });
                            sleep(0s);
                            one.cancel();
                            await(one);
                        }),
                        CancelledError);
        CHECK(cancelled == 1);
    });
}

TEST_CASE("cancelling the parent cancels the tasks, in the body and at the exit") {
    for (const bool is_in_body : {true, false}) {
        in_both_worlds([is_in_body] {
            int cancelled = 0;
            const auto parent = create_task([&] {
                task_group([&](TaskGroup& group) {
                    group.create_task(patient(cancelled));
                    if (is_in_body) {
                        sleep(1h);
                    }
                });
            });
            sleep(1ms);
            parent.cancel("stop");
            try {
                await(parent);
                FAIL("the parent was cancelled");
            } catch (const CancelledError& error) {
                CHECK(error.message() == "stop");
            }
            CHECK(cancelled == 1);
            CHECK(parent.cancelling() == 1);
        });
    }
}

TEST_CASE("a group whose parent is cancelled again and again still waits for all its tasks (anyio 695)") {
    in_both_worlds([] {
        bool child_ended = false;
        const auto parent = create_task([&] {
            task_group([&](TaskGroup& group) {
                group.create_task([&] {
                    try {
                        sleep(1h);
                    } catch (const CancelledError&) {
                        sleep(4ms);
                        child_ended = true;
                    }
                });
            });
        });
        sleep(1ms);
        parent.cancel();
        sleep(1ms);
        parent.cancel();
        sleep(1ms);
        parent.cancel();
        CHECK_THROWS_AS(await(parent), CancelledError);
        CHECK(child_ended);
    });
}

TEST_CASE("an error and a cancellation from outside: the error is thrown, and the next wait is cancelled") {
    in_both_worlds([] {
        bool next_wait_cancelled = false;
        const auto parent = create_task([&] {
            CHECK(failures_of([&] {
                      task_group([](TaskGroup& group) {
                          group.create_task([] {
                              try {
                                  sleep(1h);
                              } catch (const CancelledError&) {
                                  fail();
                              }
                          });
                      });
                  }) == child_failed);
            CHECK(current_task().cancelling() == 1);
            try {
                sleep(0s);
            } catch (const CancelledError&) {
                next_wait_cancelled = true;
                throw;
            }
        });
        sleep(1ms);
        parent.cancel();
        CHECK_THROWS_AS(await(parent), CancelledError);
        CHECK(next_wait_cancelled);
    });
}

TEST_CASE("a group in a cancelled task keeps the level of cancellation") {
    in_both_worlds([] {
        const auto task = create_task([] {
            try {
                sleep(1h);
            } catch (const CancelledError&) {
            }
            CHECK(failures_of([] { task_group([](TaskGroup& group) { group.create_task(fail); }); }) == child_failed);
            CHECK(current_task().cancelling() == 1);
            current_task().uncancel();
            sleep(0s);
        });
        sleep(1ms);
        task.cancel();
        await(task);
        CHECK(task.cancelling() == 0);
    });
}

TEST_CASE("the inner of two nested groups throws into the outer, which cancels the rest") {
    in_both_worlds([] {
        int cancelled = 0;
        const auto outer = failures_of([&] {
            task_group([&](TaskGroup& group) {
                group.create_task(patient(cancelled));
                task_group([&](TaskGroup& inner) {
                    inner.create_task(patient(cancelled));
                    inner.create_task(fail);
                });
            });
        });
        REQUIRE(outer.size() == 1);
        CHECK(outer[0].find("std::runtime_error: child") != std::string::npos);
        CHECK(cancelled == 2);
        CHECK(current_task().cancelling() == 0);
    });
}

TEST_CASE("in every order, when tasks of two nested groups fail, no error is lost") {
    bool both_failed = false;
    in_every_order([&] {
        Task<void> outer_task;
        Task<void> inner_task;
        std::string thrown;
        try {
            task_group([&](TaskGroup& outer) {
                outer_task = outer.create_task([] { throw std::logic_error("outer"); });
                task_group([&](TaskGroup& inner) {
                    inner_task = inner.create_task(fail);
                    sleep(1h);
                });
            });
        } catch (const ExceptionGroup&) {
            thrown = describe_exception(std::current_exception());
        }
        // A task that was cancelled before it began has no error.
        CHECK((thrown.find("std::logic_error: outer") != std::string::npos) == !outer_task.cancelled());
        CHECK((thrown.find("std::runtime_error: child") != std::string::npos) == !inner_task.cancelled());
        CHECK(!thrown.empty());
        both_failed = both_failed || (!outer_task.cancelled() && !inner_task.cancelled());
        CHECK(current_task().cancelling() == 0);
        sleep(0s);
    });
    CHECK(both_failed);
}

TEST_CASE("a failed group that is caught leaves an enclosing deadline working (gh-133747)") {
    in_both_worlds([] {
        CHECK_THROWS_AS(wait_for(
                            [] {
                                CHECK(failures_of([] {
                                          task_group([](TaskGroup& group) { group.create_task(fail); });
                                      }) == child_failed);
                                sleep(1h);
                            },
                            1ms),
                        TimeoutError);
        CHECK(current_task().cancelling() == 0);
    });
}

TEST_CASE("a task of a group may make more tasks while the group waits") {
    in_both_worlds([] {
        int ended = 0;
        task_group([&](TaskGroup& group) {
            group.create_task([&] {
                sleep(1ms);
                group.create_task([&] {
                    sleep(1ms);
                    ++ended;
                });
                ++ended;
            });
        });
        CHECK(ended == 2);
    });
}

TEST_CASE("a group accepts tasks only while it runs and nothing failed (gh-94398)") {
    in_both_worlds([] {
        TaskGroup group;
        CHECK_THROWS_AS(group.create_task([] {}), UsageError);
        bool was_refused = false;
        CHECK(failures_of([&] {
                  group.run([&] {
                      group.create_task(fail);
                      group.create_task([&] {
                          try {
                              sleep(1h);
                          } catch (const CancelledError&) {
                              CHECK_THROWS_AS(group.create_task([] {}), UsageError);
                              was_refused = true;
                          }
                      });
                  });
              }) == child_failed);
        CHECK(was_refused);
        CHECK_THROWS_AS(group.create_task([] {}), UsageError);
        CHECK_THROWS_AS(group.run([] {}), UsageError);
        TaskGroup good;
        good.run([] {});
        CHECK_THROWS_AS(good.create_task([] {}), UsageError);
    });
    CHECK_THROWS_AS(task_group([] {}), UsageError);
}

TEST_CASE("a body may catch the cancellation that a failed task caused, and the group still throws") {
    in_both_worlds([] {
        CHECK(failures_of([] {
                  task_group([](TaskGroup& group) {
                      group.create_task(fail);
                      try {
                          sleep(1h);
                      } catch (const CancelledError&) {
                      }
                  });
              }) == child_failed);
        CHECK(current_task().cancelling() == 0);
    });
}

TEST_CASE("tasks of a group have the names that they are given") {
    in_both_worlds([] {
        task_group([](TaskGroup& group) { CHECK(group.create_task([] {}, {.name = "worker"}).get_name() == "worker"); });
    });
}

TEST_CASE("a group with many short tasks does not keep them") {
    in_a_calm_world([] {
        const std::size_t before = detail::block_pool().live();
        task_group([&](TaskGroup& group) {
            for (int i = 0; i < 1000; ++i) {
                await(group.create_task([] {}));
            }
            sleep(0s);
            CHECK(detail::block_pool().live() - before < 100);
        });
    });
}

TEST_CASE("results of tasks made before and after a wait of the body are there when the group ends") {
    in_both_worlds([] {
        Task<int> one;
        Task<int> other;
        task_group([&](TaskGroup& group) {
            const auto after = [](std::chrono::nanoseconds delay, int result) {
                return [=] {
                    sleep(delay);
                    return result;
                };
            };
            one = group.create_task(after(1ms, 42));
            sleep(2ms);
            other = group.create_task(after(2ms, 11));
        });
        CHECK(one.result() == 42);
        CHECK(other.result() == 11);
    });
}

TEST_CASE("tasks that fail in one iteration are all told of") {
    in_a_calm_world([] {
        int cancelled = 0;
        CHECK(failures_of([&] {
                  task_group([&](TaskGroup& group) {
                      for (int i = 0; i < 3; ++i) {
                          group.create_task([] {
                              sleep(1s);
                              fail();
                          });
                      }
                      group.create_task(patient(cancelled));
                      patient(cancelled)();
                  });
              }) == std::vector<std::string>(3, child_failed[0]));
        CHECK(cancelled == 2);
    });
}

namespace {

/// A task that fails in the clean-up of its cancellation.
void fail_when_cancelled() {
    try {
        sleep(24h);
    } catch (const CancelledError&) {
        fail();
    }
}

/// Runs `body` in a task that is cancelled after a second, and returns what it throws, in words.
template <class F>
std::string cancelled_after_a_second(F body) {
    const auto task = create_task(body);
    sleep(1s);
    task.cancel();
    try {
        await(task);
        return "nothing";
    } catch (const CancelledError&) {
        return "CancelledError";
    } catch (const std::exception&) {
        return describe_exception(std::current_exception());
    }
}

}  // namespace

TEST_CASE("errors in the clean-up of a cancelled group take the place of the cancellation") {
    in_a_calm_world([] {
        CHECK(cancelled_after_a_second([] {
                  task_group([](TaskGroup& group) {
                      group.create_task(fail_when_cancelled);
                      group.create_task(fail_when_cancelled);
                      sleep(1h);
                  });
              }) ==
              "ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions); std::runtime_error: child; "
              "std::runtime_error: child");
        CHECK(cancelled_after_a_second([] {
                  task_group([](TaskGroup&) {
                      try {
                          sleep(1h);
                      } catch (const CancelledError&) {
                          throw std::logic_error("of the body");
                      }
                  });
              }) == "ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception); std::logic_error: of the body");
    });
}

TEST_CASE("errors in the clean-up of a cancelled inner group come out of the outer one in a group of their own") {
    in_a_calm_world([] {
        for (const bool outer_has_a_task : {false, true}) {
            int cancelled = 0;
            CHECK(cancelled_after_a_second([&] {
                      task_group([&](TaskGroup& outer) {
                          if (outer_has_a_task) {
                              outer.create_task(patient(cancelled));
                          }
                          task_group([](TaskGroup& inner) {
                              inner.create_task(fail_when_cancelled);
                              sleep(1h);
                          });
                      });
                  }) ==
                  "ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception); ExceptionGroup: unhandled errors in a "
                  "TaskGroup (1 sub-exception); std::runtime_error: child");
            CHECK(cancelled == (outer_has_a_task ? 1 : 0));
        }
    });
}

TEST_CASE("a task of the outer group that fails ends the inner group, whose cancellation is not told") {
    in_a_calm_world([] {
        int cancelled = 0;
        CHECK(failures_of([&] {
                  task_group([&](TaskGroup& outer) {
                      outer.create_task([] {
                          sleep(1s);
                          fail();
                      });
                      task_group([&](TaskGroup& inner) { inner.create_task(patient(cancelled)); });
                  });
              }) == child_failed);
        CHECK(cancelled == 1);
        CHECK(current_task().cancelling() == 0);
    });
}

TEST_CASE("a task that fails while the cancelled body cleans up is told of") {
    in_a_calm_world([] {
        const auto body = [] {
            task_group([](TaskGroup& group) {
                group.create_task([] {
                    sleep(1300ms);
                    fail();
                });
                try {
                    sleep(1h);
                } catch (const CancelledError&) {
                    sleep(500ms);
                    throw;
                }
            });
        };
        const std::string told =
            "ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception); std::runtime_error: child";
        CHECK(cancelled_after_a_second(body) == told);
        CHECK(cancelled_after_a_second([&] { await(create_task(body)); }) == told);
    });
}

TEST_CASE("what a body throws as its task's failure cancels it, and what is no std::exception, is in the group as well") {
    in_both_worlds([] {
        struct NoStandardException {};
        try {
            task_group([](TaskGroup& group) {
                group.create_task(fail);
                try {
                    sleep(1h);
                } catch (const CancelledError&) {
                    throw NoStandardException();
                }
            });
            FAIL("the group threw nothing");
        } catch (const ExceptionGroup& group) {
            REQUIRE(group.exceptions().size() == 2);
            CHECK_THROWS_AS(std::rethrow_exception(group.exceptions()[0]), std::runtime_error);
            CHECK_THROWS_AS(std::rethrow_exception(group.exceptions()[1]), NoStandardException);
        }
        CHECK(current_task().cancelling() == 0);
        CHECK(failures_of([] {
                  task_group([](TaskGroup& group) {
                      group.create_task([] { throw NoStandardException(); });
                      try {
                          sleep(1h);
                      } catch (const CancelledError&) {
                          fail();
                      }
                  });
              }).size() == 2);
    });
}

TEST_CASE("tasks that make ever more tasks are all cancelled when one fails") {
    in_a_calm_world([] {
        int heads = 0;
        CHECK(failures_of([&] {
                  task_group([&](TaskGroup& group) {
                      std::function<void()> hydra = [&] {
                          ++heads;
                          sleep(10ms);
                          group.create_task(hydra);
                          group.create_task(hydra);
                      };
                      group.create_task(hydra);
                      group.create_task([&] {
                          while (heads < 10) {
                              sleep(15ms);
                          }
                          fail();
                      });
                      sleep(1h);
                  });
              }) == child_failed);
        CHECK(heads >= 10);
        CHECK(all_tasks().size() == 1);
    });
}

TEST_CASE("a coroutine that a group refuses is destroyed") {
    in_both_worlds([] {
        const auto kept = std::make_shared<int>();
        TaskGroup group;
        const auto coro = [](std::shared_ptr<int>) -> Coro<> { co_return; };
        CHECK_THROWS_AS(group.create_task(coro(kept)), UsageError);
        CHECK(kept.use_count() == 1);
        group.run([] {});
        CHECK_THROWS_AS(group.create_task(coro(kept)), UsageError);
        CHECK(kept.use_count() == 1);
    });
}

TEST_CASE("a coroutine can be the body of a group and run one") {
    in_both_worlds([] {
        await([]() -> Coro<> {
            int ended = 0;
            const int result = task_group([&](TaskGroup& group) -> Coro<int> {
                group.create_task([&]() -> Coro<> {
                    co_await sleep(1ms);
                    ++ended;
                });
                co_await sleep(0s);
                co_return 5;
            });
            CHECK(result == 5);
            CHECK(ended == 1);
            co_await sleep(0s);
        }());
    });
}

TEST_CASE("tasks of a group have the contexts that they are given") {
    in_both_worlds([] {
        ContextVar<int> variable("v", 0);
        const Context context = copy_context();
        task_group([&](TaskGroup& group) {
            await(group.create_task([&] { variable.set(1); }, {.context = context}));
            CHECK(variable.get() == 0);
            CHECK(await(group.create_task([&] { return variable.get(); }, {.context = context})) == 1);
        });
    });
}

TEST_CASE("a group is run once, in a task, and not inside itself") {
    in_both_worlds([] {
        TaskGroup group;
        group.run([&] { CHECK_THROWS_AS(group.run([] {}), UsageError); });
        CHECK_THROWS_AS(group.run([] {}), UsageError);
    });
    CHECK_THROWS_AS(TaskGroup().run([] {}), UsageError);
}

TEST_CASE("a task that begins at once and ends the group, or whose task does, is cancelled too (gh-155418, gh-128550, gh-128588)") {
    in_both_worlds([] {
        int cancelled = 0;
        task_group([&](TaskGroup& group) {
            group.create_task(
                [&] {
                    group.cancel();
                    patient(cancelled)();
                },
                {.eager_start = true});
        });
        CHECK(cancelled == 1);
        CHECK(failures_of([&] {
                  task_group([&](TaskGroup& group) {
                      group.create_task(
                          [&] {
                              group.create_task(fail, {.eager_start = true});
                              patient(cancelled)();
                          },
                          {.eager_start = true});
                      sleep(1h);
                  });
              }) == child_failed);
        CHECK(cancelled == 2);
        CHECK(current_task().cancelling() == 0);
        sleep(0s);  // nothing leaks out (gh-128588)
    });
}

TEST_CASE("in every order and with a cancellation injected, no task outlives its group") {
    const auto runs = in_every_order(
        [] {
            int alive = 0;
            const auto child = [&alive](bool fails) {
                return [&alive, fails] {
                    struct Counted {
                        int& count;
                        explicit Counted(int& c) : count(c) { ++count; }
                        ~Counted() { --count; }
                    };
                    const Counted counted(alive);
                    await(create_task([] {}));
                    if (fails) {
                        fail();
                    }
                };
            };
            const auto parent = create_task([&] {
                task_group([&](TaskGroup& group) {
                    group.create_task(child(false));
                    group.create_task(child(true));
                });
            });
            try {
                await(parent);
            } catch (const CancelledError&) {
            } catch (const ExceptionGroup& group) {
                CHECK(texts(group) == child_failed);
            }
            CHECK(alive == 0);
        },
        {.cancellations = 1});
    CHECK(runs > 100);
}

TEST_CASE("in every order, a parent that is cancelled as its task fails ends as cancelled or with the error") {
    in_every_order([] {
        const auto parent = create_task([] {
            task_group([](TaskGroup& group) {
                group.create_task(fail);
                sleep(1h);
            });
            sleep(0s);
        });
        const auto canceller = create_task([&] { parent.cancel(); });
        try {
            await(parent);
            FAIL("the group threw nothing");
        } catch (const CancelledError&) {
            CHECK(parent.cancelling() == 1);
        } catch (const ExceptionGroup& group) {
            CHECK(texts(group) == child_failed);
            CHECK(parent.cancelling() <= 1);
        }
        await(canceller);
    });
}

TEST_CASE("a group costs asyncio's hops") {
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
        int begin = ticks;
        failures_of([] {
            task_group([](TaskGroup& group) {
                group.create_task(fail);
                group.create_task([] { sleep(1s); });
            });
        });
        CHECK(ticks - begin == 5);
        begin = ticks;
        failures_of([] {
            task_group([](TaskGroup& group) {
                group.create_task(fail);
                sleep(1s);
            });
        });
        CHECK(ticks - begin == 3);
        begin = ticks;
        task_group([](TaskGroup& group) { group.create_task([] {}); });
        CHECK(ticks - begin == 3);
        ticker.cancel();
    });
}
