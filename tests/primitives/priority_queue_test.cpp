#include <mishap/primitives/priority_queue.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <mishap/loop/coro.hpp>
#include <mishap/loop/sleep.hpp>
#include <mishap/sim/prng.hpp>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

struct ByValue {
    bool operator()(const std::unique_ptr<int>& left, const std::unique_ptr<int>& right) const { return *left < *right; }
};

using Job = std::pair<int, int>;  // priority, name
struct ByPriority {
    bool operator()(const Job& left, const Job& right) const { return left.first < right.first; }
};

/// Compares until it is told not to.
struct Fragile {
    const bool* is_broken;
    bool operator()(int left, int right) const {
        if (*is_broken) {
            throw std::runtime_error("not comparable");
        }
        return left < right;
    }
};

/// Two producers and two consumers, of whom notified ones may be cancelled: each item comes out once, nobody is stranded,
/// and who takes an item takes the least there is.
void hand_over() {
    PriorityQueue<int> queue(1);
    std::vector<int> put;
    std::vector<int> got;
    std::vector<Task<void>> producers;
    std::vector<Task<void>> consumers;
    for (const int item : {2, 1}) {
        producers.push_back(create_task([&, item] {
            queue.put(item);
            put.push_back(item);
        }));
        consumers.push_back(create_task([&] { got.push_back(queue.get()); }));
    }
    sleep(1ms);  // until nobody can go on
    claim(queue.empty() || (consumers[0].done() && consumers[1].done()), "a getter is stranded");
    claim(queue.full() || (producers[0].done() && producers[1].done()), "a putter is stranded");
    for (const auto& task : {producers[0], producers[1], consumers[0], consumers[1]}) {
        task.cancel();
        ended_well(task);
    }
    while (!queue.empty()) {
        got.push_back(queue.get_nowait());
    }
    std::sort(put.begin(), put.end());
    std::sort(got.begin(), got.end());
    claim(put == got, "an item was lost or came twice");
}

/// What a getter that is cancelled does with the item that it was given.
enum class OfCancelled { drops_item, puts_it_last, puts_it_back };

/// A heap whose items travel through the getter's future.
template <OfCancelled getter_that_is_cancelled>
class HandingOverHeap {
public:
    void put_nowait(int item) {
        while (!getters_.empty()) {
            const Future<int> getter = getters_.front();
            getters_.erase(getters_.begin());
            if (!getter.done()) {
                getter.set_result(item);
                return;
            }
        }
        items_.push_back(item);
        std::push_heap(items_.begin(), items_.end(), std::greater<>());
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
            if (was_given && getter_that_is_cancelled == OfCancelled::puts_it_last) {
                items_.push_back(mine.result());  // where it may be no heap any more
            } else if (was_given && getter_that_is_cancelled == OfCancelled::puts_it_back) {
                put_nowait(mine.result());
            }
            throw;
        }
    }
    int get_nowait() {
        std::pop_heap(items_.begin(), items_.end(), std::greater<>());
        const int item = items_.back();
        items_.pop_back();
        return item;
    }
    bool empty() const { return items_.empty(); }

private:
    std::vector<int> items_;
    std::vector<Future<int>> getters_;
};

/// A reader may be cancelled when there are items for it: all that are left come out, the least first.
template <class Q>
void least_comes_out_first() {
    Q queue;
    const auto reader = create_task([&] { queue.get(); });
    sleep(1ms);
    queue.put_nowait(1);
    queue.put_nowait(2);
    queue.put_nowait(3);
    const bool has_read = ended_well(reader);
    std::vector<int> left;
    while (!queue.empty()) {
        left.push_back(queue.get_nowait());
    }
    claim(left.size() == (has_read ? 2U : 3U), "an item was lost or came twice");
    claim(std::is_sorted(left.begin(), left.end()), "a greater item left before a lesser one");
}

/// A lesser item comes before the reader resumes: it takes that.
template <class Q>
void reader_takes_the_least() {
    Q queue;
    int got = 0;
    const auto reader = create_task([&] { got = queue.get(); });
    sleep(1ms);
    queue.put_nowait(2);
    queue.put_nowait(1);
    await(reader);
    claim(got == 1, "a greater item left before a lesser one");
}

}  // namespace

TEST_CASE("a priority queue gives the least item first") {
    in_both_worlds([] {
        PriorityQueue<int> queue;
        for (const int item : {1, 3, 2}) {
            queue.put(item);
        }
        CHECK(queue.get() == 1);
        CHECK(queue.get() == 2);
        CHECK(queue.get() == 3);
        PriorityQueue<int, std::greater<int>> greatest_first;
        for (const int item : {1, 3, 2}) {
            greatest_first.put_nowait(item);
        }
        CHECK(greatest_first.get_nowait() == 3);
    });
}

TEST_CASE("a priority queue sorts whatever is put in and taken out meanwhile") {
    Prng prng(20261121);
    PriorityQueue<std::uint64_t> queue;
    std::vector<std::uint64_t> model;
    for (int i = 0; i < 5'000; ++i) {
        if (model.empty() || prng.below(5) < 3) {
            const std::uint64_t item = prng.below(50);
            queue.put_nowait(item);
            model.push_back(item);
        } else {
            const auto least = std::min_element(model.begin(), model.end());
            REQUIRE(queue.get_nowait() == *least);
            model.erase(least);
        }
        REQUIRE(queue.qsize() == model.size());
    }
}

