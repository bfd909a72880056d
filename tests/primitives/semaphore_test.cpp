#include <mishap/primitives/semaphore.hpp>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include <mishap/loop/coro.hpp>
#include <mishap/loop/sleep.hpp>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

/// The mistakes asyncio's semaphores have made.
struct Mistakes {
    bool drops_permit = false;  // of a woken waiter that is cancelled
    bool doubles_permit = false;  // of such a waiter: it is passed on and kept
    bool wakes_one = false;     // however many permits are there
};

/// A semaphore as a user would write it on futures.
class FutureSemaphore {
public:
    FutureSemaphore(int value, Mistakes mistakes) : value_(value), mistakes_(mistakes) {}

    void acquire() {
        if (value_ > 0 && std::all_of(waiters_.begin(), waiters_.end(), [](const auto& w) { return w.cancelled(); })) {
            --value_;
            return;
        }
        const Future<void> mine = get_running_loop().create_future<void>();
        waiters_.push_back(mine);
        try {
            await(mine);
        } catch (const CancelledError&) {
            leave(mine);
            if (mine.done() && !mine.cancelled() && !mistakes_.drops_permit) {
                value_ += mistakes_.doubles_permit ? 2 : 1;
                hand_out();
            }
            throw;
        }
        leave(mine);
        if (!mistakes_.wakes_one) {
            hand_out();
        }
    }
    void release() {
        ++value_;
        wake_next();
    }
    int value() const { return value_; }

private:
    void leave(const Future<void>& mine) { waiters_.erase(std::find(waiters_.begin(), waiters_.end(), mine)); }
    bool wake_next() {
        for (const Future<void>& waiter : waiters_) {
            if (!waiter.done()) {
                --value_;
                waiter.set_result();
                return true;
            }
        }
        return false;
    }
    void hand_out() {
        while (value_ > 0 && wake_next() && !mistakes_.wakes_one) {
        }
    }

    int value_;
    Mistakes mistakes_;
    std::deque<Future<void>> waiters_;
};

/// A semaphore that tells the first waiter of a permit, and does not keep it for that waiter.
class OvertakingSemaphore {
public:
    void acquire() {
        while (value_ == 0) {
            waiters_.push_back(get_running_loop().create_future<void>());
            const Future<void> mine = waiters_.back();
            await(mine);
        }
        --value_;
    }
    void release() {
        ++value_;
        if (!waiters_.empty()) {
            waiters_.front().set_result();
            waiters_.pop_front();
        }
    }

private:
    int value_ = 1;
    std::deque<Future<void>> waiters_;
};

/// Two permits, four visitors.
template <class S>
void four_visit(S& semaphore) {
    int inside = 0;
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 4; ++i) {
        tasks.push_back(create_task([&] {
            semaphore.acquire();
            ++inside;
            claim(inside <= 2, "more are inside than there are permits");
            sleep(0s);
            --inside;
            semaphore.release();
        }));
    }
    for (const auto& task : tasks) {
        ended_well(task);
    }
    semaphore.acquire();  // both permits are back
    semaphore.acquire();
}

/// Permits come back while a woken waiter has not resumed; two newcomers queue behind it.
template <class S>
void permits_return_behind_a_woken_waiter(S& semaphore) {
    const auto first = create_task([&] { semaphore.acquire(); });
    sleep(0s);
    semaphore.release();
    semaphore.release();
    semaphore.release();
    const auto second = create_task([&] { semaphore.acquire(); });
    const auto third = create_task([&] { semaphore.acquire(); });
    ended_well(first);
    ended_well(second);
    ended_well(third);
}

/// One waits, and the permit's owner comes back for more at once.
template <class S>
void owner_returns_at_once(S& semaphore) {
    std::vector<int> order;
    semaphore.acquire();
    bool is_waiting = false;
    const auto waiter = create_task([&] {
        is_waiting = true;
        semaphore.acquire();
        order.push_back(1);
        semaphore.release();
    });
    sleep(0s);
    const bool was_waiting = is_waiting;
    semaphore.release();
    semaphore.acquire();
    order.push_back(2);
    semaphore.release();
    await(waiter);
    claim(!was_waiting || order.front() == 1, "a waiter was overtaken");
}

}  // namespace

