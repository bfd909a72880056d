// The code of docs/gevent-and-twisted.md.

#include "support/catch.hpp"

#include <string>
#include <vector>

#include <mishap/mishap.hpp>

using namespace mishap;
using namespace std::chrono_literals;

namespace {

int fetch(int page) {
    sleep(std::chrono::milliseconds(10 * page));
    return page * page;
}

}  // namespace

TEST_CASE("what a user of gevent writes") {
    check([] {
        const std::vector jobs{spawn(fetch, 1), spawn(fetch, 2), spawn(fetch, 3)};
        const auto ended = joinall(jobs, {.timeout = 25ms});  // those that have ended: the others go on
        always(ended.size() == 2, "two pages are there in time");

        Pool pool(2);
        for (const auto job : {3, 1, 2}) {
            pool.spawn(fetch, job);  // waits while two of them run
        }
        pool.join();
        const std::vector<int> squares = pool.map(fetch, std::vector{1, 2, 3});
        always(squares == std::vector{1, 4, 9}, "results come in the order of the items");

        AsyncResult<std::string> answer;
        spawn_later(1s, [&] { answer.set("42"); });
        always(answer.get(2s) == "42", "the answer comes in time");
    });
}

TEST_CASE("what a user of Twisted writes") {
    Clock clock;
    std::vector<std::string> log;
    LoopingCall polling([&] { log.push_back("poll"); });
    polling.start(2s, false, clock.loop());
    clock.call_later(3s, [&] { log.push_back("call"); });

    clock.advance(3s);
    CHECK(log == std::vector<std::string>{"poll", "call"});
    clock.pump({1s, 1s, 1s});
    CHECK(log.size() == 4);
    polling.stop();
}

namespace {

AsyncGenerator<int> pages(int last) {
    for (int page = 1; page <= last; ++page) {
        co_await sleep(10ms);
        co_yield page;
    }
}

Coro<int> sum_of(AsyncGenerator<int> items) {
    int sum = 0;
    auto item = co_await items.next();
    while (item.has_value()) {
        sum += *item;
        item = co_await items.next();
    }
    co_return sum;
}

}  // namespace

TEST_CASE("what both find new") {
    check([] {
        auto items = pages(5);
        async_with(aclosing(items), [&] {
            for (const int page : items) {  // waits as it moves on
                if (page == 2) {
                    break;
                }
            }
        });
        always(await(sum_of(pages(3))) == 6, "a coroutine iterates too");
    });
}
