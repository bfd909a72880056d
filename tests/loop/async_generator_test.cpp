#include <mishap/loop/async_generator.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

using Log = std::vector<std::string>;

AsyncGenerator<int> count_to(int last) {
    for (int i = 1; i <= last; ++i) {
        co_await sleep(1ms);
        co_yield i;
    }
}

/// Says what becomes of it; its cleanup waits.
AsyncGenerator<int> logged(Log& log) {
    log.push_back("begins");
    try {
        co_yield 1;
        co_yield 2;
    } catch (const GeneratorExit&) {
        log.push_back("is closed");
        sleep(1ms);
        log.push_back("has cleaned up");
        throw;
    }
    log.push_back("ends");
}

struct Counted {
    explicit Counted(int& alive_) : alive(&alive_) { ++*alive; }
    Counted(const Counted& other) : alive(other.alive) { ++*alive; }
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --*alive; }
    int* alive;
};

/// Holds something for as long as its body has not ended.
AsyncGenerator<int> holding(int& alive, int last) {
    const Counted held(alive);
    for (int i = 1; i <= last; ++i) {
        co_await sleep(1ms);
        co_yield i;
    }
}

std::vector<std::string> warnings_of(void (*body)()) {
    std::vector<std::string> texts;
    in_a_calm_world([&] {
        get_running_loop().set_log_handler([&](EventLoop&, const LogRecord& record) { texts.push_back(record.message); });
        body();
    });
    return texts;
}

}  // namespace

TEST_CASE("a function iterates over a generator, and waits as it moves on") {
    in_both_worlds([] {
        const VirtualTime begin = get_running_loop().time();
        int sum = 0;
        for (int& item : count_to(4)) {
            sum += item;
            item = 0;  // an item is the iteration's own
        }
        CHECK(sum == 10);
        CHECK(get_running_loop().time() - begin >= 4ms);
    });
}

TEST_CASE("a coroutine asks a generator for its items until there is none") {
    in_both_worlds([] {
        const auto sum = []() -> Coro<int> {
            auto items = count_to(4);
            int result = 0;
            auto item = co_await items.next();
            while (item.has_value()) {
                result += *item;
                item = co_await items.next();
            }
            co_return result;
        };
        CHECK(await(sum()) == 10);
    });
}

TEST_CASE("a generator that is at its end stays there") {
    in_both_worlds([] {
        auto items = count_to(1);
        CHECK(await(items.next()) == 1);
        CHECK(!await(items.next()).has_value());
        CHECK(!await(items.next()).has_value());
        CHECK(!await(items.athrow(std::make_exception_ptr(std::runtime_error("late")))).has_value());
        await(items.aclose());
    });
}

TEST_CASE("a generator begins when it is asked for the first item") {
    in_both_worlds([] {
        Log log;
        auto items = logged(log);
        sleep(0s);
        CHECK(log.empty());
        CHECK(await(items.next()) == 1);
        CHECK(log == Log{"begins"});
        await(items.aclose());
    });
}

TEST_CASE("what can only be moved is yielded too") {
    in_both_worlds([] {
        const auto pointers = []() -> AsyncGenerator<std::unique_ptr<int>> {
            co_yield std::make_unique<int>(1);
            auto second = std::make_unique<int>(2);
            co_yield std::move(second);
        };
        int sum = 0;
        for (std::unique_ptr<int>& pointer : pointers()) {
            sum += *pointer;
        }
        CHECK(sum == 3);
    });
}

TEST_CASE("generators feed on generators, in one frame of stack") {
    in_both_worlds([] {
        struct Pipe {
            static AsyncGenerator<int> plus_one(AsyncGenerator<int> source) {
                auto item = co_await source.next();
                while (item.has_value()) {
                    co_yield *item + 1;
                    item = co_await source.next();
                }
            }
        };
        auto items = count_to(2);
        for (int depth = 0; depth < 300; ++depth) {
            items = Pipe::plus_one(std::move(items));
        }
        CHECK(await(items.next()) == 301);
        CHECK(await(items.next()) == 302);
        CHECK(!await(items.next()).has_value());
    });
}

