#include <mishap/loop/run.hpp>

#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <mishap/loop/await.hpp>
#include <mishap/loop/coro.hpp>
#include <mishap/loop/sleep.hpp>

#include "child_process.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

/// Leaves SIGINT to the system for as long as it lives: the test framework handles it.
class PlainSigint {
public:
    PlainSigint() : before_(std::signal(SIGINT, SIG_DFL)) {}
    ~PlainSigint() { std::signal(SIGINT, before_); }
    PlainSigint(const PlainSigint&) = delete;
    PlainSigint& operator=(const PlainSigint&) = delete;

private:
    void (*before_)(int);
};

/// Runs `body` with options that make real loops, then with such that make loops of a calm simulated world.
template <class F>
void with_loops_of_both_worlds(F body) {
    {
        INFO("in the real world");
        body(RunOptions{});
    }
    {
        INFO("in the simulated world");
        World world{WorldOptions{}};
        world.begin_run(nullptr);
        body(RunOptions{.loop_factory = [&world] { return std::make_unique<EventLoop>(world); }});
    }
}

Coro<int> add(int a, int b) {
    co_await sleep(0s);
    co_return a + b;
}

}  // namespace

TEST_CASE("run returns the result of a function or a coroutine, or throws what it throws") {
    with_loops_of_both_worlds([](const RunOptions& options) {
        CHECK(mishap::run([] { return 12; }, options) == 12);
        CHECK(mishap::run(add(1, 2), options) == 3);
        CHECK(mishap::run([] { return add(3, 4); }, options) == 7);
        CHECK_THROWS_AS(mishap::run([] { throw std::runtime_error("x"); }, options), std::runtime_error);
        CHECK_THROWS_AS(mishap::run([] { current_task().cancel(); }, options), CancelledError);
    });
}

TEST_CASE("run turns debug mode on or off as it is told") {
    with_loops_of_both_worlds([](RunOptions options) {
        CHECK(!mishap::run([] { return get_running_loop().get_debug(); }, options));
        options.debug = true;
        CHECK(mishap::run([] { return get_running_loop().get_debug(); }, options));
        options.debug = false;
        CHECK(!mishap::run([] { return get_running_loop().get_debug(); }, options));
    });
}

TEST_CASE("run does not run inside a running loop") {
    with_loops_of_both_worlds([](const RunOptions& options) {
        mishap::run(
            [] {
                CHECK_THROWS_AS(mishap::run([] {}), UsageError);
                Runner runner;
                CHECK_THROWS_AS(runner.run([] {}), UsageError);
            },
            options);
    });
}

TEST_CASE("run cancels the tasks that are left and waits for them") {
    with_loops_of_both_worlds([](const RunOptions& options) {
        Task<void> left;
        std::vector<std::string> log;
        mishap::run(
            [&] {
                create_task([&] {
                    try {
                        sleep(1000s);
                    } catch (const CancelledError&) {
                        log.push_back("cancelled");
                        sleep(1ms);
                        log.push_back("cleaned up");
                        throw;
                    }
                });
                sleep(0s);
                return 1;
            },
            options);
        CHECK(log == std::vector<std::string>{"cancelled", "cleaned up"});
    });
}

TEST_CASE("the callbacks of tasks that run cancels at its end are called") {
    with_loops_of_both_worlds([](const RunOptions& options) {
        std::string log;
        mishap::run(
            [&] {
                for (const char name : {'a', 'b'}) {
                    create_task([] { sleep(1000s); }).add_done_callback([&log, name](const Future<void>& task) {
                        log += name;
                        task.get_loop().call_soon([&log] { log += '.'; });
                    });
                }
                sleep(0s);
            },
            options);
        CHECK(log == "ba..");  // newest first
    });
}

