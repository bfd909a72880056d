#include <mishap/primitives/condition.hpp>

#include <exception>
#include <memory>
#include <string>
#include <vector>

#include <mishap/loop/coro.hpp>
#include <mishap/loop/sleep.hpp>
#include <mishap/primitives/timeout.hpp>
#include <mishap/primitives/wait_for.hpp>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

/// The mistakes asyncio's conditions have made, and the repair that goes too far.
struct Mistakes {
    bool drops_notification = false;    // of a notified waiter that is cancelled (gh-112202)
    bool always_passes_on = false;      // the notification, even when it was of use
    bool forgets_cancellation = false;  // that came while the lock was taken again (bpo-32841)
    bool leaves_without_lock = false;   // when cancelled while it takes the lock again (bpo-22970)
};

/// A condition as a user would write it on futures and a lock.
class FutureCondition {
public:
    explicit FutureCondition(Mistakes mistakes) : mistakes_(mistakes) {}

    void acquire() { lock_.acquire(); }
    void release() { lock_.release(); }
    bool locked() const { return lock_.locked(); }

    void wait() {
        const Future<void> mine = get_running_loop().create_future<void>();
        waiters_.push_back(mine);
        lock_.release();
        bool is_cancelled = false;
        try {
            await(mine);
        } catch (const CancelledError&) {
            is_cancelled = true;
        }
        std::erase(waiters_, mine);
        for (bool has_lock = false; !has_lock;) {
            try {
                lock_.acquire();
                has_lock = true;
            } catch (const CancelledError&) {
                if (mistakes_.leaves_without_lock) {
                    throw;
                }
                is_cancelled = is_cancelled || !mistakes_.forgets_cancellation;
            }
        }
        if ((is_cancelled && !mistakes_.drops_notification) || mistakes_.always_passes_on) {
            wake_next();
        }
        if (is_cancelled) {
            throw CancelledError();
        }
    }
    void notify() { wake_next(); }

private:
    void wake_next() {
        for (const Future<void>& waiter : waiters_) {
            if (!waiter.done()) {
                waiter.set_result();
                return;
            }
        }
    }

    Mistakes mistakes_;
    Lock lock_;
    std::vector<Future<void>> waiters_;
};

/// Holds the lock of a condition, and claims whenever it must hold it that it does so alone.
template <class C>
class Inside {
public:
    Inside(C& condition, bool& is_held) : condition_(condition), is_held_(is_held) {
        condition_.acquire();
        arrive();
    }
    ~Inside() {
        if (is_mine_) {
            is_held_ = false;
            condition_.release();
        }
    }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

    void wait() {
        is_held_ = false;
        try {
            condition_.wait();
        } catch (const CancelledError&) {
            arrive();
            throw;
        } catch (const std::exception&) {
            arrive();
            throw;
        }
        arrive();
    }

private:
    void arrive() {
        is_mine_ = !is_held_ && condition_.locked();
        claim(is_mine_, "the lock is not the waiter's");
        is_held_ = true;
    }

    C& condition_;
    bool& is_held_;
    bool is_mine_ = false;
};

/// Two wait for items, one item is made: it is taken, and one notification wakes one.
template <class C>
void one_item_for_two(C& condition) {
    bool is_held = false;
    int items = 0;
    int returns = 0;
    const auto consume = [&] {
        Inside<C> inside(condition, is_held);
        while (items == 0) {
            inside.wait();
            ++returns;
        }
        --items;
    };
    const auto first = create_task(consume);
    const auto second = create_task(consume);
    const auto producer = create_task([&] {
        const Inside<C> inside(condition, is_held);
        ++items;
        condition.notify();
    });
    sleep(1ms);  // until nobody can go on
    if (!ended_well(producer)) {
        return;
    }
    claim(items == 0 || (first.done() && second.done()), "a consumer is stranded");
    claim(returns <= 1 || first.cancelled() || second.cancelled(), "one notification woke two");
    first.cancel();
    second.cancel();
    ended_well(first);
    ended_well(second);
}

