#include <mishap/primitives/lock.hpp>

#include <algorithm>
#include <deque>
#include <mutex>
#include <vector>

#include <mishap/loop/coro.hpp>
#include <mishap/loop/sleep.hpp>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

/// A lock as a user would write it on futures: strict hand-over, with the two mistakes asyncio has made as options.
class FutureLock {
public:
    explicit FutureLock(bool forgets_next, bool wakes_any) : forgets_next_(forgets_next), wakes_any_(wakes_any) {}

    void acquire() {
        if (!locked_ && std::all_of(waiters_.begin(), waiters_.end(), [](const auto& w) { return w.cancelled(); })) {
            locked_ = true;
            return;
        }
        const Future<void> mine = get_running_loop().create_future<void>();
        waiters_.push_back(mine);
        try {
            await(mine);
        } catch (const CancelledError&) {
            leave(mine);
            if (!locked_ && !forgets_next_) {
                wake();
            }
            throw;
        }
        leave(mine);
        claim(!locked_, "two hold the lock");
        locked_ = true;
    }
    void release() {
        locked_ = false;
        wake();
    }

private:
    void leave(const Future<void>& mine) { waiters_.erase(std::find(waiters_.begin(), waiters_.end(), mine)); }
    void wake() {
        for (const Future<void>& waiter : waiters_) {
            if (!waiter.done()) {
                waiter.set_result();
                return;
            }
            if (!wakes_any_) {
                return;
            }
        }
    }

    bool forgets_next_;
    bool wakes_any_;
    bool locked_ = false;
    std::deque<Future<void>> waiters_;
};

/// Holds a lock for a while, in any order with others, and claims to be alone.
template <class L>
class Room {
public:
    explicit Room(L& lock) : lock_(lock) {}
    void visit() {
        lock_.acquire();
        ++inside_;
        claim(inside_ == 1, "two hold the lock");
        ++visits_;
        sleep(0s);
        --inside_;
        lock_.release();
    }
    int visits() const { return visits_; }

private:
    L& lock_;
    int inside_ = 0;
    int visits_ = 0;
};

template <class L>
void three_visit(L& lock) {
    Room<L> room(lock);
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 3; ++i) {
        tasks.push_back(create_task([&] { room.visit(); }));
    }
    int passed = 0;
    for (const Task<void>& task : tasks) {
        passed += ended_well(task) ? 1 : 0;
    }
    claim(passed == room.visits(), "a visitor was cancelled inside");
    lock.acquire();  // at the end the lock is free: nobody keeps it, and nobody is stranded
    lock.release();
}

/// Three wait; the second is cancelled in the step in which the lock is released.
template <class L>
void one_leaves_as_the_lock_is_released(L& lock) {
    Room<L> room(lock);
    lock.acquire();
    const auto a = create_task([&] { room.visit(); });
    const auto b = create_task([&] { room.visit(); });
    const auto c = create_task([&] { room.visit(); });
    sleep(0s);
    b.cancel();
    lock.release();
    ended_well(a);
    ended_well(b);
    ended_well(c);
}

}  // namespace

TEST_CASE("a free lock is taken at once") {
    in_both_worlds([] {
        Lock lock;
        CHECK_FALSE(lock.locked());
        lock.acquire();
        CHECK(lock.locked());
        lock.release();
        CHECK_FALSE(lock.locked());
    });
}

TEST_CASE("waiters get the lock in the order in which they came") {
    in_both_worlds([] {
        Lock lock;
        std::vector<int> order;
        lock.acquire();
        std::vector<Task<void>> tasks;
        for (int i = 1; i <= 3; ++i) {
            tasks.push_back(create_task([&, i] {
                lock.acquire();
                order.push_back(i);
            }));
        }
        sleep(0s);
        CHECK(order.empty());
        for (int i = 1; i <= 3; ++i) {
            lock.release();
            CHECK_FALSE(lock.locked());  // unlocked until the waiter runs
            sleep(0s);
            CHECK(order.size() == static_cast<std::size_t>(i));
            CHECK(lock.locked());
        }
        CHECK(order == std::vector<int>{1, 2, 3});
        for (const auto& task : tasks) {
            await(task);
        }
    });
}

TEST_CASE("a newcomer queues behind a waiter that was woken and has not resumed") {
    in_both_worlds([] {
        Lock lock;
        std::vector<int> order;
        lock.acquire();
        const auto waiter = create_task([&] {
            lock.acquire();
            order.push_back(1);
            lock.release();
        });
        sleep(0s);
        lock.release();
        CHECK_FALSE(lock.try_lock());
        lock.acquire();
        order.push_back(2);
        lock.release();
        await(waiter);
        CHECK(order == std::vector<int>{1, 2});
    });
}

