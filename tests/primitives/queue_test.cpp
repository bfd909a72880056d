#include <mishap/primitives/queue.hpp>

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <mishap/loop/coro.hpp>
#include <mishap/loop/sleep.hpp>
#include <mishap/primitives/wait_for.hpp>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

/// What a getter that is cancelled does with the item that it was given.
enum class OfCancelled { drops_item, puts_it_back, gives_it_twice };

/// A queue as asyncio had it first: the item travels through the getter's future, and is lost with it; or a repair of it.
template <OfCancelled getter_that_is_cancelled>
class HandingOverQueue {
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
            const bool was_given = mine.done() && !mine.cancelled();
            if (was_given && getter_that_is_cancelled != OfCancelled::drops_item) {
                put_nowait(mine.result());
                if (getter_that_is_cancelled == OfCancelled::gives_it_twice) {
                    put_nowait(mine.result());
                }
            }
            throw;
        }
    }
    int get_nowait() {
        const int item = items_.front();
        items_.pop_front();
        return item;
    }
    bool empty() const { return items_.empty(); }

private:
    std::deque<int> items_;
    std::deque<Future<int>> getters_;
};

/// Items go in while getters wait and may be cancelled; all come out once.
template <class Q>
void every_item_comes_out_once() {
    Q queue;
    std::vector<int> got;
    std::vector<Task<void>> getters;
    for (int i = 0; i < 2; ++i) {
        getters.push_back(create_task([&] { got.push_back(queue.get()); }));
    }
    sleep(0s);
    queue.put_nowait(1);
    queue.put_nowait(2);
    for (const auto& getter : getters) {
        ended_well(getter);
    }
    while (!queue.empty()) {
        got.push_back(queue.get_nowait());
    }
    std::sort(got.begin(), got.end());
    claim(got == std::vector<int>{1, 2}, "an item was lost or came twice");
}

}  // namespace

TEST_CASE("a queue is first in, first out") {
    in_both_worlds([] {
        Queue<int> queue;
        CHECK(queue.empty());
        for (int i = 0; i < 100; ++i) {
            queue.put_nowait(i);
        }
        CHECK(queue.qsize() == 100);
        for (int i = 0; i < 100; ++i) {
            CHECK(queue.get_nowait() == i);
        }
        CHECK(queue.empty());
    });
}

TEST_CASE("a queue with a limit is full at it, one without never") {
    in_both_worlds([] {
        Queue<int> two(2);
        CHECK(two.maxsize() == 2);
        two.put_nowait(1);
        CHECK_FALSE(two.full());
        two.put_nowait(2);
        CHECK(two.full());
        CHECK_THROWS_AS(two.put_nowait(3), QueueFull);
        CHECK(two.get_nowait() == 1);
        CHECK_FALSE(two.full());
        Queue<int> unlimited;
        CHECK(unlimited.maxsize() == 0);
        CHECK_FALSE(unlimited.full());
    });
}

TEST_CASE("a queue with a negative limit is a usage error") { CHECK_THROWS_AS(Queue<int>(-1), UsageError); }

TEST_CASE("taking from an empty queue at once throws") {
    in_both_worlds([] { CHECK_THROWS_AS(Queue<int>().get_nowait(), QueueEmpty); });
}

TEST_CASE("get waits for an item, put for room") {
    in_both_worlds([] {
        Queue<int> queue(1);
        std::vector<std::string> story;
        const auto producer = create_task([&] {
            for (int i = 1; i <= 3; ++i) {
                queue.put(i);
                story.push_back("put " + std::to_string(i));
            }
        });
        const auto consumer = create_task([&] {
            for (int i = 1; i <= 3; ++i) {
                const int item = queue.get();
                story.push_back("got " + std::to_string(item));
            }
        });
        await(producer);
        await(consumer);
        CHECK(story == std::vector<std::string>{"put 1", "got 1", "put 2", "got 2", "put 3", "got 3"});
    });
}