/// One is notified, and cancelled while it waits for the lock.
template <class C>
void cancelled_as_it_takes_the_lock(C& condition) {
    bool is_held = false;
    const auto waiter = create_task([&] {
        Inside<C> inside(condition, is_held);
        inside.wait();
    });
    sleep(0s);
    bool is_cancelled = false;
    {
        const Inside<C> inside(condition, is_held);
        condition.notify();
        sleep(0s);
        is_cancelled = waiter.cancel();
        sleep(0s);
    }
    claim(ended_well(waiter) == !is_cancelled, "a cancellation was lost");
}

/// One waits until another has made it true; one await of the two goes wrong in some way, and they go home.
template <class C>
void one_await_goes_wrong(C& condition) {
    bool is_held = false;
    bool is_true = false;
    const auto at_home = [](auto body) {
        return [body] {
            try {
                body();
            } catch (const CancelledError&) {
            } catch (const std::exception&) {
            }
        };
    };
    const auto waiter = create_task(at_home([&] {
        Inside<C> inside(condition, is_held);
        while (!is_true) {
            inside.wait();
        }
    }));
    const auto notifier = create_task(at_home([&] {
        const Inside<C> inside(condition, is_held);
        is_true = true;
        condition.notify();
        sleep(0s);
    }));
    at_home([] { sleep(1ms); })();  // until nobody can go on
    at_home([] { sleep(1ms); })();  // the first may be what went wrong
    claim(waiter.done() && notifier.done(), "somebody never comes home");
}

}  // namespace

TEST_CASE("notified waiters have the lock one by one, in the order in which they came") {
    in_both_worlds([] {
        Condition condition;
        std::vector<int> order;
        std::vector<Task<void>> tasks;
        for (int i = 1; i <= 3; ++i) {
            tasks.push_back(create_task([&, i] {
                condition.acquire();
                condition.wait();
                order.push_back(i);
            }));
        }
        sleep(0s);
        CHECK_FALSE(condition.locked());
        condition.acquire();
        condition.notify();
        sleep(0s);
        CHECK(order.empty());  // the notifier has the lock still
        condition.release();
        sleep(0s);
        CHECK(order == std::vector<int>{1});
        CHECK(condition.locked());
        condition.notify(2);
        sleep(0s);
        CHECK(order == std::vector<int>{1});
        condition.release();
        sleep(0s);
        CHECK(order == std::vector<int>{1, 2});
        condition.release();
        sleep(0s);
        CHECK(order == std::vector<int>{1, 2, 3});
        for (const auto& task : tasks) {
            await(task);
        }
    });
}

TEST_CASE("a cancelled wait has the lock when it ends (bpo-22970)") {
    in_both_worlds([] {
        Condition condition;
        condition.acquire();
        const auto waiter = create_task([&] { condition.wait(); });
        get_running_loop().call_soon([waiter] { waiter.cancel(); });
        CHECK_THROWS_AS(await(waiter), CancelledError);
        CHECK(condition.statistics().waiting == 0);
        CHECK(condition.locked());
    });
}

TEST_CASE("a notified waiter that is cancelled while others have the lock ends with the lock") {
    in_both_worlds([] {
        Condition condition;
        condition.acquire();
        const auto waiter = create_task([&] { condition.wait(); });
        sleep(0s);
        CHECK_FALSE(condition.locked());
        condition.acquire();
        condition.notify();
        get_running_loop().call_soon([waiter] { waiter.cancel(); });
        get_running_loop().call_soon([&] { condition.release(); });
        CHECK_FALSE(ended_well(waiter));
        CHECK(condition.locked());
    });
}

TEST_CASE("a cancellation while the lock is taken again is not lost (bpo-32841)") {
    in_both_worlds([] {
        Condition condition;
        const auto waiter = create_task([&] {
            const auto guard = condition.guard();
            condition.wait();
        });
        sleep(0s);
        condition.acquire();
        condition.notify();
        sleep(0s);
        waiter.cancel();
        sleep(0s);
        condition.release();
        sleep(0s);
        CHECK(waiter.cancelled());
        CHECK_FALSE(condition.locked());
    });
}

