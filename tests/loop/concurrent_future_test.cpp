#include <mishap/loop/concurrent_future.hpp>

#include <memory>
#include <string>
#include <vector>

#include <mishap/loop/executor.hpp>
#include <mishap/loop/thread.hpp>
#include <mishap/sim/errors.hpp>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;
using concurrent::ReturnWhen;

namespace {

using IntFuture = concurrent::Future<int>;

IntFuture finished(int value) {
    const IntFuture future = IntFuture::make();
    future.set_running_or_notify_cancel();
    future.set_result(value);
    return future;
}

IntFuture failed() {
    const IntFuture future = IntFuture::make();
    future.set_exception(std::make_exception_ptr(std::runtime_error("oh")));
    return future;
}

IntFuture cancelled() {
    const IntFuture future = IntFuture::make();
    future.cancel();
    return future;
}

IntFuture cancelled_and_notified() {
    const IntFuture future = cancelled();
    future.set_running_or_notify_cancel();
    return future;
}

IntFuture running() {
    const IntFuture future = IntFuture::make();
    future.set_running_or_notify_cancel();
    return future;
}

}  // namespace

TEST_CASE("only a concurrent future that has not begun can be cancelled") {
    in_both_worlds([] {
        CHECK(IntFuture::make().cancel());
        CHECK_FALSE(running().cancel());
        CHECK(cancelled().cancel());
        CHECK(cancelled_and_notified().cancel());
        CHECK_FALSE(failed().cancel());
        CHECK_FALSE(finished(1).cancel());
    });
}

TEST_CASE("a concurrent future says in which state it is") {
    in_both_worlds([] {
        CHECK_FALSE(IntFuture::make().done());
        CHECK_FALSE(running().done());
        CHECK(running().running());
        CHECK_FALSE(finished(1).running());
        for (const IntFuture& future : {cancelled(), cancelled_and_notified()}) {
            CHECK(future.cancelled());
            CHECK(future.done());
            CHECK_FALSE(future.running());
        }
        CHECK(failed().done());
        CHECK(finished(1).done());
        CHECK_FALSE(finished(1).cancelled());
        CHECK_FALSE(IntFuture().is_valid());
    });
}

TEST_CASE("the result of a concurrent future is waited for until the time is up") {
    in_both_worlds([] {
        CHECK_THROWS_AS(IntFuture::make().result(0s), TimeoutError);
        CHECK_THROWS_AS(running().result(1ms), TimeoutError);
        CHECK_THROWS_AS(cancelled().result(0s), concurrent::CancelledError);
        CHECK_THROWS_AS(cancelled_and_notified().result(0s), concurrent::CancelledError);
        CHECK_THROWS_WITH(failed().result(0s), "oh");
        CHECK(finished(42).result(0s) == 42);
        const IntFuture kept = finished(43);
        CHECK(kept.result() == 43);
    });
}

TEST_CASE("the exception of a concurrent future is its own, or null") {
    in_both_worlds([] {
        CHECK_THROWS_AS(running().exception(0s), TimeoutError);
        CHECK_THROWS_AS(cancelled().exception(0s), concurrent::CancelledError);
        CHECK(describe_exception(failed().exception()) == describe_exception(failed().exception()));
        CHECK(failed().exception() != nullptr);
        CHECK(finished(1).exception() == nullptr);
    });
}

TEST_CASE("who waits for a concurrent future goes on when it has a result, an exception, or is cancelled") {
    in_both_worlds([] {
        const IntFuture good = IntFuture::make();
        const IntFuture bad = IntFuture::make();
        const IntFuture never = IntFuture::make();
        Thread other([&] {
            good.set_result(7);
            bad.set_exception(std::make_exception_ptr(std::runtime_error("bad")));
            never.cancel();
        });
        CHECK(good.result(5s) == 7);
        CHECK_THROWS_WITH(bad.result(5s), "bad");
        CHECK_THROWS_AS(never.result(5s), concurrent::CancelledError);
        other.join();
    });
}