TEST_CASE("get and put do not yield when they need not wait") {
    in_both_worlds([] {
        Queue<int> queue(1);
        bool has_other_run = false;
        const auto other = create_task([&] { has_other_run = true; });
        queue.put(1);
        CHECK(queue.get() == 1);
        CHECK_FALSE(has_other_run);
        await(other);
    });
}

TEST_CASE("a queue carries items that can only be moved") {
    in_both_worlds([] {
        Queue<std::unique_ptr<int>> queue(1);
        const auto producer = create_task([&] {
            for (int i = 0; i < 20; ++i) {
                queue.put(std::make_unique<int>(i));
            }
        });
        for (int i = 0; i < 20; ++i) {
            CHECK(*queue.get() == i);
        }
        await(producer);
        queue.put_nowait(std::make_unique<int>(1));  // destroyed with the queue
    });
}

TEST_CASE("an item whose put is cancelled stays with the caller") {
    in_both_worlds([] {
        Queue<std::unique_ptr<int>> queue(1);
        queue.put_nowait(nullptr);
        auto item = std::make_unique<int>(7);
        const auto producer = create_task([&] { queue.put(std::move(item)); });
        sleep(0s);
        producer.cancel();
        CHECK_FALSE(ended_well(producer));
        REQUIRE(item != nullptr);
        CHECK(*item == 7);
        CHECK(queue.qsize() == 1);
    });
}

TEST_CASE("a getter whose item was taken before it resumed waits again, at the tail") {
    in_both_worlds([] {
        Queue<int> queue;
        std::vector<std::string> story;
        const auto get = [&](const char* who) {
            return [&story, &queue, who] { story.push_back(who + std::to_string(queue.get())); };
        };
        const auto a = create_task(get("a"));
        const auto b = create_task(get("b"));
        sleep(0s);
        queue.put_nowait(1);  // wakes a
        CHECK(queue.get_nowait() == 1);
        sleep(0s);  // a finds nothing and stands behind b
        queue.put_nowait(2);
        queue.put_nowait(3);
        await(a);
        await(b);
        CHECK(story == std::vector<std::string>{"b2", "a3"});
    });
}

TEST_CASE("an item for a getter that is cancelled goes to the next (bpo-23812, tornado 2826)") {
    in_both_worlds([] {
        Queue<int> queue;
        const auto first = create_task([&] { return queue.get(); });
        const auto second = create_task([&] { return queue.get(); });
        sleep(0s);
        queue.put_nowait(1);
        first.cancel();
        CHECK_FALSE(ended_well(first));
        CHECK(await(second) == 1);
    });
}

TEST_CASE("a getter that is cancelled before an item comes takes none") {
    in_both_worlds([] {
        Queue<int> queue;
        const auto first = create_task([&] { return queue.get(); });
        const auto second = create_task([&] { return queue.get(); });
        const auto third = create_task([&] { return queue.get(); });
        sleep(0s);
        first.cancel();
        second.cancel();
        queue.put_nowait(1);
        CHECK_FALSE(ended_well(first));
        CHECK_FALSE(ended_well(second));
        CHECK(await(third) == 1);
    });
}

TEST_CASE("room for a putter that is cancelled goes to the next") {
    in_both_worlds([] {
        Queue<int> queue(1);
        queue.put_nowait(0);
        const auto first = create_task([&] { queue.put(1); });
        const auto second = create_task([&] { queue.put(2); });
        sleep(0s);
        CHECK(queue.get_nowait() == 0);
        first.cancel();
        CHECK_FALSE(ended_well(first));
        await(second);
        CHECK(queue.get_nowait() == 2);
    });
}

TEST_CASE("two items may be taken in one step while two putters wait (asyncio issue 265)") {
    in_both_worlds([] {
        Queue<int> queue(2);
        queue.put_nowait(0);
        queue.put_nowait(1);
        const auto first = create_task([&] { queue.put(2); });
        const auto second = create_task([&] { queue.put(3); });
        sleep(0s);
        CHECK(queue.get_nowait() == 0);
        CHECK(queue.get_nowait() == 1);
        queue.put_nowait(4);  // not full, although putters wait
        await(first);
        CHECK(queue.full());
        CHECK(queue.get() == 4);
        await(second);
        CHECK(queue.get() == 2);
        CHECK(queue.get() == 3);
    });
}