TEST_CASE("wait and notify without the lock are usage errors") {
    in_both_worlds([] {
        Condition condition;
        CHECK_THROWS_AS(condition.wait(), UsageError);
        CHECK_THROWS_AS(condition.notify(), UsageError);
        CHECK_THROWS_AS(condition.notify_all(), UsageError);
        CHECK_THROWS_AS(condition.wait_for([] { return false; }), UsageError);
        CHECK_THROWS_AS(condition.release(), UsageError);
        try {
            condition.wait();
        } catch (const UsageError& error) {
            CHECK(std::string(error.what()).find("guard()") != std::string::npos);
        }
    });
    CHECK_THROWS_AS(Condition().notify(), UsageError);
    CHECK_THROWS_AS(Condition().notify_all(), UsageError);
}

TEST_CASE("wait_for waits until its predicate is true") {
    in_both_worlds([] {
        Condition condition;
        bool is_true = false;
        bool is_over = false;
        const auto waiter = create_task([&] {
            const auto guard = condition.guard();
            is_over = condition.wait_for([&] { return is_true; });
        });
        const auto notify = [&] {
            const auto guard = condition.guard();
            condition.notify();
        };
        sleep(0s);
        notify();
        sleep(0s);
        CHECK_FALSE(is_over);
        is_true = true;
        notify();
        sleep(0s);
        CHECK(is_over);
        await(waiter);
    });
}

TEST_CASE("wait_for returns what the predicate returned, and needs no lock where it is true at once") {
    in_both_worlds([] {
        Condition condition;
        CHECK(condition.wait_for([] { return 7; }) == 7);
        const auto item = condition.wait_for([] { return std::make_unique<int>(3); });
        CHECK(*item == 3);
    });
}

TEST_CASE("notify wakes as many as it was told, or all there are") {
    in_both_worlds([] {
        Condition condition;
        std::vector<int> order;
        std::vector<Task<void>> tasks;
        for (int i = 1; i <= 3; ++i) {
            tasks.push_back(create_task([&, i] {
                const auto guard = condition.guard();
                condition.wait();
                order.push_back(i);
            }));
        }
        sleep(0s);
        {
            const auto guard = condition.guard();
            condition.notify(0);
            condition.notify(1);
        }
        sleep(0s);
        CHECK(order == std::vector<int>{1});
        {
            const auto guard = condition.guard();
            condition.notify(1);
            condition.notify(2048);
        }
        sleep(0s);
        CHECK(order == std::vector<int>{1, 2, 3});
        for (const auto& task : tasks) {
            await(task);
        }
    });
}

TEST_CASE("notify_all wakes everybody who waits") {
    in_both_worlds([] {
        Condition condition;
        std::vector<int> order;
        std::vector<Task<void>> tasks;
        for (int i = 1; i <= 2; ++i) {
            tasks.push_back(create_task([&, i] {
                const auto guard = condition.guard();
                condition.wait();
                order.push_back(i);
            }));
        }
        sleep(0s);
        {
            const auto guard = condition.guard();
            condition.notify_all();
        }
        sleep(0s);
        CHECK(order == std::vector<int>{1, 2});
        for (const auto& task : tasks) {
            await(task);
        }
    });
}

TEST_CASE("a condition may be given a lock, which others may share") {
    in_both_worlds([] {
        Lock lock;
        Condition left(lock);
        Condition right(lock);
        {
            const auto guard = left.guard();
            CHECK(lock.locked());
            CHECK(right.locked());
            CHECK_FALSE(right.try_lock());
        }
        {
            const std::unique_lock<Condition> guard(right);
            CHECK(left.locked());
        }
        CHECK_FALSE(lock.locked());
        bool is_woken = false;
        const auto waiter = create_task([&] {
            const auto guard = lock.guard();
            left.wait();
            is_woken = true;
        });
        sleep(0s);
        const auto guard = lock.guard();
        right.notify_all();
        sleep(0s);
        CHECK_FALSE(is_woken);
        left.notify();
        right.release();
        await(waiter);
        right.acquire();
    });
}

