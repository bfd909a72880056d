// Loops that talk to each other, and threads that talk to a loop.

#include <mishap/loop/executor.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <mishap/loop/coro.hpp>
#include <mishap/loop/run.hpp>
#include <mishap/loop/sleep.hpp>
#include <mishap/loop/thread.hpp>
#include <mishap/sim/dpor.hpp>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

/// Runs a loop in a thread of its own until it is told to stop.
class LoopThread {
public:
    LoopThread()
        : thread_(
              [this] {
                  loop.run_forever();
                  loop.close();
              },
              {.name = "loop thread"}) {}
    ~LoopThread() {
        loop.call_soon_threadsafe([this] { loop.stop(); });
        thread_.join();
    }
    EventLoop loop;

private:
    Thread thread_;
};

template <class F>
SearchResult search_interleavings(F body) {
    Dpor strategy;
    return search_with(strategy, body, {.sharing = Sharing::tracked}, 200'000);
}

}  // namespace

TEST_CASE("a callback from another thread is called by the loop, in the order in which the thread left it") {
    in_both_worlds([] {
        EventLoop& loop = get_running_loop();
        std::string log;
        const auto done = loop.create_future<void>();
        Thread other([&] {
            loop.call_soon_threadsafe([&] { log += '1'; });
            loop.call_soon_threadsafe([&] { log += '2'; });
            loop.call_soon_threadsafe([&] { done.set_result(); });
        });
        await(done);
        other.join();
        CHECK(log == "12");
    });
}

TEST_CASE("a thread runs a loop of its own") {
    in_both_worlds([] {
        int result = 0;
        bool is_other = false;
        EventLoop& own = get_running_loop();
        Thread thread([&] {
            result = mishap::run([&] {
                is_other = &get_running_loop() != &own;
                const auto task = create_task([] {
                    sleep(1ms);
                    return 20;
                });
                return await(task) + 1;
            });
        });
        thread.join();
        CHECK(result == 21);
        CHECK(is_other);
    });
}

TEST_CASE("two loops keep one clock, and neither waits for the other") {
    in_a_calm_world([] {
        std::vector<std::string> log;
        Thread thread([&] {
            mishap::run([&] {
                sleep(1s);
                log.push_back("guest 1");
                sleep(2s);
                log.push_back("guest 3");
            });
        });
        sleep(2s);
        log.push_back("root 2");
        sleep(2s);
        log.push_back("root 4");
        thread.join();
        CHECK(log == std::vector<std::string>{"guest 1", "root 2", "guest 3", "root 4"});
    });
}

TEST_CASE("run_coroutine_threadsafe runs a function, or what makes a coroutine, as a task of the loop") {
    in_both_worlds([] {
        LoopThread other;
        const auto sum = run_coroutine_threadsafe(
            [] {
                sleep(1ms);
                return 3;
            },
            other.loop);
        const auto coroutine = run_coroutine_threadsafe(
            []() -> Coro<int> {
                co_await sleep(1ms);
                co_return 4;
            },
            other.loop);
        CHECK(sum.result() == 3);
        CHECK(coroutine.result() == 4);
        const auto bad = run_coroutine_threadsafe([] { throw std::runtime_error("Fail!"); }, other.loop);
        CHECK_THROWS_WITH(bad.result(), "Fail!");
    });
}

TEST_CASE("a thread that gives up waiting cancels the task (anyio 1011, anyio 1013)") {
    in_both_worlds([] {
        LoopThread other;
        bool was_cancelled = false;
        const auto future = run_coroutine_threadsafe(
            [&] {
                try {
                    sleep(10s);
                } catch (const CancelledError&) {
                    was_cancelled = true;
                    throw;
                }
            },
            other.loop);
        CHECK_THROWS_AS(future.result(5ms), TimeoutError);
        CHECK(future.cancel());
        run_coroutine_threadsafe([] { sleep(0s); }, other.loop).result();
        CHECK(was_cancelled);
    });
}