TEST_CASE("a newcomer takes a free lock whose waiters were all cancelled (anyio 1145)") {
    in_both_worlds([] {
        Lock lock;
        lock.acquire();
        const auto waiter = create_task([&] { lock.acquire(); });
        sleep(0s);
        waiter.cancel();
        lock.release();
        CHECK(lock.try_lock());
        CHECK_FALSE(ended_well(waiter));
        CHECK(lock.locked());
        lock.release();
    });
}

TEST_CASE("a cancelled waiter leaves the lock to its holder") {
    in_both_worlds([] {
        Lock lock;
        lock.acquire();
        const auto waiter = create_task([&] { lock.acquire(); });
        sleep(0s);
        waiter.cancel("enough");
        CHECK_THROWS_AS(await(waiter), CancelledError);
        CHECK(lock.locked());
        lock.release();
        lock.acquire();
    });
}

TEST_CASE("a woken waiter that is cancelled passes its wake-up on (bpo-27585)") {
    in_both_worlds([] {
        Lock lock;
        lock.acquire();
        bool has_second = false;
        const auto first = create_task([&] { lock.acquire(); });
        const auto second = create_task([&] {
            lock.acquire();
            has_second = true;
        });
        sleep(0s);
        lock.release();
        first.cancel();
        CHECK_FALSE(ended_well(first));
        sleep(0s);
        CHECK(has_second);
        await(second);
    });
}

TEST_CASE("a waiter cancelled as the lock is released wakes nobody beside the head (bpo-32734)") {
    in_both_worlds([] {
        Lock lock;
        one_leaves_as_the_lock_is_released(lock);
    });
}

TEST_CASE("a waiter can be cancelled when its turn has come and gone") {
    in_both_worlds([] {
        Lock lock;
        lock.acquire();
        const auto waiter = create_task([&] {
            lock.acquire();
            lock.release();
        });
        sleep(0s);
        waiter.cancel();
        lock.release();
        sleep(0s);
        CHECK(waiter.done());
        CHECK_FALSE(lock.locked());
        CHECK(lock.try_lock());
    });
}

TEST_CASE("releasing a lock that nobody holds is a usage error") {
    in_both_worlds([] {
        Lock lock;
        CHECK_THROWS_AS(lock.release(), UsageError);
        lock.acquire();
        lock.release();
        CHECK_THROWS_AS(lock.release(), UsageError);
    });
}

TEST_CASE("any task may release a lock") {
    in_both_worlds([] {
        Lock lock;
        lock.acquire();
        await(create_task([&] { lock.release(); }));
        CHECK_FALSE(lock.locked());
    });
}

TEST_CASE("the standard's guards work with a lock") {
    in_both_worlds([] {
        Lock a;
        Lock b;
        {
            const std::scoped_lock both(a, b);
            CHECK(a.locked());
            CHECK(b.locked());
        }
        {
            std::unique_lock<Lock> one(a, std::try_to_lock);
            CHECK(one.owns_lock());
            CHECK_FALSE(a.try_lock());
        }
        {
            const auto guard = b.guard();
            CHECK(b.locked());
        }
        CHECK_FALSE(a.locked());
        CHECK_FALSE(b.locked());
    });
}

TEST_CASE("a lock cannot be taken where no task runs") {
    Lock lock;
    CHECK_THROWS_AS(lock.acquire(), UsageError);
    CHECK_THROWS_AS(lock.try_lock(), UsageError);
    CHECK_FALSE(lock.locked());
    in_both_worlds([&] {
        bool is_refused = false;
        get_running_loop().call_soon([&] {
            try {
                lock.acquire();
            } catch (const UsageError&) {
                is_refused = true;
            }
        });
        sleep(0s);
        CHECK(is_refused);
    });
}

TEST_CASE("a lock that outlives runs can be used in each of them") {
    Lock nameless;
    Lock named{"m"};
    for (int i = 0; i < 3; ++i) {
        in_both_worlds([&] {
            three_visit(nameless);
            three_visit(named);
        });
    }
}

TEST_CASE("at most one task holds a lock, and nobody is stranded, in every order") {
    const auto body = [] {
        Lock lock;
        three_visit(lock);
    };
    CHECK(verdict(search_every_order(body)) == "passes");
    CHECK(verdict(search_every_order(body, {.cancellations = 2})) == "passes");
}

TEST_CASE("a waiter that leaves as the lock is released does no harm, in every order") {
    const auto body = [] {
        Lock lock;
        one_leaves_as_the_lock_is_released(lock);
    };
    CHECK(verdict(search_every_order(body)) == "passes");
}

TEST_CASE("the search finds a lock that drops a cancelled waiter's wake-up (bpo-27585)") {
    const auto body = [](bool forgets_next) {
        return [=] {
            FutureLock lock(forgets_next, false);
            three_visit(lock);
        };
    };
    CHECK(verdict(search_every_order(body(true))) == "passes");  // it takes a cancellation
    CHECK(verdict(search_every_order(body(true), {.cancellations = 1})) == "stuck");
    CHECK(verdict(search_every_order(body(false), {.cancellations = 1})) == "passes");
}