TEST_CASE("a semaphore hands out its permits at once") {
    in_both_worlds([] {
        Semaphore semaphore(2);
        CHECK_FALSE(semaphore.locked());
        semaphore.acquire();
        semaphore.acquire();
        CHECK(semaphore.locked());
        CHECK_FALSE(semaphore.try_lock());
        semaphore.release();
        CHECK_FALSE(semaphore.locked());
        CHECK(semaphore.try_lock());
        CHECK(Semaphore(0).locked());
        CHECK_FALSE(Semaphore().locked());
    });
}

TEST_CASE("a semaphore with a negative number of permits is a usage error") {
    CHECK_THROWS_AS(Semaphore(-1), UsageError);
    CHECK_THROWS_AS(BoundedSemaphore(-3), UsageError);
}

TEST_CASE("waiters get permits in the order in which they came") {
    in_both_worlds([] {
        Semaphore semaphore(1);
        std::vector<int> order;
        std::vector<Task<void>> tasks;
        for (int i = 1; i <= 4; ++i) {
            tasks.push_back(create_task([&, i] {
                semaphore.acquire();
                order.push_back(i);
            }));
        }
        sleep(0s);
        CHECK(order == std::vector<int>{1});
        semaphore.release();
        semaphore.release();
        sleep(0s);
        CHECK(order == std::vector<int>{1, 2, 3});
        semaphore.release();
        for (const auto& task : tasks) {
            await(task);
        }
        CHECK(order == std::vector<int>{1, 2, 3, 4});
        CHECK(semaphore.locked());
        semaphore.release();
        CHECK_FALSE(semaphore.locked());
    });
}

TEST_CASE("a semaphore counts as locked while somebody is in its queue") {
    in_both_worlds([] {
        Semaphore semaphore(0);
        const auto waiter = create_task([&] { semaphore.acquire(); });
        sleep(0s);
        semaphore.release();
        semaphore.release();  // one permit for the waiter, one more
        CHECK(semaphore.locked());
        await(waiter);
        CHECK_FALSE(semaphore.locked());
    });
}

TEST_CASE("a waiter that is cancelled before it is woken takes no permit (trio 548)") {
    in_both_worlds([] {
        Semaphore semaphore(0);
        const auto first = create_task([&] { semaphore.acquire(); });
        const auto second = create_task([&] { semaphore.acquire(); });
        sleep(0s);
        first.cancel();
        semaphore.release();
        CHECK_FALSE(ended_well(first));
        CHECK(ended_well(second));
        CHECK(semaphore.locked());
    });
}

TEST_CASE("a woken waiter that is cancelled passes its permit on (asyncio issue 270, anyio 947)") {
    in_both_worlds([] {
        Semaphore semaphore(0);
        const auto first = create_task([&] { semaphore.acquire(); });
        const auto second = create_task([&] { semaphore.acquire(); });
        sleep(0s);
        semaphore.release();
        first.cancel();
        CHECK_FALSE(ended_well(first));
        await(second);
        semaphore.release();
        CHECK_FALSE(semaphore.locked());
    });
}

TEST_CASE("a task that releases and acquires again does not overtake a waiter (bpo-45997)") {
    in_both_worlds([] {
        Semaphore semaphore;
        owner_returns_at_once(semaphore);
    });
}

TEST_CASE("a semaphore may be released more often than acquired, a bounded one may not") {
    in_both_worlds([] {
        Semaphore semaphore(0);
        semaphore.release();
        CHECK_FALSE(semaphore.locked());
        BoundedSemaphore bounded(1);
        CHECK_THROWS_AS(bounded.release(), UsageError);
        bounded.acquire();
        bounded.release();
        CHECK_THROWS_AS(bounded.release(), UsageError);
    });
}