TEST_CASE("a task that is cancelled in its loop cancels the future of the thread") {
    in_both_worlds([] {
        LoopThread other;
        const auto future = run_coroutine_threadsafe([] { current_task().cancel(), sleep(0s); }, other.loop);
        CHECK_THROWS_AS(future.result(), concurrent::CancelledError);
        CHECK(future.cancelled());
    });
}

TEST_CASE("what a task factory throws is the thread's, and the loop's exception handler's") {
    in_a_calm_world([] {
        LoopThread other;
        std::string told;
        run_coroutine_threadsafe(
            [&] {
                get_running_loop().set_exception_handler(
                    [&](EventLoop&, const LoopException& what) { told = describe_exception(what.exception); });
                get_running_loop().set_task_factory(
                    [](EventLoop&, TaskMaker&, const TaskOptions&) -> AnyTask { throw std::runtime_error("no tasks today"); });
            },
            other.loop)
            .result();
        CHECK_THROWS_WITH(run_coroutine_threadsafe([] {}, other.loop).result(), "no tasks today");
        CHECK(told.find("no tasks today") != std::string::npos);
        other.loop.set_task_factory(nullptr);
    });
}

TEST_CASE("a cancellation before, between or after ends the task in every order (gh-105836)") {
    std::set<std::string> seen;
    const SearchResult result = search_interleavings([&] {
        std::string story = "never begun";
        EventLoop& loop = get_running_loop();
        const auto parked = loop.create_future<void>();
        Thread other([&] {
            const auto future = run_coroutine_threadsafe(
                [&] {
                    story = "begun";
                    try {
                        await(parked);
                        story = "went on";
                    } catch (const CancelledError&) {
                        story = "cancelled";
                        throw;
                    }
                },
                loop);
            future.cancel();
        });
        for (int i = 0; i < 4; ++i) {
            sleep(1s);
        }
        other.join();
        claim(story != "begun", "the task was left alone");
        claim(all_tasks().size() == 1, "the task lives on");
        seen.insert(story);
    });
    CHECK(verdict(result) == "passes");
    CHECK(seen == std::set<std::string>{"never begun", "cancelled"});
}

TEST_CASE("two loops that count what each other sends lose nothing, in every order") {
    const SearchResult result = search_interleavings([] {
        EventLoop& root = get_running_loop();
        int received = 0;
        Thread thread([&] {
            mishap::run([&] {
                const int sent = run_coroutine_threadsafe([&] { return ++received; }, root).result();
                claim(sent == 1, "the answer is another's");
            });
        });
        sleep(1s);
        thread.join();
        claim(received == 1, "a message was lost");
    });
    CHECK(verdict(result) == "passes");
    CHECK(result.is_exhausted);
}

TEST_CASE("tasks of one loop are explored in every order, beside those of another") {
    std::set<std::string> seen;
    const SearchResult result = search_every_order([&] {
        std::string log;
        Thread thread([&] {
            mishap::run([&] {
                const auto a = create_task([&] { log += 'a'; });
                const auto b = create_task([&] { log += 'b'; });
                await(a);
                await(b);
            });
        });
        thread.join();
        seen.insert(log);
    });
    CHECK(verdict(result) == "passes");
    CHECK(seen == std::set<std::string>{"ab", "ba"});
}

TEST_CASE("two loops that wait for each other are stuck, and the report knows both") {
    const SearchResult result = search_every_order([] {
        EventLoop& root = get_running_loop();
        Thread thread([&] { mishap::run([&] { run_coroutine_threadsafe([] {}, root).result(); }); });
        thread.join();  // blocks the loop that the other needs
    });
    REQUIRE(result.failure.has_value());
    CHECK(result.failure->finding.kind == FindingKind::stuck);
}