TEST_CASE("the search finds a lock that wakes a second waiter (bpo-32734)") {
    const auto body = [](bool wakes_any) {
        return [=] {
            FutureLock lock(false, wakes_any);
            one_leaves_as_the_lock_is_released(lock);
        };
    };
    CHECK(verdict(search_every_order(body(true))) == "two hold the lock");
    CHECK(verdict(search_every_order(body(false))) == "passes");
}

TEST_CASE("an uncontended acquire yields when the search asks for it") {
    const auto body = [] {
        Lock left;
        Lock right;
        const auto a = create_task([&] {
            const auto first = left.guard();
            const auto second = right.guard();
        });
        const auto b = create_task([&] {
            const auto first = right.guard();
            const auto second = left.guard();
        });
        await(a);
        await(b);
    };
    CHECK(verdict(search_every_order(body)) == "passes");
    CHECK(verdict(search_every_order(body, {.forced_yields = 1})) == "stuck");
}

TEST_CASE("a report can name who holds a lock") {
    in_a_calm_world([] {
        Lock lock{"m"};
        const auto holder = create_task(
            [&] {
                lock.acquire();
                sleep(1s);
                lock.release();
            },
            {.name = "holder"});
        const auto waiter = create_task([&] { const auto guard = lock.guard(); });
        sleep(1ms);
        detail::WaitExplanation explanation;
        waiter.task_state().waiting_on->explain(explanation);
        CHECK(explanation.what == "Lock 'm'");
        CHECK(explanation.holders == std::vector<const detail::TaskBase*>{&holder.task_state()});
        await(holder);
        await(waiter);
    });
}

TEST_CASE("a report says that the holder of a lock has ended") {
    in_a_calm_world([] {
        Lock lock{"m"};
        await(create_task([&] { lock.acquire(); }));
        const auto waiter = create_task([&] { lock.acquire(); });
        sleep(0s);
        detail::WaitExplanation explanation;
        waiter.task_state().waiting_on->explain(explanation);
        CHECK(explanation.what == "Lock 'm', whose holder has ended without releasing it");
        CHECK(explanation.holders.empty());
        waiter.cancel();
        ended_well(waiter);
    });
}

TEST_CASE("a lock can be used in coroutines") {
    in_both_worlds([] {
        Lock lock;
        int inside = 0;
        const auto visit = [&]() -> Coro<int> {
            const auto guard = lock.guard();
            const int number = ++inside;
            co_await sleep(0s);
            CHECK(inside == number);
            co_return number;
        };
        const auto first = create_task(visit());
        const auto second = create_task(visit());
        CHECK(await(first) == 1);
        CHECK(await(second) == 2);
    });
}

TEST_CASE("statistics of a lock say if it is held, and how many stand in its queue") {
    in_both_worlds([] {
        Lock lock;
        CHECK(lock.statistics().text() == "unlocked");
        lock.acquire();
        CHECK(lock.statistics().text() == "locked");
        const auto first = create_task([&] { lock.acquire(); });
        const auto second = create_task([&] { lock.acquire(); });
        sleep(0s);
        CHECK(lock.statistics().is_locked);
        CHECK(lock.statistics().waiting == 2);
        second.cancel();
        lock.release();
        CHECK(lock.statistics().text() == "unlocked, waiters:2");  // neither has resumed
        await(first);
        CHECK_FALSE(ended_well(second));
        CHECK(lock.statistics().text() == "locked");
    });
}

TEST_CASE("a lock is granted in the order of arrival, in every order") {
    const auto body = [] {
        Lock lock;
        std::vector<int> arrived;
        std::vector<int> granted;
        std::vector<Task<void>> tasks;
        for (int i = 0; i < 3; ++i) {
            tasks.push_back(create_task([&, i] {
                arrived.push_back(i);
                lock.acquire();
                granted.push_back(i);
                sleep(0s);
                lock.release();
            }));
        }
        for (const auto& task : tasks) {
            await(task);
        }
        claim(arrived == granted, "somebody was overtaken");
    };
    CHECK(verdict(search_every_order(body)) == "passes");
}

TEST_CASE("handing a lock over costs one step") {
    in_a_calm_world([] {
        constexpr std::uint64_t waiters = 10;
        Lock lock;
        std::vector<Task<void>> tasks;
        lock.acquire();
        for (std::uint64_t i = 0; i < waiters; ++i) {
            tasks.push_back(create_task([&] { const auto guard = lock.guard(); }));
        }
        sleep(0s);
        const std::uint64_t before = detail::current_world()->steps();
        lock.release();
        await(tasks.back());
        CHECK(detail::current_world()->steps() - before == waiters + 1);  // and that in which main goes on
    });
}
