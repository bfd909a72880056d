#include <mishap/primitives/async_with.hpp>

#include <stdexcept>
#include <string>
#include <vector>

#include <mishap/primitives/lock.hpp>
#include <mishap/primitives/queue.hpp>
#include <mishap/primitives/queue_items.hpp>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

using Log = std::vector<std::string>;

/// A guard whose entry and exit wait.
struct Session {
    Log& log;
    std::string name = "session";
    bool takes_exceptions = false;

    std::string aenter() {
        sleep(1ms);
        log.push_back("enter " + name);
        return name;
    }
    bool aexit(const std::exception_ptr& failure) {
        log.push_back((failure != nullptr ? "fail " : "exit ") + name);
        sleep(1ms);
        return takes_exceptions;
    }
};

/// The same, of coroutines.
struct CoroSession {
    Log& log;
    Coro<int> aenter() {
        co_await sleep(1ms);
        log.push_back("enter");
        co_return 7;
    }
    Coro<void> aexit(std::exception_ptr) {
        co_await sleep(1ms);
        log.push_back("exit");
    }
};

AsyncGenerator<int> resource(Log& log) {
    co_await sleep(1ms);
    log.push_back("enter");
    try {
        co_yield 5;
    } catch (const std::runtime_error&) {
        log.push_back("caught");
    }
    log.push_back("exit");
}

AsyncGenerator<int> letting_pass(Log& log) {
    struct Exit {
        Log& log;
        ~Exit() { log.push_back("exit"); }
    } const exit{log};
    co_yield 5;
}

}  // namespace

TEST_CASE("async_with enters, runs the body with what entering gave, leaves, and returns the body's result") {
    in_both_worlds([] {
        Log log;
        const int length = async_with(Session{log}, [&](const std::string& name) {
            log.push_back("body of " + name);
            return static_cast<int>(name.size());
        });
        CHECK(length == 7);
        async_with(CoroSession{log}, [&](int value) { log.push_back(std::to_string(value)); });
        CHECK(log == Log{"enter session", "body of session", "exit session", "enter", "7", "exit"});
    });
}

TEST_CASE("the body of async_with may be a coroutine, or want nothing of what entering gave") {
    in_both_worlds([] {
        Log log;
        const int result = async_with(CoroSession{log}, [&](int value) -> Coro<int> {
            co_await sleep(1ms);
            co_return value * 2;
        });
        CHECK(result == 14);
        CHECK(async_with(CoroSession{log}, [] { return 3; }) == 3);
    });
}

TEST_CASE("the guard is left when the body throws, and told what") {
    in_both_worlds([] {
        Log log;
        CHECK_THROWS_AS(async_with(Session{log}, [](std::string&) { throw std::runtime_error("boom"); }), std::runtime_error);
        CHECK(log == Log{"enter session", "fail session"});
    });
}

TEST_CASE("a guard that takes the exception upon itself ends it, unless a result is missing then") {
    in_both_worlds([] {
        Log log;
        async_with(Session{log, "s", true}, [] { throw std::runtime_error("boom"); });
        CHECK_THROWS_AS(async_with(Session{log, "s", true}, []() -> int { throw std::runtime_error("boom"); }), UsageError);
    });
}

TEST_CASE("what entering throws is thrown, and the guard is not left") {
    in_both_worlds([] {
        struct Closed {
            int& left;
            void aenter() { throw std::runtime_error("closed"); }
            void aexit(const std::exception_ptr&) { ++left; }
        };
        int left = 0;
        CHECK_THROWS_AS(async_with(Closed{left}, [] {}), std::runtime_error);
        CHECK(left == 0);
    });
}

TEST_CASE("what leaving throws replaces what the body threw") {
    in_both_worlds([] {
        struct Bad {
            void aenter() {}
            void aexit(const std::exception_ptr&) { throw std::logic_error("leaving"); }
        };
        CHECK_THROWS_AS(async_with(Bad{}, [] { throw std::runtime_error("body"); }), std::logic_error);
        CHECK_THROWS_AS(async_with(Bad{}, [] {}), std::logic_error);
    });
}

TEST_CASE("async_with takes and gives back a lock") {
    in_both_worlds([] {
        Lock lock;
        CHECK(async_with(lock, [&] { return lock.locked(); }));
        CHECK(!lock.locked());
        CHECK_THROWS_AS(async_with(lock, [] { throw std::runtime_error("boom"); }), std::runtime_error);
        CHECK(!lock.locked());
    });
}

TEST_CASE("a generator that yields once is a guard") {
    in_both_worlds([] {
        Log log;
        CHECK(async_with(async_context_manager(resource(log)), [](int value) { return value; }) == 5);
        CHECK(log == Log{"enter", "exit"});
        async_with(async_context_manager(resource(log)), [] { throw std::runtime_error("caught by the generator"); });
        CHECK(log == Log{"enter", "exit", "enter", "caught", "exit"});
    });
}