TEST_CASE("run tells the exception handler what tasks failed with that it cancelled") {
    with_loops_of_both_worlds([](const RunOptions& options) {
        std::vector<std::string> told;
        mishap::run(
            [&] {
                get_running_loop().set_exception_handler([&](EventLoop& loop, const LoopException& what) {
                    CHECK(!loop.is_closed());
                    told.push_back(what.message + ": " + describe_exception(what.exception) + ", " + what.subject);
                });
                create_task(
                    [] {
                        try {
                            sleep(1000s);
                        } catch (const CancelledError&) {
                            throw std::runtime_error("on the way out");
                        }
                    },
                    {.name = "left"});
                sleep(0s);
            },
            options);
        REQUIRE(told.size() == 1);
        CHECK(told[0].find("unhandled exception while run() cancelled what was left: std::runtime_error: on the way out") == 0);
        CHECK(told[0].find("left") != std::string::npos);
    });
}

TEST_CASE("run makes its loop with the factory it is given, and closes it") {
    int made = 0;
    EventLoop* loop = nullptr;
    const auto factory = [&] {
        ++made;
        auto own = std::make_unique<EventLoop>();
        loop = own.get();
        return own;
    };
    mishap::run([&] { CHECK(&get_running_loop() == loop); }, {.loop_factory = factory});
    CHECK(made == 1);
    CHECK_THROWS_AS(get_event_loop(), UsageError);
}

TEST_CASE("what was registered for the shutdown is called when the tasks have ended, generators before executors") {
    with_loops_of_both_worlds([](const RunOptions& options) {
        std::vector<std::string> log;
        mishap::run(
            [&] {
                EventLoop& loop = get_running_loop();
                loop.set_exception_handler([&](EventLoop&, const LoopException& what) { log.push_back(what.message); });
                loop.at_shutdown(ShutdownPhase::executors, [&] { log.push_back("executor"); });
                loop.at_shutdown(ShutdownPhase::generators, [&] {
                    sleep(1ms);
                    log.push_back("generator");
                });
                loop.at_shutdown(ShutdownPhase::generators, [] { throw std::runtime_error("x"); });
                create_task([&] {
                    try {
                        sleep(1000s);
                    } catch (const CancelledError&) {
                        log.push_back("task");
                    }
                });
                sleep(0s);
            },
            options);
        CHECK(log == std::vector<std::string>{"task", "generator", "a shutdown function failed", "executor"});
    });
}

TEST_CASE("SIGINT cancels main, which may clean up, and becomes a KeyboardInterrupt", "[real]") {
    const PlainSigint plain;
    std::string log;
    const auto interrupted = [&](auto wait) {
        return [&log, wait] {
            std::raise(SIGINT);
            try {
                wait();
            } catch (const CancelledError&) {
                sleep(1ms);
                log += "cleaned up;";
                throw;
            }
        };
    };
    CHECK_THROWS_AS(mishap::run(interrupted([] { sleep(1h); })), KeyboardInterrupt);
    CHECK_THROWS_AS(mishap::run(interrupted([] { get_running_loop().create_future<void>(); sleep(1h); })), KeyboardInterrupt);
    CHECK_THROWS_AS(mishap::run(interrupted([] {
                        for (;;) {
                            sleep(0s);  // the loop never waits
                        }
                    })),
                    KeyboardInterrupt);
    CHECK(log == "cleaned up;cleaned up;cleaned up;");
    Runner runner;
    CHECK_THROWS_AS(runner.run(interrupted([] { sleep(1h); })), KeyboardInterrupt);
    CHECK(runner.run([] { return 1; }) == 1);
    CHECK(std::signal(SIGINT, SIG_DFL) == SIG_DFL);
}

TEST_CASE("a main that swallows the cancellation by SIGINT ends as it likes, and a cancellation of its own is none", "[real]") {
    const PlainSigint plain;
    CHECK(mishap::run([] {
              std::raise(SIGINT);
              try {
                  sleep(1h);
              } catch (const CancelledError&) {
                  return 3;
              }
              return 0;
          }) == 3);
    // Somebody else has cancelled it, too.
    CHECK_THROWS_AS(mishap::run([] {
                        get_running_loop().call_later(2ms, [main = current_task()] { main.cancel(); });
                        std::raise(SIGINT);
                        try {
                            sleep(1h);
                        } catch (const CancelledError&) {
                            sleep(1h);
                        }
                    }),
                    CancelledError);
    CHECK_THROWS_AS(mishap::run([] {
                        current_task().cancel();
                        sleep(1h);
                    }),
                    CancelledError);
}