TEST_CASE("a generator that throws has ended") {
    in_both_worlds([] {
        const auto failing = []() -> AsyncGenerator<int> {
            co_yield 1;
            throw std::runtime_error("boom");
        };
        auto items = failing();
        CHECK(await(items.next()) == 1);
        CHECK_THROWS_AS(await(items.next()), std::runtime_error);
        CHECK(!await(items.next()).has_value());
    });
}

TEST_CASE("aclose throws GeneratorExit where the generator has yielded, and waits for its cleanup") {
    in_both_worlds([] {
        Log log;
        auto items = logged(log);
        CHECK(await(items.next()) == 1);
        await(items.aclose());
        CHECK(log == Log{"begins", "is closed", "has cleaned up"});
        CHECK(!await(items.next()).has_value());
        await(items.aclose());  // once more: nothing
        CHECK(log.size() == 3);
    });
}

TEST_CASE("aclose of a generator that has not begun runs nothing of it") {
    in_both_worlds([] {
        Log log;
        auto items = logged(log);
        await(items.aclose());
        CHECK(!await(items.next()).has_value());
        CHECK(log.empty());
    });
}

TEST_CASE("a generator that swallows GeneratorExit and returns is closed, one that yields again is told off") {
    in_both_worlds([] {
        const auto swallowing = [](bool yields) -> AsyncGenerator<int> {
            try {
                co_yield 1;
            } catch (const GeneratorExit&) {
            }
            if (yields) {
                co_yield 2;
            }
        };
        auto quiet = swallowing(false);
        await(quiet.next());
        await(quiet.aclose());
        auto loud = swallowing(true);
        await(loud.next());
        CHECK_THROWS_AS(await(loud.aclose()), UsageError);
        await(loud.aclose());  // it is suspended at the second yield, and does not catch there
        CHECK(!await(loud.next()).has_value());
    });
}

TEST_CASE("what a cleanup throws comes out of aclose") {
    in_both_worlds([] {
        const auto failing = []() -> AsyncGenerator<int> {
            try {
                co_yield 1;
            } catch (const GeneratorExit&) {
                throw std::runtime_error("cleanup");
            }
        };
        auto items = failing();
        await(items.next());
        CHECK_THROWS_AS(await(items.aclose()), std::runtime_error);
        await(items.aclose());
    });
}

TEST_CASE("handlers of errors let GeneratorExit pass") {
    in_both_worlds([] {
        bool is_caught = false;
        const auto careful = [&]() -> AsyncGenerator<int> {
            try {
                co_yield 1;
            } catch (const std::exception&) {
                is_caught = true;
            }
        };
        auto items = careful();
        await(items.next());
        await(items.aclose());
        CHECK(!is_caught);
    });
}

TEST_CASE("while a task runs a generator, nobody else may ask it or close it (bpo-30773)") {
    in_both_worlds([] {
        auto items = count_to(2);
        const auto first = create_task(items.next());
        sleep(0s);
        CHECK(items.is_running());
        CHECK_THROWS_AS(await(items.next()), UsageError);
        CHECK_THROWS_AS(await(items.aclose()), UsageError);
        CHECK_THROWS_AS(await(items.athrow(std::make_exception_ptr(std::runtime_error("x")))), UsageError);
        CHECK(await(first) == 1);
        CHECK(await(items.next()) == 2);  // the refusals have changed nothing
        await(items.aclose());
    });
}

TEST_CASE("a generator goes on in whichever task asks it") {
    in_both_worlds([] {
        std::vector<std::string> who;
        const auto names = [&]() -> AsyncGenerator<int> {
            for (int i = 0; i < 2; ++i) {
                who.push_back(current_task().get_name());
                co_await sleep(1ms);
                who.push_back(current_task().get_name());
                co_yield i;
            }
        };
        auto items = names();
        await(create_task(items.next(), {.name = "a"}));
        await(create_task(items.next(), {.name = "b"}));
        CHECK(who == std::vector<std::string>{"a", "a", "b", "b"});
        await(items.aclose());
    });
}