TEST_CASE("cancelled getters and putters leave nothing behind (bpo-32574, bpo-31620)") {
    in_both_worlds([] {
        Queue<int> queue(1);
        for (int i = 0; i < 10; ++i) {
            const auto getter = create_task([&] { queue.get(); });
            sleep(0s);
            getter.cancel();
            CHECK_FALSE(ended_well(getter));
        }
        queue.put_nowait(1);
        for (int i = 0; i < 10; ++i) {
            const auto putter = create_task([&] { queue.put(2); });
            sleep(0s);
            putter.cancel();
            CHECK_FALSE(ended_well(putter));
        }
        CHECK(queue.get() == 1);
        CHECK(queue.empty());
    });
}

TEST_CASE("join waits until every item is done") {
    in_both_worlds([] {
        Queue<int> queue;
        queue.join();
        for (int i = 1; i <= 10; ++i) {
            queue.put_nowait(i);
        }
        int sum = 0;
        const auto work = [&] {
            for (;;) {
                sum += queue.get();
                sleep(0s);
                queue.task_done();
            }
        };
        const auto a = create_task(work);
        const auto b = create_task(work);
        queue.join();
        CHECK(sum == 55);
        a.cancel();
        b.cancel();
        ended_well(a);
        ended_well(b);
        CHECK_THROWS_AS(queue.task_done(), UsageError);
    });
}

TEST_CASE("a queue that is shut down gives what is left and takes nothing") {
    in_both_worlds([] {
        Queue<int> queue(1);
        queue.put_nowait(1);
        const auto putter = create_task([&] { queue.put(2); });
        sleep(0s);
        queue.shutdown();
        CHECK_THROWS_AS(await(putter), QueueShutDown);
        CHECK_THROWS_AS(queue.put_nowait(3), QueueShutDown);
        CHECK_THROWS_AS(queue.put(3), QueueShutDown);
        CHECK(queue.get() == 1);
        CHECK_THROWS_AS(queue.get(), QueueShutDown);
        CHECK_THROWS_AS(queue.get_nowait(), QueueShutDown);
        queue.task_done();
        queue.join();
    });
}

TEST_CASE("shutdown wakes getters that wait for nothing (gh-117531)") {
    in_both_worlds([] {
        Queue<int> queue;
        const auto a = create_task([&] { queue.get(); });
        const auto b = create_task([&] { queue.get(); });
        sleep(0s);
        queue.shutdown();
        CHECK_THROWS_AS(await(a), QueueShutDown);
        CHECK_THROWS_AS(await(b), QueueShutDown);
    });
}

TEST_CASE("immediate shutdown drops what is left, and join waits only for items that were taken") {
    in_both_worlds([] {
        Queue<std::string> queue;
        queue.put_nowait("one");
        queue.put_nowait("two");
        CHECK(queue.get_nowait() == "one");
        bool is_joined = false;
        const auto joiner = create_task([&] {
            queue.join();
            is_joined = true;
        });
        sleep(0s);
        queue.shutdown(true);
        CHECK(queue.empty());
        CHECK_THROWS_AS(queue.get_nowait(), QueueShutDown);
        sleep(0s);
        CHECK_FALSE(is_joined);
        queue.task_done();
        await(joiner);
    });
}

TEST_CASE("a queue can be filled outside a loop, and waited on only in a task") {
    Queue<int> queue(1, "jobs");
    queue.put_nowait(1);
    CHECK(queue.full());
    CHECK_THROWS_AS(queue.put(2), UsageError);
    CHECK_THROWS_AS(queue.get(), UsageError);
    CHECK_THROWS_AS(queue.join(), UsageError);
    in_both_worlds([&] {
        CHECK(queue.get() == 1);
        queue.put(1);
    });
}

TEST_CASE("every item comes out exactly once, in every order (anyio 146, anyio 728)") {
    CHECK(verdict(search_every_order(every_item_comes_out_once<Queue<int>>, {.cancellations = 2})) == "passes");
}