TEST_CASE("the standard's guards work with a semaphore") {
    in_both_worlds([] {
        Semaphore semaphore(1);
        {
            const std::scoped_lock guard(semaphore);
            CHECK(semaphore.locked());
        }
        {
            const auto guard = semaphore.guard();
            CHECK(semaphore.locked());
        }
        CHECK_FALSE(semaphore.locked());
    });
}

TEST_CASE("permits are conserved, and nobody is stranded, in every order (anyio 252)") {
    const auto body = [] {
        Semaphore semaphore(2);
        four_visit(semaphore);
    };
    CHECK(verdict(search_every_order(body)) == "passes");
    CHECK(verdict(search_every_order([] {
              Semaphore semaphore(0);
              permits_return_behind_a_woken_waiter(semaphore);
          },
                                     {.cancellations = 2})) == "passes");
    CHECK(verdict(search_every_order([] {
              Semaphore semaphore;
              owner_returns_at_once(semaphore);
          })) == "passes");
}

TEST_CASE("the search finds a semaphore that drops a cancelled waiter's permit (asyncio issue 270), and one that doubles it") {
    const auto body = [](Mistakes mistakes) {
        return [=] {
            FutureSemaphore semaphore(0, mistakes);
            const auto use = [&] {
                semaphore.acquire();
                semaphore.release();
            };
            const auto first = create_task(use);
            const auto second = create_task(use);
            sleep(0s);
            semaphore.release();
            ended_well(first);
            ended_well(second);
            claim(semaphore.value() <= 1, "a permit was made");
        };
    };
    const Mistakes drops{.drops_permit = true};
    const Mistakes doubles{.doubles_permit = true};
    CHECK(verdict(search_every_order(body(drops))) == "passes");
    CHECK(verdict(search_every_order(body(drops), {.cancellations = 1})) == "stuck");
    CHECK(verdict(search_every_order(body(doubles))) == "passes");
    CHECK(verdict(search_every_order(body(doubles), {.cancellations = 1})) == "a permit was made");
    CHECK(verdict(search_every_order(body({}), {.cancellations = 1})) == "passes");
}

TEST_CASE("the search finds a semaphore that lets newcomers overtake (bpo-45997)") {
    CHECK(verdict(search_every_order([] {
              OvertakingSemaphore semaphore;
              owner_returns_at_once(semaphore);
          })) == "a waiter was overtaken");
}

TEST_CASE("the search finds a semaphore that wakes too few (gh-111693)") {
    const auto body = [](bool wakes_one) {
        return [=] {
            FutureSemaphore semaphore(0, {.wakes_one = wakes_one});
            permits_return_behind_a_woken_waiter(semaphore);
        };
    };
    CHECK(verdict(search_every_order(body(true), {.cancellations = 1})) == "stuck");
    CHECK(verdict(search_every_order(body(false), {.cancellations = 1})) == "passes");
}

TEST_CASE("statistics of a semaphore say its permits, and how many stand in its queue") {
    in_both_worlds([] {
        Semaphore semaphore(2);
        CHECK(semaphore.statistics().text() == "unlocked, value:2");
        semaphore.acquire();
        semaphore.acquire();
        CHECK(semaphore.statistics().text() == "locked");
        const auto first = create_task([&] { semaphore.acquire(); });
        const auto second = create_task([&] { semaphore.acquire(); });
        sleep(0s);
        CHECK(semaphore.statistics().text() == "locked, waiters:2");
        semaphore.release();
        CHECK(semaphore.statistics().value == 0);  // it is the first waiter's
        CHECK(semaphore.statistics().waiting == 2);
        semaphore.release();
        await(first);
        await(second);
        CHECK(semaphore.statistics().waiting == 0);
    });
}