TEST_CASE("equal items leave a priority queue in the order in which CPython's heapq gives them") {
    PriorityQueue<Job, ByPriority> queue;
    for (int name = 0; name < 10; ++name) {
        queue.put_nowait({name % 2, name});
    }
    std::vector<int> names;
    while (!queue.empty()) {
        names.push_back(queue.get_nowait().second);
    }
    // From heapq of CPython 3.13, with objects that compare by priority alone: not the order in which they came.
    CHECK(names == std::vector<int>{0, 2, 6, 4, 8, 9, 5, 3, 1, 7});
}

TEST_CASE("a priority queue carries items that can only be moved, and gives back one whose put is cancelled") {
    in_both_worlds([] {
        PriorityQueue<std::unique_ptr<int>, ByValue> queue(2);
        queue.put(std::make_unique<int>(2));
        queue.put(std::make_unique<int>(1));
        auto item = std::make_unique<int>(0);
        const auto putter = create_task([&] { queue.put(std::move(item)); });
        sleep(0s);
        putter.cancel();
        CHECK_FALSE(ended_well(putter));
        REQUIRE(item != nullptr);
        CHECK(*queue.get() == 1);
        queue.put(std::move(item));
        CHECK(*queue.get() == 0);
        CHECK(*queue.get() == 2);
    });
}

TEST_CASE("a comparison that throws leaves a priority queue as it was") {
    bool is_broken = false;
    PriorityQueue<int, Fragile> queue(0, "fragile", Fragile{&is_broken});
    for (const int item : {5, 3, 4, 1, 2}) {
        queue.put_nowait(item);
    }
    is_broken = true;
    CHECK_THROWS_AS(queue.put_nowait(0), std::runtime_error);
    CHECK_THROWS_AS(queue.get_nowait(), std::runtime_error);
    CHECK(queue.qsize() == 5);
    is_broken = false;
    for (int item = 1; item <= 5; ++item) {
        CHECK(queue.get_nowait() == item);
    }
}

TEST_CASE("a comparison that throws leaves nobody waiting for what is free") {
    in_both_worlds([] {
        bool is_broken = false;
        PriorityQueue<int, Fragile> queue(2, "fragile", Fragile{&is_broken});
        queue.put_nowait(1);
        queue.put_nowait(2);
        const auto fails = create_task([&] {
            try {
                queue.put(3);
            } catch (const std::runtime_error&) {
                is_broken = false;
                throw;
            }
        });
        const auto succeeds = create_task([&] { queue.put(4); });
        sleep(0s);
        CHECK(queue.get_nowait() == 1);
        is_broken = true;
        CHECK_THROWS_AS(await(fails), std::runtime_error);
        await(succeeds);
        CHECK(queue.full());
    });
}

TEST_CASE("a priority queue joins and shuts down as every queue") {
    in_both_worlds([] {
        PriorityQueue<int> queue(2);
        CHECK_THROWS_AS(queue.task_done(), UsageError);
        queue.put_nowait(2);
        queue.put_nowait(1);
        const auto joiner = create_task([&] { queue.join(); });
        const auto putter = create_task([&] { queue.put(3); });
        sleep(0s);
        queue.shutdown();
        CHECK_THROWS_AS(await(putter), QueueShutDown);
        CHECK(queue.get() == 1);
        CHECK_FALSE(joiner.done());
        queue.task_done();
        queue.shutdown(true);
        CHECK_THROWS_AS(queue.get(), QueueShutDown);
        await(joiner);
    });
}

TEST_CASE("each item comes out of a priority queue once, in every order") {
    CHECK(verdict(search_every_order(hand_over)) == "passes");
    CHECK(verdict(search_every_order(hand_over, {.cancellations = 1})) == "passes");
}

TEST_CASE("a priority queue gives the least item of those that are there when a getter resumes, in every order") {
    CHECK(verdict(search_every_order(reader_takes_the_least<PriorityQueue<int>>)) == "passes");
    CHECK(verdict(search_every_order(least_comes_out_first<PriorityQueue<int>>, {.cancellations = 1})) == "passes");
}

TEST_CASE("the search finds a priority queue that drops the item of a cancelled getter, and those that forget the order") {
    const auto with_cancellation = [](auto body) { return verdict(search_every_order(body, {.cancellations = 1})); };
    using Dropping = HandingOverHeap<OfCancelled::drops_item>;
    CHECK(verdict(search_every_order(least_comes_out_first<Dropping>)) == "passes");
    CHECK(with_cancellation(least_comes_out_first<Dropping>) == "an item was lost or came twice");
    using Misplacing = HandingOverHeap<OfCancelled::puts_it_last>;
    CHECK(verdict(search_every_order(least_comes_out_first<Misplacing>)) == "passes");
    CHECK(with_cancellation(least_comes_out_first<Misplacing>) == "a greater item left before a lesser one");
    using Careful = HandingOverHeap<OfCancelled::puts_it_back>;
    CHECK(with_cancellation(least_comes_out_first<Careful>) == "passes");
    CHECK(verdict(search_every_order(reader_takes_the_least<Careful>)) == "a greater item left before a lesser one");
}

TEST_CASE("a priority queue can be used in coroutines, and has a name in reports") {
    in_both_worlds([] {
        PriorityQueue<int> queue(0, "jobs");
        const auto take = [&]() -> Coro<int> {
            const int item = queue.get();
            co_await sleep(0s);
            co_return item;
        };
        const auto taker = create_task(take());
        sleep(0s);
        CHECK(queue.statistics().text() == "size:0, getters:1");
        detail::WaitExplanation explanation;
        taker.task_state().waiting_on->explain(explanation);
        CHECK(explanation.what == "an item in PriorityQueue 'jobs'");
        queue.put(3);
        CHECK(await(taker) == 3);
    });
}