TEST_CASE("a generator that lets the body's exception pass leaves it as it is") {
    in_both_worlds([] {
        Log log;
        std::exception_ptr thrown;
        const auto body = [&] {
            try {
                throw std::logic_error("boom");
            } catch (const std::logic_error&) {
                thrown = std::current_exception();
                throw;
            }
        };
        try {
            async_with(async_context_manager(letting_pass(log)), body);
            CHECK(false);
        } catch (const std::logic_error&) {
            CHECK(std::current_exception() == thrown);
        }
        CHECK(log == Log{"exit"});
    });
}

TEST_CASE("a generator that replaces the exception is heard, one that yields never or twice is told off") {
    in_both_worlds([] {
        const auto replacing = []() -> AsyncGenerator<int> {
            try {
                co_yield 1;
            } catch (const std::runtime_error&) {
                throw std::logic_error("replaced");
            }
        };
        CHECK_THROWS_AS(async_with(async_context_manager(replacing()), [] { throw std::runtime_error("x"); }), std::logic_error);
        const auto yielding = [](int times) -> AsyncGenerator<int> {
            for (int i = 0; i < times; ++i) {
                co_yield i;
            }
        };
        CHECK_THROWS_AS(async_with(async_context_manager(yielding(0)), [] {}), UsageError);
        CHECK_THROWS_AS(async_with(async_context_manager(yielding(2)), [] {}), UsageError);
    });
}

TEST_CASE("aclosing closes a generator however its body ends") {
    in_both_worlds([] {
        Log log;
        const auto items_of_log = [&]() -> AsyncGenerator<int> {
            try {
                co_yield 1;
                co_yield 2;
            } catch (const GeneratorExit&) {
                sleep(1ms);
                log.push_back("closed");
            }
        };
        auto left = items_of_log();
        async_with(aclosing(left), [&] {
            for ([[maybe_unused]] const int item : left) {
                break;
            }
        });
        auto failed = items_of_log();
        CHECK_THROWS_AS(async_with(aclosing(failed),
                                   [&](AsyncGenerator<int>& items) {
                                       await(items.next());
                                       throw std::runtime_error("boom");
                                   }),
                        std::runtime_error);
        auto unbegun = items_of_log();
        async_with(aclosing(unbegun), [] {});
        CHECK(log == Log{"closed", "closed"});
    });
}

TEST_CASE("a stack of guards leaves them last in, first out, and calls what was pushed") {
    in_both_worlds([] {
        Log log;
        Session first{log, "first"};
        Session second{log, "second"};
        Lock lock;
        AsyncExitStack stack;
        async_with(stack, [&](AsyncExitStack& entered) {
            CHECK(entered.enter_async_context(first) == "first");
            entered.push_async_callback([&]() -> Coro<void> {
                co_await sleep(1ms);
                log.push_back("callback");
            });
            entered.enter_async_context(lock);
            entered.enter_async_context(second);
            CHECK(lock.locked());
        });
        CHECK(!lock.locked());
        CHECK(log == Log{"enter first", "enter second", "exit second", "callback", "exit first"});
        stack.aclose();
        CHECK(log.size() == 5);
    });
}

TEST_CASE("in a stack what one guard throws is what the next is told, and one that takes it ends it") {
    in_both_worlds([] {
        Log log;
        Session taking{log, "taking", true};
        Session told{log, "told"};
        const auto throwing = [] { throw std::logic_error("callback"); };
        async_with(AsyncExitStack(), [&](AsyncExitStack& stack) {
            stack.enter_async_context(taking);
            stack.enter_async_context(told);
            stack.push_async_callback(throwing);
            throw std::runtime_error("body");
        });
        CHECK(log == Log{"enter taking", "enter told", "fail told", "fail taking"});
        CHECK_THROWS_AS(async_with(AsyncExitStack(),
                                   [&](AsyncExitStack& stack) {
                                       stack.push_async_callback(throwing);
                                       throw std::runtime_error("body");
                                   }),
                        std::logic_error);
    });
}

TEST_CASE("in every order and with every cancellation, what was entered is left exactly once") {
    WorldOptions options;
    options.cancellations = 2;
    const auto result = search_every_order(
        [] {
            int entered = 0;
            int left = 0;
            struct Counting {
                int& entered;
                int& left;
                void aenter() {
                    sleep(1ms);
                    ++entered;
                }
                void aexit(const std::exception_ptr&) {
                    ++left;
                    sleep(1ms);
                }
            };
            Lock lock;
            const auto use = [&] {
                async_with(Counting{entered, left}, [&] { async_with(lock, [] { sleep(1ms); }); });
            };
            const auto one = create_task(use);
            const auto other = create_task(use);
            ended_well(one);
            ended_well(other);
            claim(entered == left, "who has entered has left");
            claim(!lock.locked(), "the lock is free");
        },
        options);
    CHECK(verdict(result) == "passes");
    CHECK(result.runs > 50);
}

TEST_CASE("the items of a queue come until it is shut down") {
    in_both_worlds([] {
        Queue<int> queue(1);
        const auto producer = create_task([&] {
            for (int i = 1; i <= 3; ++i) {
                queue.put(i);
                sleep(1ms);
            }
            queue.shutdown();
        });
        int sum = 0;
        for (int& item : items_of(queue)) {
            sum += item;
        }
        CHECK(sum == 6);
        await(producer);
        CHECK(!items_of(queue).next().has_value());
    });
}