TEST_CASE("athrow throws where the generator has yielded, and gives the next item if that is caught") {
    in_both_worlds([] {
        const auto catching = []() -> AsyncGenerator<std::string> {
            std::string caught = "nothing";
            try {
                co_yield caught;
            } catch (const std::runtime_error& error) {
                caught = error.what();
            }
            co_yield caught;
        };
        auto items = catching();
        CHECK(await(items.next()) == "nothing");
        CHECK(await(items.athrow(std::make_exception_ptr(std::runtime_error("boom")))) == "boom");
        CHECK_THROWS_AS(await(items.athrow(std::make_exception_ptr(std::logic_error("other")))), std::logic_error);
        auto unbegun = catching();
        CHECK_THROWS_AS(await(unbegun.athrow(std::make_exception_ptr(std::logic_error("early")))), std::logic_error);
        CHECK(!await(unbegun.next()).has_value());
    });
}

TEST_CASE("co_yield gives what asend sends, and nothing after next") {
    in_both_worlds([] {
        const auto echo = []() -> AsyncGenerator<std::string, int> {
            std::optional<int> got = co_yield "ready";
            while (got.has_value()) {
                const std::string text = std::to_string(*got);
                got = co_yield text;
            }
        };
        auto items = echo();
        CHECK_THROWS_AS(await(items.asend(1)), UsageError);
        CHECK(await(items.next()) == "ready");
        CHECK(await(items.asend(7)) == "7");
        CHECK(await(items.asend(8)) == "8");
        CHECK(!await(items.next()).has_value());
    });
}

TEST_CASE("a cancellation is thrown where the generator waits, and ends it unless it is caught") {
    in_both_worlds([] {
        int alive = 0;
        auto items = holding(alive, 3);
        const auto asking = create_task(items.next());
        sleep(0s);
        CHECK(alive == 1);
        asking.cancel();
        CHECK(!ended_well(asking));
        CHECK(alive == 0);
        CHECK(!await(items.next()).has_value());
    });
}

TEST_CASE("a generator that catches a cancellation can yield all the same") {
    in_both_worlds([] {
        const auto stubborn = []() -> AsyncGenerator<int> {
            try {
                co_await sleep(1h);
            } catch (const CancelledError&) {
            }
            co_yield 5;
        };
        auto items = stubborn();
        const auto asking = create_task(items.next());
        sleep(0s);
        asking.cancel();
        CHECK(await(asking) == 5);
        await(items.aclose());
    });
}

TEST_CASE("what a generator holds goes when it ends, is closed or is dropped") {
    in_both_worlds([] {
        get_running_loop().set_log_handler([](EventLoop&, const LogRecord&) {});
        int alive = 0;
        {
            auto items = holding(alive, 1);
            await(items.next());
            CHECK(alive == 1);
            CHECK(!await(items.next()).has_value());
            CHECK(alive == 0);
        }
        {
            auto items = holding(alive, 2);
            await(items.next());
            await(items.aclose());
            CHECK(alive == 0);
        }
        {
            auto items = holding(alive, 2);
            await(items.next());
            CHECK(alive == 1);
        }
        CHECK(alive == 0);
    });
}

TEST_CASE("a generator outlives its handle while a step of it is awaited") {
    in_both_worlds([] {
        get_running_loop().set_log_handler([](EventLoop&, const LogRecord&) {});
        int alive = 0;
        std::optional<Task<std::optional<int>>> asking;
        {
            auto items = holding(alive, 2);
            asking = create_task(items.next());
            sleep(0s);
        }
        CHECK(alive == 1);
        CHECK(await(*asking) == 1);
        asking.reset();
        CHECK(alive == 0);
    });
}

TEST_CASE("a generator that was not closed is told, one that has ended or never began is not") {
    CHECK(warnings_of([] {
              auto items = count_to(2);
              await(items.next());
          }).size() == 1);
    CHECK(warnings_of([] {
              auto closed = count_to(2);
              await(closed.next());
              await(closed.aclose());
              auto ended = count_to(1);
              for ([[maybe_unused]] const int item : ended) {
              }
              const auto unbegun = count_to(2);
          }).empty());
}