TEST_CASE("a wait that times out has the lock when it ends (bpo-32751, gh-86766)") {
    in_a_calm_world([] {
        Condition condition;
        const auto guard = condition.guard();
        CHECK_THROWS_AS(mishap::wait_for([&] { condition.wait(); }, 500ms), TimeoutError);
        CHECK(condition.locked());
        const auto as_task = create_task([&] { condition.wait(); });
        CHECK_THROWS_AS(mishap::wait_for(as_task, 500ms), TimeoutError);
        CHECK(as_task.done());
        CHECK(condition.locked());
        // The lock is another's when the time is over: the timeout waits for it.
        const auto other = create_task([&] {
            const auto others = condition.guard();
            sleep(2s);
        });
        const auto start = get_running_loop().time();
        CHECK_THROWS_AS(timeout(1s, [&] { condition.wait(); }), TimeoutError);
        CHECK(get_running_loop().time() - start == 2s);
        await(other);
    });
}

TEST_CASE("the last of several cancellations is the one that is thrown (gh-111693)") {
    in_both_worlds([] {
        Condition condition;
        std::vector<std::string> seen;
        const auto waiter = create_task([&] {
            const auto guard = condition.guard();
            try {
                condition.wait();
            } catch (const CancelledError& error) {
                seen.push_back(error.message());
                throw;
            }
        });
        sleep(0s);
        condition.acquire();
        waiter.cancel("while it waits");
        sleep(0s);
        waiter.cancel("while it takes the lock");
        sleep(0s);
        waiter.cancel("and again");
        sleep(0s);
        CHECK(seen.empty());
        condition.release();
        CHECK_FALSE(ended_well(waiter));
        CHECK(seen == std::vector<std::string>{"and again"});
    });
}

TEST_CASE("a cancellation keeps its message, whether it comes before or after the notification") {
    for (const bool is_notified : {false, true}) {
        in_both_worlds([is_notified] {
            Condition condition;
            std::string seen;
            const auto waiter = create_task([&] {
                const auto guard = condition.guard();
                try {
                    condition.wait();
                } catch (const CancelledError& error) {
                    seen = error.message();
                    throw;
                }
            });
            sleep(0s);
            {
                const auto guard = condition.guard();
                if (is_notified) {
                    condition.notify();
                    sleep(0s);
                }
                waiter.cancel("foo");
            }
            CHECK_FALSE(ended_well(waiter));
            CHECK(seen == "foo");
        });
    }
}

TEST_CASE("a notified waiter that is cancelled passes its notification on (gh-112202)") {
    for (const bool has_resumed : {false, true}) {
        in_a_calm_world([has_resumed] {
            Condition condition;
            int state = 0;
            const auto consume = [&] {
                const auto guard = condition.guard();
                for (;;) {
                    condition.wait_for([&] { return state != 0; });
                    if (state < 0) {
                        return;
                    }
                    --state;
                    condition.notify_all();
                }
            };
            const auto first = create_task(consume);
            const auto second = create_task(consume);
            sleep(0s);
            {
                const auto guard = condition.guard();
                ++state;
                condition.notify(1);
                if (has_resumed) {
                    sleep(0s);  // it waits for the lock now
                }
                first.cancel();
                CHECK_NOTHROW(timeout(10ms, [&] { condition.wait_for([&] { return state == 0; }); }));
                CHECK(state == 0);
                state = -1;
                condition.notify_all();
            }
            CHECK_FALSE(ended_well(first));
            CHECK(ended_well(second));
        });
    }
}

TEST_CASE("a condition can be used in coroutines") {
    in_both_worlds([] {
        Condition condition;
        int items = 0;
        const auto consume = [&]() -> Coro<int> {
            const auto guard = condition.guard();
            condition.wait_for([&] { return items != 0; });
            co_await sleep(0s);
            co_return --items;
        };
        const auto first = create_task(consume());
        const auto second = create_task(consume());
        sleep(0s);
        {
            const auto guard = condition.guard();
            items = 2;
            condition.notify_all();
        }
        CHECK(await(first) == 1);
        CHECK(await(second) == 0);
    });
}