TEST_CASE("the search finds a queue that hands an item to a cancelled getter (bpo-23812), and one that gives it twice") {
    const auto with_cancellation = [](auto body) { return verdict(search_every_order(body, {.cancellations = 1})); };
    using Dropping = HandingOverQueue<OfCancelled::drops_item>;
    CHECK(verdict(search_every_order(every_item_comes_out_once<Dropping>)) == "passes");
    CHECK(with_cancellation(every_item_comes_out_once<Dropping>) == "an item was lost or came twice");
    using Doubling = HandingOverQueue<OfCancelled::gives_it_twice>;
    CHECK(verdict(search_every_order(every_item_comes_out_once<Doubling>)) == "passes");
    CHECK(with_cancellation(every_item_comes_out_once<Doubling>) == "an item was lost or came twice");
    CHECK(with_cancellation(every_item_comes_out_once<HandingOverQueue<OfCancelled::puts_it_back>>) == "passes");
}

TEST_CASE("neither getters nor putters are stranded, in every order") {
    const auto body = [] {
        Queue<int> queue(1);
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
        const auto first = create_task(produce);
        const auto second = create_task(produce);
        const auto third = create_task(consume);
        const auto fourth = create_task(consume);
        sleep(1ms);  // until nobody can go on
        claim(queue.empty() || (third.done() && fourth.done()), "a getter is stranded");
        claim(queue.full() || (first.done() && second.done()), "a putter is stranded");
        for (const auto& task : {first, second, third, fourth}) {
            task.cancel();
            ended_well(task);
        }
        claim(put == got + static_cast<int>(queue.qsize()), "an item was lost or came twice");
    };
    CHECK(verdict(search_every_order(body, {.cancellations = 2})) == "passes");
}

TEST_CASE("a queue can be used in coroutines") {
    in_both_worlds([] {
        Queue<int> queue(1);
        const auto produce = [&]() -> Coro<> {
            for (int i = 1; i <= 3; ++i) {
                queue.put(i);
                co_await sleep(0s);
            }
        };
        const auto consume = [&]() -> Coro<int> {
            int sum = 0;
            for (int i = 1; i <= 3; ++i) {
                sum += queue.get();
                co_await sleep(1ns);
                queue.task_done();
            }
            co_return sum;
        };
        const auto producer = create_task(produce());
        const auto consumer = create_task(consume());
        queue.join();
        await(producer);
        CHECK(await(consumer) == 6);
    });
}

TEST_CASE("statistics of a queue say what is in it, and who waits for what") {
    in_both_worlds([] {
        Queue<int> queue(1);
        CHECK(queue.statistics().text() == "size:0/1");
        const auto getter = create_task([&] { return queue.get(); });
        sleep(0s);
        CHECK(queue.statistics().text() == "size:0/1, getters:1");
        queue.put_nowait(1);
        CHECK(await(getter) == 1);
        queue.put_nowait(2);
        const auto putter = create_task([&] { queue.put(3); });
        const auto joiner = create_task([&] { queue.join(); });
        sleep(0s);
        CHECK(queue.statistics().text() == "size:1/1, putters:1, joiners:1, tasks:2");
        queue.shutdown(true);
        CHECK_THROWS_AS(await(putter), QueueShutDown);
        queue.task_done();
        await(joiner);
        CHECK(queue.statistics().text() == "size:0/1, shutdown");
        CHECK(Queue<int>().statistics().text() == "size:0");
    });
}

TEST_CASE("a get that times out leaves nothing behind, and takes no item later (gh-92824)") {
    in_a_calm_world([] {
        Queue<int> queue(1);
        CHECK_THROWS_AS(wait_for([&] { return queue.get(); }, 100ms), TimeoutError);
        CHECK_THROWS_AS(wait_for(create_task([&] { return queue.get(); }), 100ms), TimeoutError);
        CHECK(queue.statistics().getters == 0);
        queue.put_nowait(1);
        CHECK_THROWS_AS(wait_for([&] { queue.put(2); }, 100ms), TimeoutError);
        CHECK(queue.statistics().putters == 0);
        sleep(1s);
        CHECK(queue.get_nowait() == 1);
        CHECK(queue.empty());
    });
}