TEST_CASE("a second SIGINT ends the process, and so does one that main has not heard", "[real]") {
    const PlainSigint plain;
    const auto twice = detail::run_in_child([] {
        mishap::run([] {
            std::raise(SIGINT);
            try {
                sleep(1h);
            } catch (const CancelledError&) {
                std::raise(SIGINT);
            }
        });
    });
    CHECK(twice.signal == SIGINT);
    const auto late = detail::run_in_child([] { mishap::run([] { std::raise(SIGINT); }); });
    CHECK(late.signal == SIGINT);
}

TEST_CASE("SIGINT is left alone in other threads, in simulated worlds, and where somebody handles it", "[real]") {
    const PlainSigint plain;
    const auto handler = [] { return std::signal(SIGINT, SIG_DFL); };
    void (*present)(int) = nullptr;
    std::thread([&] { mishap::run([&] { present = handler(); }); }).join();
    CHECK(present == SIG_DFL);
    in_a_calm_world([&] { present = handler(); });
    CHECK(present == SIG_DFL);
    static volatile std::sig_atomic_t heard = 0;
    std::signal(SIGINT, [](int) { heard = heard + 1; });
    mishap::run([] {
        std::raise(SIGINT);
        sleep(1ms);
    });
    CHECK(heard == 1);
    std::signal(SIGINT, SIG_DFL);
}

TEST_CASE("a Runner runs several times in one loop and one context") {
    with_loops_of_both_worlds([](const RunOptions& options) {
        const ContextVar<int> number{"number", 0};
        Runner runner(options);
        EventLoop& loop = runner.get_loop();
        CHECK(runner.run([&] {
            CHECK(&get_running_loop() == &loop);
            return number.get();
        }) == 0);
        runner.run([&] { number.set(1); });
        CHECK(runner.run([&] { return number.get(); }) == 1);
        const Context context;
        runner.run([&] { number.set(2); }, context);
        CHECK(context.get(number) == 2);
        CHECK(runner.run([&] { return number.get(); }) == 1);
        CHECK(number.get() == 0);
    });
}

TEST_CASE("a Runner leaves tasks to its next run, and ends them when it is closed") {
    with_loops_of_both_worlds([](const RunOptions& options) {
        std::vector<int> log;
        {
            Runner runner(options);
            runner.run([&] {
                create_task([&] {
                    log.push_back(1);
                    sleep(1ms);
                    log.push_back(2);
                    try {
                        sleep(1000s);
                    } catch (const CancelledError&) {
                        log.push_back(3);
                    }
                });
                sleep(0s);
            });
            CHECK(log == std::vector<int>{1});
            runner.run([] { sleep(20ms); });
            CHECK(log == std::vector<int>{1, 2});
        }
        CHECK(log == std::vector<int>{1, 2, 3});
    });
}

TEST_CASE("a closed Runner closes its loop, stays closed, and is of no use") {
    with_loops_of_both_worlds([](const RunOptions& options) {
        Runner unused(options);
        unused.close();
        CHECK_THROWS_AS(unused.run([] {}), UsageError);
        Runner runner(options);
        runner.run([] {});
        runner.close();
        runner.close();
        CHECK_THROWS_AS(runner.get_loop(), UsageError);
        CHECK_THROWS_AS(runner.run([] {}), UsageError);
    });
}

TEST_CASE("the loop of a Runner without a factory is the one that get_event_loop returns") {
    CHECK_THROWS_AS(get_event_loop(), UsageError);
    {
        Runner runner;
        EventLoop& loop = runner.get_loop();
        CHECK(&get_event_loop() == &loop);
        runner.run([&] { CHECK(&get_event_loop() == &loop); });
        CHECK(&get_event_loop() == &loop);
    }
    CHECK_THROWS_AS(get_event_loop(), UsageError);
    const auto own = new_event_loop();
    CHECK(!own->is_running());
    set_event_loop(own.get());
    CHECK(&get_event_loop() == own.get());
    own->close();
    CHECK_THROWS_AS(get_event_loop(), UsageError);
}