TEST_CASE("a semaphore can be used in coroutines") {
    in_both_worlds([] {
        Semaphore semaphore(1);
        std::vector<int> order;
        const auto visit = [&](int number) -> Coro<> {
            semaphore.acquire();
            order.push_back(number);
            co_await sleep(1ns);
            semaphore.release();
        };
        const auto first = create_task(visit(1));
        const auto second = create_task(visit(2));
        await(first);
        await(second);
        CHECK(order == std::vector<int>{1, 2});
    });
}

TEST_CASE("a task that is cancelled after it was refused a permit keeps nobody waiting") {
    in_both_worlds([] {
        Semaphore semaphore(1);
        Task<void> second;
        const auto first = create_task([&] {
            {
                const auto guard = semaphore.guard();
                sleep(0s);
            }
            second.cancel();
        });
        second = create_task([&] { const auto guard = semaphore.guard(); });
        await(first);
        CHECK_FALSE(ended_well(second));
        semaphore.acquire();
    });
}

TEST_CASE("tasks that come back for a permit stand behind those who wait") {
    in_both_worlds([] {
        Semaphore semaphore(1);
        std::vector<std::string> order;
        std::vector<Task<void>> tasks;
        for (const char* const name : {"c1", "c2", "c3"}) {
            tasks.push_back(create_task([&, name] {
                for (const char* const turn : {"_1", "_2"}) {
                    semaphore.acquire();
                    order.push_back(std::string(name) + turn);
                    sleep(10us);
                    semaphore.release();
                }
            }));
        }
        for (const auto& task : tasks) {
            await(task);
        }
        CHECK(order == std::vector<std::string>{"c1_1", "c2_1", "c3_1", "c1_2", "c2_2", "c3_2"});
    });
}

TEST_CASE("permits that came back behind a woken waiter go to the next ones when it resumes (gh-111693)") {
    in_both_worlds([] {
        Semaphore semaphore(0);
        std::vector<int> order;
        const auto take = [&](int number) {
            return [&order, &semaphore, number] {
                semaphore.acquire();
                order.push_back(number);
            };
        };
        const auto first = create_task(take(1));
        const auto second = create_task([&] {
            semaphore.release();
            semaphore.release();
            semaphore.release();
            CHECK(semaphore.statistics().value == 2);
            CHECK(semaphore.locked());
            semaphore.acquire();
            order.push_back(2);
        });
        const auto third = create_task(take(3));
        sleep(0s);
        CHECK(semaphore.statistics().value == 2);
        CHECK(semaphore.statistics().waiting == 3);
        sleep(0s);
        CHECK(semaphore.statistics().value == 0);
        for (const auto& task : {first, second, third}) {
            await(task);
        }
        CHECK(order == std::vector<int>{1, 2, 3});
    });
}

TEST_CASE("permits are granted in the order of arrival, in every order (gevent 1487)") {
    const auto body = [] {
        Semaphore semaphore(1);
        std::vector<int> arrived;
        std::vector<int> granted;
        std::vector<Task<void>> tasks;
        for (int i = 0; i < 3; ++i) {
            tasks.push_back(create_task([&, i] {
                arrived.push_back(i);
                semaphore.acquire();
                granted.push_back(i);
                sleep(0s);
                semaphore.release();
            }));
        }
        for (const auto& task : tasks) {
            await(task);
        }
        claim(arrived == granted, "somebody was overtaken");
    };
    CHECK(verdict(search_every_order(body)) == "passes");
}

TEST_CASE("a cancelled wake-up leaves a semaphore open to newcomers (gh-90155)") {
    in_both_worlds([] {
        Semaphore semaphore(0);
        const auto waiter = create_task([&] { semaphore.acquire(); });
        sleep(0s);
        semaphore.release();
        waiter.cancel();
        const auto newcomer = create_task([&] { semaphore.acquire(); });  // runs behind the waiter
        CHECK_FALSE(ended_well(waiter));
        CHECK(ended_well(newcomer));
        semaphore.release();
        CHECK(semaphore.try_lock());
    });
}