TEST_CASE("a cancelled getter's item goes to the others, and none is dropped") {
    in_both_worlds([] {
        Queue<int> queue;
        const auto first = create_task([&] { return queue.get(); });
        const auto second = create_task([&] { return queue.get(); });
        const auto third = create_task([&] { return queue.get(); });
        sleep(0s);
        queue.put_nowait(1);
        queue.put_nowait(2);
        first.cancel();
        CHECK_FALSE(ended_well(first));
        const int one = await(second);
        const int other = await(third);
        CHECK(one + other == 3);
    });
}

TEST_CASE("a reader that is cancelled with items there loses none of them") {
    in_both_worlds([] {
        Queue<int> queue;
        const auto reader = create_task([&] { return queue.get(); });
        sleep(0s);
        queue.put_nowait(1);
        queue.put_nowait(2);
        reader.cancel();
        CHECK_FALSE(ended_well(reader));
        CHECK(queue.get() == 1);
    });
}

TEST_CASE("a putter that is woken and cancelled puts nothing, and leaves the room free") {
    in_both_worlds([] {
        Queue<int> queue(1);
        queue.put_nowait(1);
        const auto writer = create_task([&] { queue.put(2); });
        sleep(0s);
        CHECK(queue.statistics().putters == 1);
        CHECK(queue.get_nowait() == 1);
        writer.cancel();
        CHECK_FALSE(ended_well(writer));
        CHECK(queue.statistics().putters == 0);
        queue.put(2);
        CHECK(queue.get_nowait() == 2);
        CHECK(queue.qsize() == 0);
    });
}

TEST_CASE("a shut down queue refuses everybody, and its join ends with the work") {
    for (const bool immediate : {false, true}) {
        in_both_worlds([immediate] {
            Queue<int> queue;
            const auto getter = create_task([&] { return queue.get(); });
            sleep(0s);
            queue.shutdown(immediate);
            CHECK(queue.qsize() == 0);
            queue.join();
            CHECK_THROWS_AS(await(getter), QueueShutDown);
            CHECK_THROWS_AS(queue.put(1), QueueShutDown);
            CHECK_THROWS_AS(queue.put_nowait(1), QueueShutDown);
            CHECK_THROWS_AS(queue.get(), QueueShutDown);
            CHECK_THROWS_AS(queue.get_nowait(), QueueShutDown);
            CHECK_THROWS_AS(queue.task_done(), UsageError);
        });
    }
}

TEST_CASE("an immediate shutdown ends a join when nothing was taken") {
    in_both_worlds([] {
        Queue<int> queue;
        queue.put_nowait(1);
        const auto joiner = create_task([&] { queue.join(); });
        sleep(0s);
        queue.shutdown(true);
        sleep(0s);
        CHECK(joiner.done());
        CHECK_THROWS_AS(queue.task_done(), UsageError);
        queue.shutdown();  // again, which is no error
    });
}

TEST_CASE("a shutdown lets everybody end, in every order") {
    const auto body = [](bool immediate) {
        return [immediate] {
            Queue<int> queue(1);
            int put = 0;
            int got = 0;
            const auto produce = [&] {
                try {
                    queue.put(1);
                    ++put;
                } catch (const QueueShutDown&) {
                }
            };
            const auto a = create_task(produce);
            const auto b = create_task(produce);
            const auto consumer = create_task([&] {
                try {
                    for (;;) {
                        queue.get();
                        ++got;
                        queue.task_done();
                    }
                } catch (const QueueShutDown&) {
                }
            });
            const auto closer = create_task([&, immediate] { queue.shutdown(immediate); });
            for (const auto& task : {a, b, consumer, closer}) {
                ended_well(task);
            }
            if (closer.cancelled()) {
                return;
            }
            const bool is_left = !consumer.cancelled() && !queue.empty();
            claim(!is_left, "an item was left behind");
            claim(immediate || consumer.cancelled() || put == got, "an item was lost or came twice");
        };
    };
    for (const bool immediate : {false, true}) {
        CHECK(verdict(search_every_order(body(immediate))) == "passes");
    }
}