TEST_CASE("a concurrent future is completed once (gh-107219)") {
    in_both_worlds([] {
        const auto error = std::make_exception_ptr(std::runtime_error("late"));
        CHECK_THROWS_AS(finished(1).set_result(2), InvalidStateError);
        CHECK_THROWS_AS(finished(1).set_exception(error), InvalidStateError);
        CHECK_THROWS_AS(failed().set_result(2), InvalidStateError);
        CHECK_THROWS_AS(cancelled().set_result(2), InvalidStateError);
        CHECK_THROWS_AS(cancelled().set_exception(error), InvalidStateError);
        CHECK_THROWS_AS(finished(1).set_running_or_notify_cancel(), UsageError);
        CHECK_THROWS_AS(running().set_running_or_notify_cancel(), UsageError);
        CHECK_THROWS_AS(cancelled_and_notified().set_running_or_notify_cancel(), UsageError);
    });
}

TEST_CASE("a concurrent future that is empty says so") {
    in_both_worlds([] {
        const IntFuture empty;
        CHECK_FALSE(empty.is_valid());
        CHECK_THROWS_AS(empty.done(), UsageError);
        CHECK_THROWS_AS(empty.cancel(), UsageError);
        CHECK_THROWS_AS(empty.result(1s), UsageError);
        CHECK_THROWS_AS(concurrent::wait(std::vector{empty}), UsageError);
        CHECK_THROWS_AS(wrap_future(empty), UsageError);
    });
}

TEST_CASE("callbacks of a concurrent future are called in order, by who completes it, or at once when it is done") {
    in_both_worlds([] {
        std::string log;
        const auto note = [&](char name) {
            return [&log, name](const IntFuture& future) {
                log += name;
                log += future.cancelled() ? "c" : future.exception() != nullptr ? "e" : "r";
            };
        };
        const IntFuture future = IntFuture::make();
        future.add_done_callback(note('1'));
        future.add_done_callback(note('2'));
        CHECK(log.empty());
        future.set_result(1);
        CHECK(log == "1r2r");
        future.add_done_callback(note('3'));
        CHECK(log == "1r2r3r");
        log.clear();
        const IntFuture dropped = IntFuture::make();
        dropped.add_done_callback(note('4'));
        dropped.cancel();
        dropped.set_running_or_notify_cancel();
        failed().add_done_callback(note('5'));
        CHECK(log == "4c5e");
    });
}

TEST_CASE("what a callback of a concurrent future throws keeps nobody from being told") {
    in_a_calm_world([] {
        int calls = 0;
        const IntFuture future = IntFuture::make();
        future.add_done_callback([&](const IntFuture&) {
            ++calls;
            throw std::runtime_error("in a callback");
        });
        future.add_done_callback([&](const IntFuture&) { ++calls; });
        future.set_result(1);
        future.add_done_callback([&](const IntFuture&) {
            ++calls;
            throw CancelledError();
        });
        CHECK(calls == 3);
        CHECK(get_running_loop().world().notes().size() == 2);
    });
}

TEST_CASE("a result that cannot be copied is given away by the last handle") {
    in_both_worlds([] {
        auto future = concurrent::Future<std::unique_ptr<int>>::make();
        future.set_result(std::make_unique<int>(5));
        CHECK(*future.result() == 5);
        const std::unique_ptr<int> taken = std::move(future).result();
        CHECK(*taken == 5);
        const auto nothing = concurrent::Future<void>::make();
        nothing.set_result();
        nothing.result();
    });
}

TEST_CASE("wait returns at the first that is done, or at the first failure, or when all are done") {
    in_both_worlds([] {
        const IntFuture pending = IntFuture::make();
        const auto first = concurrent::wait<int>({finished(1), pending}, {.return_when = ReturnWhen::first_completed});
        CHECK(first.done.size() == 1);
        CHECK(first.not_done == std::vector<IntFuture>{pending});
        const auto failure = concurrent::wait<int>({finished(1), failed(), pending}, {.return_when = ReturnWhen::first_exception});
        CHECK(failure.done.size() == 2);
        CHECK(failure.not_done.size() == 1);
        const auto all = concurrent::wait<int>({finished(1), failed(), cancelled_and_notified()});
        CHECK(all.done.size() == 3);
        CHECK(all.not_done.empty());
        CHECK(concurrent::wait<int>({}).done.empty());
    });
}