TEST_CASE("a call from the wrong thread is a finding") {
    const auto label = [](auto body) {
        const SearchResult result = search_every_order(body);
        return result.failure.has_value() ? std::string(to_text(result.failure->finding.kind)) : verdict(result);
    };
    // A task of another loop schedules.
    CHECK(label([] {
        EventLoop& root = get_running_loop();
        Thread thread([&] { mishap::run([&] { root.call_soon([] {}); }); });
        thread.join();
    }) == "call from the wrong thread");
    // The root's task schedules on a loop that a thread runs.
    CHECK(label([] {
        LoopThread other;
        other.loop.create_task([] {});
    }) == "call from the wrong thread");
    // A thread completes a future that a task waits for.
    CHECK(label([] {
        const auto future = get_running_loop().create_future<void>();
        const auto waits = create_task([&] { await(future); });
        sleep(0s);
        Thread thread([&] { future.set_result(); });
        thread.join();
        await(waits);
    }) == "call from the wrong thread");
    // The repaired twin.
    CHECK(label([] {
        EventLoop& root = get_running_loop();
        const auto future = root.create_future<void>();
        Thread thread([&] { root.call_soon_threadsafe([&] { future.set_result(); }); });
        await(future);
        thread.join();
    }) == "passes");
}

TEST_CASE("a loop that is not run yet can be given work by who made it") {
    in_both_worlds([] {
        int result = 0;
        Thread thread([&] {
            EventLoop loop;
            const auto task = loop.create_task([] { return 5; });
            result = loop.run_until_complete(static_cast<const Future<int>&>(task));
            CHECK_FALSE(loop.is_running());
            result += loop.run_until_complete([] { return 6; });
        });
        thread.join();
        CHECK(result == 11);
    });
}

TEST_CASE("a closed loop takes no calls from other threads, and says so") {
    in_both_worlds([] {
        EventLoop loop;
        loop.close();
        CHECK_THROWS_AS(loop.call_soon_threadsafe([] {}), UsageError);
        CHECK_THROWS_AS(run_coroutine_threadsafe([] {}, loop), UsageError);
    });
}

TEST_CASE("a call that meets the close of its loop is made, dropped or refused, in every order (trio 1738)") {
    const auto stories_of = [](auto search) {
        std::set<std::string> seen;
        const SearchResult result = search([&seen] {
            bool was_called = false;
            bool was_refused = false;
            auto loop = std::make_unique<EventLoop>();
            Thread thread([&] {
                loop->run_until_complete([] { sleep(0s); });
                loop->close();
            });
            try {
                loop->call_soon_threadsafe([&] { was_called = true; });
            } catch (const UsageError&) {
                was_refused = true;
            }
            thread.join();
            claim(!was_called || !was_refused, "a call was refused and made all the same");
            claim(loop->is_closed(), "the loop is open");
            seen.insert(was_called ? "called" : was_refused ? "refused" : "dropped");
        });
        CHECK(verdict(result) == "passes");
        return seen;
    };
    const std::set<std::string> all{"called", "dropped", "refused"};
    CHECK(stories_of([](auto body) { return search_every_order(body, {.sharing = Sharing::tracked}); }) == all);
    CHECK(stories_of([](auto body) { return search_interleavings(body); }) == all);
}

TEST_CASE("calls of two threads meet the close of a loop: those that were called came in order, the rest were told or dropped") {
    const SearchResult result = search_interleavings([] {
        std::vector<int> called;
        int refused = 0;
        EventLoop loop;
        Thread owner([&] {
            loop.run_until_complete([] {});
            loop.close();
        });
        const auto call_twice = [&](int first) {
            for (const int number : {first, first + 1}) {
                try {
                    loop.call_soon_threadsafe([&called, number] { called.push_back(number); });
                } catch (const UsageError&) {
                    ++refused;
                }
            }
        };
        Thread other([&] { call_twice(10); });
        call_twice(20);
        other.join();
        owner.join();
        claim(called.size() + static_cast<std::size_t>(refused) <= 4, "a call was made twice, or refused and made");
        for (const int first : {10, 20}) {
            const auto one = std::find(called.begin(), called.end(), first);
            const auto next = std::find(called.begin(), called.end(), first + 1);
            claim(next == called.end() || one < next, "two calls of one thread changed places");
        }
    });
    CHECK(verdict(result) == "passes");
    CHECK(result.is_exhausted);
}