TEST_CASE("statistics of a condition say who waits, and if its lock is held") {
    in_both_worlds([] {
        Condition condition{"c"};
        CHECK(condition.statistics().text() == "unlocked");
        const auto wait = [&] {
            const auto guard = condition.guard();
            condition.wait();
        };
        const auto first = create_task(wait);
        const auto second = create_task(wait);
        sleep(0s);
        const auto guard = condition.guard();
        CHECK(condition.statistics().text() == "locked, waiters:2");
        condition.notify_all();
        sleep(0s);
        CHECK(condition.statistics().waiting == 0);
        CHECK(condition.statistics().waiting_for_lock == 2);
        condition.release();
        await(first);
        await(second);
        condition.acquire();
    });
}

TEST_CASE("a notification reaches one who can use it, in every order (anyio 1075)") {
    const auto body = [] {
        Condition condition;
        one_item_for_two(condition);
    };
    CHECK(verdict(search_every_order(body)) == "passes");
    CHECK(verdict(search_every_order(body, {.cancellations = 2})) == "passes");
}

TEST_CASE("a wait that is cancelled as it takes the lock has the lock and is cancelled, in every order") {
    const auto body = [] {
        Condition condition;
        cancelled_as_it_takes_the_lock(condition);
    };
    CHECK(verdict(search_every_order(body)) == "passes");
    CHECK(verdict(search_every_order(body, {.cancellations = 1})) == "passes");
}

TEST_CASE("a wait that a sweep cancels, times out or fails has the lock when it ends, in every order") {
    for (const Sweep kind : {Sweep::cancel, Sweep::timeout, Sweep::fail}) {
        CHECK(verdict(search_every_order(
                  [] {
                      Condition condition;
                      one_await_goes_wrong(condition);
                  },
                  {.sweep = kind})) == "passes");
    }
    // One that lets an error of the lock out leaves without the lock.
    CHECK(verdict(search_every_order(
              [] {
                  FutureCondition condition({});
                  one_await_goes_wrong(condition);
              },
              {.sweep = Sweep::fail})) == "the lock is not the waiter's");
}

TEST_CASE("the search finds a condition that drops a notification (gh-112202), and one that passes on too many") {
    const auto body = [](Mistakes mistakes) {
        return [=] {
            FutureCondition condition(mistakes);
            one_item_for_two(condition);
        };
    };
    CHECK(verdict(search_every_order(body({}), {.cancellations = 1})) == "passes");
    CHECK(verdict(search_every_order(body({.drops_notification = true}))) == "passes");  // it takes a cancellation
    CHECK(verdict(search_every_order(body({.drops_notification = true}), {.cancellations = 1})) == "a consumer is stranded");
    CHECK(verdict(search_every_order(body({.always_passes_on = true}))) == "one notification woke two");
}

TEST_CASE("the search finds conditions that lose a cancellation (bpo-32841) or the lock (bpo-22970)") {
    const auto body = [](Mistakes mistakes) {
        return [=] {
            FutureCondition condition(mistakes);
            cancelled_as_it_takes_the_lock(condition);
        };
    };
    CHECK(verdict(search_every_order(body({}))) == "passes");
    CHECK(verdict(search_every_order(body({.forgets_cancellation = true}))) == "a cancellation was lost");
    CHECK(verdict(search_every_order(body({.leaves_without_lock = true}))) == "the lock is not the waiter's");
}

TEST_CASE("a condition that is destroyed while a task waits on it is a finding, and nobody touches it") {
    const auto body = [](bool is_lock_own, bool is_cancelled) {
        return [=] {
            Lock lock;
            auto condition = is_lock_own ? std::make_unique<Condition>("c") : std::make_unique<Condition>(lock, "c");
            const auto waiter = create_task([&] {
                const auto guard = condition->guard();
                condition->wait();
            });
            sleep(0s);
            if (is_cancelled) {
                waiter.cancel();
            }
            condition.reset();
            waiter.cancel();
            ended_well(waiter);
        };
    };
    const WorldOptions calm{.order = Order::fifo};
    const std::string finding = "Condition 'c' was destroyed while 1 task waited on it";
    CHECK(verdict(search_every_order(body(true, false), calm)) == finding);
    CHECK(verdict(search_every_order(body(true, true), calm)) == finding);  // it needs the lock, which is gone
    CHECK(verdict(search_every_order(body(false, false), calm)) == finding);
    CHECK(verdict(search_every_order(body(false, true), calm)) == "passes");
}
