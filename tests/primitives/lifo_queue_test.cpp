#include <mishap/primitives/lifo_queue.hpp>

#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include <mishap/loop/coro.hpp>
#include <mishap/loop/sleep.hpp>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

/// What a getter that is cancelled does with the item that it was given.
enum class OfCancelled { drops_item, puts_it_on_top, puts_it_below };

/// A stack whose items travel through the getter's future.
template <OfCancelled getter_that_is_cancelled>
class HandingOverStack {
public:
    void put_nowait(int item) {
        while (!getters_.empty()) {
            const Future<int> getter = getters_.front();
            getters_.pop_front();
            if (!getter.done()) {
                getter.set_result(item);
                return;
            }
        }
        items_.push_back(item);
    }
    int get() {
        if (!items_.empty()) {
            return get_nowait();
        }
        getters_.push_back(get_running_loop().create_future<int>());
        const Future<int> mine = getters_.back();
        try {
            return await(mine);
        } catch (const CancelledError&) {
            if (mine.done() && !mine.cancelled()) {
                take_back(mine.result());
            }
            throw;
        }
    }
    int get_nowait() {
        const int item = items_.back();
        items_.pop_back();
        return item;
    }
    bool empty() const { return items_.empty(); }

private:
    void take_back(int item) {
        if (getter_that_is_cancelled == OfCancelled::puts_it_on_top) {
            put_nowait(item);
        } else if (getter_that_is_cancelled == OfCancelled::puts_it_below) {
            items_.push_front(item);
        }
    }

    std::deque<int> items_;
    std::deque<Future<int>> getters_;
};

/// A reader may be cancelled when there are items for it. Then the last to come is the first to leave, and all do.
template <class Q>
void newest_comes_out_first() {
    Q queue;
    const auto reader = create_task([&] { queue.get(); });
    sleep(1ms);
    queue.put_nowait(1);
    queue.put_nowait(2);
    const bool has_read = ended_well(reader);
    queue.put_nowait(3);
    std::vector<int> left;
    while (!queue.empty()) {
        left.push_back(queue.get_nowait());
    }
    claim(left.size() == (has_read ? 2U : 3U), "an item was lost or came twice");
    claim(has_read || left == std::vector<int>{3, 2, 1}, "an older item left before a newer one");
}

}  // namespace

TEST_CASE("a LIFO queue gives the item that came last") {
    in_both_worlds([] {
        LifoQueue<int> queue(3);
        CHECK(queue.maxsize() == 3);
        for (const int item : {1, 3, 2}) {
            queue.put(item);
        }
        CHECK_THROWS_AS(queue.put_nowait(4), QueueFull);
        CHECK(queue.get() == 2);
        CHECK(queue.get() == 3);
        CHECK(queue.get() == 1);
        CHECK_THROWS_AS(queue.get_nowait(), QueueEmpty);
        CHECK_THROWS_AS(LifoQueue<int>(-1), UsageError);
    });
}

TEST_CASE("a LIFO queue serves its getters first come, first served") {
    in_both_worlds([] {
        LifoQueue<int> queue;
        const auto first = create_task([&] { return queue.get(); });
        const auto second = create_task([&] { return queue.get(); });
        sleep(0s);
        queue.put_nowait(1);
        queue.put_nowait(2);
        CHECK(await(first) == 2);  // both items are there when it resumes
        CHECK(await(second) == 1);
    });
}

TEST_CASE("a LIFO queue carries items that can only be moved") {
    in_both_worlds([] {
        LifoQueue<std::unique_ptr<int>> queue(1);
        const auto producer = create_task([&] {
            for (int i = 0; i < 5; ++i) {
                queue.put(std::make_unique<int>(i));
            }
        });
        for (int i = 0; i < 5; ++i) {
            CHECK(*queue.get() == i);
        }
        await(producer);
        queue.put_nowait(std::make_unique<int>(1));  // destroyed with the queue
    });
}

TEST_CASE("a LIFO queue joins and shuts down as every queue") {
    in_both_worlds([] {
        LifoQueue<int> queue(1);
        CHECK_THROWS_AS(queue.task_done(), UsageError);
        queue.join();
        queue.put_nowait(1);
        const auto joiner = create_task([&] { queue.join(); });
        const auto putter = create_task([&] { queue.put(2); });
        sleep(0s);
        queue.shutdown();
        CHECK_THROWS_AS(await(putter), QueueShutDown);
        CHECK(queue.get() == 1);
        CHECK_THROWS_AS(queue.get(), QueueShutDown);
        CHECK_FALSE(joiner.done());
        queue.task_done();
        await(joiner);
    });
}

TEST_CASE("a LIFO queue strands nobody and loses nothing, in every order") {
    const auto body = [] {
        LifoQueue<int> queue(1);
        int put = 0;
        int got = 0;
        const auto produce = [&] {
            queue.put(1);
            ++put;
        };
        const auto consume = [&] {
            queue.get();
            ++got;
        };
        const auto a = create_task(produce);
        const auto b = create_task(produce);
        const auto c = create_task(consume);
        const auto d = create_task(consume);
        sleep(1ms);
        claim(queue.empty() || (c.done() && d.done()), "a getter is stranded");
        claim(queue.full() || (a.done() && b.done()), "a putter is stranded");
        for (const auto& task : {a, b, c, d}) {
            task.cancel();
            ended_well(task);
        }
        claim(put == got + static_cast<int>(queue.qsize()), "an item was lost or came twice");
    };
    CHECK(verdict(search_every_order(body, {.cancellations = 1})) == "passes");
}

TEST_CASE("a LIFO queue gives the newest first whoever is cancelled, in every order") {
    CHECK(verdict(search_every_order(newest_comes_out_first<LifoQueue<int>>, {.cancellations = 1})) == "passes");
}

TEST_CASE("the search finds a LIFO queue that drops the item of a cancelled getter, and one that puts it on top of newer ones") {
    const auto with_cancellation = [](auto body) { return verdict(search_every_order(body, {.cancellations = 1})); };
    using Dropping = HandingOverStack<OfCancelled::drops_item>;
    CHECK(verdict(search_every_order(newest_comes_out_first<Dropping>)) == "passes");
    CHECK(with_cancellation(newest_comes_out_first<Dropping>) == "an item was lost or came twice");
    using Misplacing = HandingOverStack<OfCancelled::puts_it_on_top>;
    CHECK(verdict(search_every_order(newest_comes_out_first<Misplacing>)) == "passes");
    CHECK(with_cancellation(newest_comes_out_first<Misplacing>) == "an older item left before a newer one");
    CHECK(with_cancellation(newest_comes_out_first<HandingOverStack<OfCancelled::puts_it_below>>) == "passes");
}

TEST_CASE("a LIFO queue can be used in coroutines, and has a name in reports") {
    in_both_worlds([] {
        LifoQueue<int> queue(1, "jobs");
        const auto fill = [&]() -> Coro<> {
            for (int i = 1; i <= 2; ++i) {
                queue.put(i);
                co_await sleep(0s);
            }
        };
        const auto filler = create_task(fill());
        sleep(0s);
        sleep(0s);
        CHECK(queue.statistics().text() == "size:1/1, putters:1, tasks:1");
        detail::WaitExplanation explanation;
        filler.task_state().waiting_on->explain(explanation);
        CHECK(explanation.what == "room in LifoQueue 'jobs'");
        CHECK(queue.get() == 1);
        CHECK(queue.get() == 2);
        await(filler);
    });
}