TEST_CASE("shutdown_asyncgens closes every generator that has begun, all at once") {
    in_a_calm_world([] {
        Log log;
        auto first = logged(log);
        auto second = logged(log);
        auto unbegun = logged(log);
        await(first.next());
        await(second.next());
        const VirtualTime begin = get_running_loop().time();
        get_running_loop().shutdown_asyncgens();
        CHECK(get_running_loop().time() - begin == 1ms);
        CHECK(log == Log{"begins", "begins", "is closed", "is closed", "has cleaned up", "has cleaned up"});
        CHECK(!await(first.next()).has_value());
        CHECK(!await(second.next()).has_value());
        get_running_loop().shutdown_asyncgens();  // nothing is left
    });
}

TEST_CASE("the exception handler is told of generators that cannot be closed, and the others are closed") {
    in_a_calm_world([] {
        std::vector<std::string> messages;
        get_running_loop().set_exception_handler(
            [&](EventLoop&, const LoopException& what) { messages.push_back(describe_exception(what.exception)); });
        const auto failing = []() -> AsyncGenerator<int> {
            try {
                co_yield 1;
            } catch (const GeneratorExit&) {
                throw std::runtime_error("cleanup");
            }
        };
        int alive = 0;
        auto bad = failing();
        auto good = holding(alive, 2);
        await(bad.next());
        await(good.next());
        get_running_loop().shutdown_asyncgens();
        CHECK(messages.size() == 1);
        CHECK(alive == 0);
    });
}

TEST_CASE("a generator that begins after the shutdown is told") {
    const auto warnings = warnings_of([] {
        get_running_loop().shutdown_asyncgens();
        for ([[maybe_unused]] const int item : count_to(1)) {
        }
    });
    CHECK(warnings.size() == 1);
}

TEST_CASE("run closes the generators that are left at its end") {
    Log log;
    std::optional<AsyncGenerator<int>> items;
    mishap::run([&] {
        items.emplace(logged(log));
        await(items->next());
    });
    CHECK(log == Log{"begins", "is closed", "has cleaned up"});
}

TEST_CASE("a generator of a run that is over is refused, and what it held is gone with the run") {
    int alive = 0;
    std::optional<AsyncGenerator<int>> items;
    in_a_calm_world([&] {
        items.emplace(holding(alive, 2));
        await(items->next());
    });
    CHECK(alive == 0);
    in_a_calm_world([&] { CHECK(!await(items->next()).has_value()); });
    std::optional<AsyncGenerator<int>> unbegun;
    in_a_calm_world([&] { unbegun.emplace(count_to(1)); });
    in_a_calm_world([&] { CHECK_THROWS_AS(await(unbegun->next()), UsageError); });
    auto moved = count_to(1);
    const auto target = std::move(moved);
    CHECK_THROWS_AS(moved.next(), UsageError);
}

TEST_CASE("in every order and with every cancellation, cleanup runs exactly once and nothing is left") {
    WorldOptions options;
    options.cancellations = 2;
    const auto result = search_every_order(
        [] {
            int alive = 0;
            int closed = 0;
            {
                const auto guarded = [&]() -> AsyncGenerator<int> {
                    const Counted held(alive);
                    struct Closing {
                        int& count;
                        ~Closing() { ++count; }
                    } const closing{closed};
                    for (int i = 0; i < 2; ++i) {
                        co_await sleep(1ms);
                        co_yield i;
                    }
                };
                auto items = guarded();
                const auto consumer = create_task([&] {
                    for ([[maybe_unused]] const int item : items) {
                        sleep(0s);
                    }
                });
                const auto closer = create_task([&] {
                    sleep(1ms);
                    try {
                        await(items.aclose());
                    } catch (const UsageError&) {
                        // the consumer is asking
                    }
                });
                ended_well(consumer);
                ended_well(closer);
                await(items.aclose());
                claim(!await(items.next()).has_value(), "a closed generator has no items");
                claim(alive == 0 && closed <= 1, "its cleanup runs once");
            }
            claim(alive == 0, "nothing is left");
        },
        options);
    CHECK(verdict(result) == "passes");
    CHECK(result.runs > 50);
}