TEST_CASE("calls from a real thread until the loop is closed are made in order, and then refused", "[real]") {
    std::vector<int> called;
    int accepted = 0;
    EventLoop loop;
    std::thread caller([&] {
        try {
            for (;; ++accepted) {
                loop.call_soon_threadsafe([&called, number = accepted] { called.push_back(number); });
                std::this_thread::sleep_for(1us);  // else the loop, where it is slower, is never done
            }
        } catch (const UsageError&) {
        }
    });
    loop.run_until_complete([&] {
        while (called.size() < 100) {
            sleep(0s);
        }
    });
    loop.close();
    caller.join();
    CHECK(called.size() <= static_cast<std::size_t>(accepted));
    CHECK(std::is_sorted(called.begin(), called.end()));
}

TEST_CASE("who waits for a task of a loop that is closed meanwhile is told, in every order") {
    std::set<std::string> seen;
    const SearchResult result = search_interleavings([&seen] {
        EventLoop loop;
        Thread owner([&] {
            loop.run_until_complete([] {});
            loop.cancel_all_tasks();
            loop.close();
        });
        try {
            seen.insert(run_coroutine_threadsafe([] { return std::string("done"); }, loop).result());
        } catch (const concurrent::CancelledError&) {
            seen.insert("cancelled");
        } catch (const UsageError&) {
            seen.insert("refused");
        }
        owner.join();
    });
    CHECK(verdict(result) == "passes");
    CHECK(result.is_exhausted);
    CHECK(seen == std::set<std::string>{"cancelled", "done", "refused"});
}

TEST_CASE("tasks that are left when a thread's run ends are cancelled") {
    in_both_worlds([] {
        bool was_cancelled = false;
        Thread thread([&] {
            mishap::run([&] {
                create_task([&] {
                    try {
                        sleep(1h);
                    } catch (const CancelledError&) {
                        was_cancelled = true;
                        throw;
                    }
                });
                sleep(0s);
            });
        });
        thread.join();
        CHECK(was_cancelled);
    });
}

TEST_CASE("the callbacks of tasks that a thread's run cancels at its end are called, in every order") {
    const SearchResult result = search_interleavings([] {
        int called = 0;
        Thread thread([&] {
            mishap::run([&] {
                for (int i = 0; i < 2; ++i) {
                    create_task([] { sleep(1h); }).add_done_callback([&](const Future<void>&) { ++called; });
                }
            });
        });
        thread.join();
        claim(called == 2, "a callback was not called");
    });
    CHECK(verdict(result) == "passes");
    CHECK(result.is_exhausted);
}

TEST_CASE("a callback that schedules itself for ever does not keep a thread's run from ending") {
    in_both_worlds([] {
        Thread thread([] {
            mishap::run([] {
                create_task([] { sleep(1h); });
                const auto again = std::make_shared<std::function<void()>>();
                *again = [&loop = get_running_loop(), weak = std::weak_ptr(again)] {
                    if (const auto alive = weak.lock()) {
                        loop.call_soon(*alive);
                    }
                };
                get_running_loop().call_soon([again] { (*again)(); });
                sleep(0s);
            });
        });
        thread.join();
    });
}

TEST_CASE("loops and threads that are left when a run ends are unwound") {
    int unwound = 0;
    struct Counts {
        int& count;
        ~Counts() { ++count; }
    };
    in_a_calm_world([&] {
        Thread thread([&] {
            const Counts counts{unwound};
            mishap::run([&] {
                const Counts inner{unwound};
                sleep(1h);
            });
        });
        thread.detach();
        sleep(1s);
    });
    CHECK(unwound == 2);
}

TEST_CASE("a second loop in one thread is refused") {
    in_both_worlds([] { CHECK_THROWS_AS(mishap::run([] {}), UsageError); });
    in_a_calm_world([] {
        EventLoop other;
        CHECK_THROWS_AS(other.run_forever(), UsageError);
        Thread thread([] { mishap::run([] { CHECK_THROWS_AS(mishap::run([] {}), UsageError); }); });
        thread.join();
    });
}