TEST_CASE("wait goes on when another thread has done what it waits for") {
    in_both_worlds([] {
        const IntFuture a = IntFuture::make();
        const IntFuture b = IntFuture::make();
        const IntFuture c = IntFuture::make();
        Thread other([&] {
            a.set_result(1);
            b.set_exception(std::make_exception_ptr(std::runtime_error("b")));
            c.cancel();
            c.set_running_or_notify_cancel();
        });
        const auto first = concurrent::wait<int>({a, b}, {.timeout = 10s, .return_when = ReturnWhen::first_completed});
        CHECK(first.done.size() >= 1);
        const auto failure = concurrent::wait<int>({c, b}, {.timeout = 10s, .return_when = ReturnWhen::first_exception});
        CHECK_FALSE(failure.done.empty());
        const auto all = concurrent::wait<int>({a, b, c}, {.timeout = 10s});
        CHECK(all.not_done.empty());
        other.join();
    });
}

TEST_CASE("wait counts a cancelled future from when its executor has noticed, and duplicates once") {
    in_a_calm_world([] {
        const auto result = concurrent::wait<int>({cancelled(), finished(1)}, {.timeout = 1s});
        CHECK(result.done.size() == 1);
        CHECK(result.not_done.size() == 1);
        const IntFuture one = finished(1);
        CHECK(concurrent::wait<int>({one, one, one}).done.size() == 1);
        // A cancelled future is no failure.
        const auto failure = concurrent::wait<int>({cancelled_and_notified(), IntFuture::make()},
                                                   {.timeout = 1s, .return_when = ReturnWhen::first_exception});
        CHECK(failure.done.size() == 1);
        CHECK(get_running_loop().time().time_since_epoch() == 2s);
    });
}

TEST_CASE("as_completed gives out each future once, first those that are done") {
    in_both_worlds([] {
        const IntFuture late = IntFuture::make();
        const IntFuture later = IntFuture::make();
        const IntFuture early = finished(1);
        auto futures = concurrent::as_completed<int>({later, early, late, early}, 10s);
        // Not before: what is done when as_completed is called comes in the order of the list.
        Thread other([&] {
            late.set_result(2);
            later.set_result(3);
        });
        std::vector<int> results;
        for (const IntFuture& future : futures) {
            results.push_back(future.result());
        }
        CHECK(results == std::vector<int>{1, 2, 3});
        other.join();
    });
}

TEST_CASE("as_completed ends when its time is up, counted from the call") {
    in_a_calm_world([] {
        auto futures = concurrent::as_completed<int>({finished(1), IntFuture::make()}, 2s);
        CHECK(futures.next()->result() == 1);
        blocking_sleep(1s);
        CHECK_THROWS_WITH(futures.next(), "1 (of 2) futures unfinished");
        CHECK(get_running_loop().time().time_since_epoch() == 2s);
    });
}

TEST_CASE("a future that is cancelled while it begins either runs or is cancelled, in every order") {
    bool has_run = false;
    bool was_cancelled = false;
    const SearchResult result = search_every_order([&] {
        const IntFuture future = IntFuture::make();
        Thread worker([&] {
            if (future.set_running_or_notify_cancel()) {
                future.set_result(1);
            }
        });
        const bool is_cancelled = future.cancel();
        worker.join();
        claim(future.done(), "the future is left pending");
        claim(future.cancelled() == is_cancelled, "cancel() said otherwise");
        (is_cancelled ? was_cancelled : has_run) = true;
    });
    CHECK(verdict(result) == "passes");
    CHECK(has_run);
    CHECK(was_cancelled);
}

TEST_CASE("no wake-up is lost between a wait and what it waits for, in every order") {
    const SearchResult result = search_every_order([] {
        const IntFuture a = IntFuture::make();
        const IntFuture b = IntFuture::make();
        Thread one([&] { a.set_result(1); });
        Thread two([&] { b.set_result(2); });
        claim(concurrent::wait<int>({a, b}).done.size() == 2, "wait came back early");
        one.join();
        two.join();
    });
    CHECK(verdict(result) == "passes");
}

TEST_CASE("a future that nobody completes is what a thread is stuck on") {
    const SearchResult result = search_every_order([] { IntFuture::make().result(); });
    REQUIRE(result.failure.has_value());
    CHECK(result.failure->finding.kind == FindingKind::stuck);
}
