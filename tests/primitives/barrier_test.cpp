#include <mishap/primitives/barrier.hpp>

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <mishap/loop/coro.hpp>
#include <mishap/loop/sleep.hpp>
#include <mishap/primitives/async_with.hpp>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

using Numbers = std::vector<std::size_t>;

Numbers sorted(Numbers numbers) {
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

Numbers first_numbers(std::size_t count) {
    Numbers numbers(count);
    std::iota(numbers.begin(), numbers.end(), 0);
    return numbers;
}

template <class F>
std::vector<Task<void>> spawn(int count, F body) {
    std::vector<Task<void>> tasks;
    for (int i = 0; i < count; ++i) {
        tasks.push_back(create_task(body));
    }
    return tasks;
}

void join(const std::vector<Task<void>>& tasks) {
    for (const auto& task : tasks) {
        await(task);
    }
}

/// The mistakes a barrier can make.
struct Mistakes {
    bool numbers_twice = false;   // the number is how many are there, though some may have gone (gh-155233)
    bool forgets_to_count = false;  // a party that was cancelled stays counted
    bool lets_in_early = false;   // newcomers while it drains
};

/// A barrier as a user would write it on futures.
class FutureBarrier {
public:
    FutureBarrier(std::size_t parties, Mistakes mistakes) : parties_(parties), mistakes_(mistakes) {}

    std::size_t wait() {
        while (is_draining_ && !mistakes_.lets_in_early) {
            park();
        }
        const std::size_t number = take_number();
        ++count_;
        if (count_ == parties_) {
            is_draining_ = true;
            wake_all();
        }
        try {
            while (!is_draining_) {
                park();
            }
        } catch (const CancelledError&) {
            if (!mistakes_.forgets_to_count) {
                leave(number);
            }
            throw;
        }
        leave(number);
        return number;
    }

private:
    std::size_t take_number() {
        if (mistakes_.numbers_twice) {
            return count_;
        }
        std::size_t number = 0;
        while (std::find(taken_.begin(), taken_.end(), number) != taken_.end()) {
            ++number;
        }
        taken_.push_back(number);
        return number;
    }
    void leave(std::size_t number) {
        if (!is_draining_) {
            std::erase(taken_, number);
        }
        if (--count_ == 0) {
            is_draining_ = false;
            taken_.clear();
            wake_all();
        }
    }
    void park() {
        const Future<void> mine = get_running_loop().create_future<void>();
        waiters_.push_back(mine);
        try {
            await(mine);
        } catch (const CancelledError&) {
            std::erase(waiters_, mine);
            throw;
        }
        std::erase(waiters_, mine);
    }
    void wake_all() {
        for (const Future<void>& waiter : waiters_) {
            if (!waiter.done()) {
                waiter.set_result();
            }
        }
    }

    std::size_t parties_;
    Mistakes mistakes_;
    std::size_t count_ = 0;
    bool is_draining_ = false;
    Numbers taken_;
    std::vector<Future<void>> waiters_;
};

/// Four come to a barrier for three, and one is cancelled: nobody passes before three are there, and with three of them
/// there nobody waits.
template <class B>
void one_of_four_is_cancelled() {
    B barrier(3, {});
    int arrived = 0;
    bool has_tripped = false;
    Numbers numbers;
    const auto pass = [&] {
        has_tripped = ++arrived == 3 || has_tripped;
        try {
            numbers.push_back(barrier.wait());
        } catch (const CancelledError&) {
            arrived -= has_tripped ? 0 : 1;
            throw;
        }
        claim(has_tripped, "a party passed before all were there");
    };
    const std::vector<Task<void>> tasks = spawn(4, pass);
    sleep(0s);
    tasks[0].cancel();
    sleep(1ms);  // until nobody can go on
    std::size_t live = 0;
    for (const auto& task : tasks) {
        live += task.done() ? 0U : 1U;
    }
    claim(live < 3, "all parties are there, and wait");
    claim(numbers.size() < 3 || sorted(numbers) == first_numbers(3), "a number came twice");
    for (const auto& task : tasks) {
        task.cancel();
        ended_well(task);
    }
}

/// Two pass twice: nobody begins the second round before both have left the first.
template <class B>
void two_rounds() {
    B barrier(2, {});
    std::vector<int> rounds(2);
    const auto pass = [&](std::size_t me) {
        for (int round = 1; round <= 2; ++round) {
            barrier.wait();
            rounds[me] = round;
            claim(rounds[1 - me] >= round - 1, "a party is a round ahead");
        }
    };
    const auto first = create_task([&] { pass(0); });
    const auto second = create_task([&] { pass(1); });
    ended_well(first);
    ended_well(second);
}

/// Three want to pass a barrier for two; the round that is over lets go before the next one begins.
template <class B>
void late_party() {
    B barrier(2, {});
    int passed = 0;
    const std::vector<Task<void>> tasks = spawn(3, [&] {
        barrier.wait();
        ++passed;
    });
    sleep(1ms);
    claim(passed == 2, "not two have passed");
    for (const auto& task : tasks) {
        task.cancel();
        ended_well(task);
    }
}

struct OurBarrier : Barrier {
    OurBarrier(std::ptrdiff_t parties, Mistakes) : Barrier(parties) {}
};
struct SoundBarrier : FutureBarrier {
    using FutureBarrier::FutureBarrier;
};
struct RepeatingBarrier : FutureBarrier {
    RepeatingBarrier(std::size_t parties, Mistakes) : FutureBarrier(parties, {.numbers_twice = true}) {}
};
struct ForgetfulBarrier : FutureBarrier {
    ForgetfulBarrier(std::size_t parties, Mistakes) : FutureBarrier(parties, {.forgets_to_count = true}) {}
};
struct HastyBarrier : FutureBarrier {
    HastyBarrier(std::size_t parties, Mistakes) : FutureBarrier(parties, {.lets_in_early = true}) {}
};

}  // namespace

TEST_CASE("a barrier for no parties is a usage error") {
    CHECK_THROWS_AS(Barrier(0), UsageError);
    CHECK_THROWS_AS(Barrier(-4), UsageError);
    CHECK(Barrier(5).parties() == 5);
}

TEST_CASE("a barrier lets its parties pass together, each with a number of its own") {
    in_both_worlds([] {
        Barrier barrier(3);
        Numbers numbers;
        const auto tasks = spawn(2, [&] { numbers.push_back(barrier.wait()); });
        sleep(0s);
        CHECK(barrier.n_waiting() == 2);
        CHECK(numbers.empty());
        CHECK(barrier.wait() == 2);  // the last to come goes on at once
        CHECK(numbers.empty());
        join(tasks);
        CHECK(numbers == Numbers{0, 1});
        CHECK(barrier.n_waiting() == 0);
        CHECK_FALSE(barrier.broken());
    });
}

TEST_CASE("a barrier for one lets everybody pass at once, again and again") {
    in_both_worlds([] {
        Barrier barrier(1);
        bool has_other_run = false;
        const auto other = create_task([&] { has_other_run = true; });
        for (int i = 0; i < 3; ++i) {
            CHECK(barrier.wait() == 0);
        }
        CHECK_FALSE(has_other_run);
        CHECK(barrier.n_waiting() == 0);
        CHECK_FALSE(barrier.broken());
        await(other);
    });
}

TEST_CASE("a barrier fills task by task") {
    in_both_worlds([] {
        Barrier barrier(3);
        std::vector<Task<void>> tasks;
        for (std::size_t i = 1; i <= 3; ++i) {
            tasks.push_back(create_task([&] { barrier.wait(); }));
            CHECK(barrier.statistics().state == Barrier::State::filling);
            sleep(0s);
            CHECK(barrier.n_waiting() == i % 3);
        }
        join(tasks);
        CHECK(barrier.n_waiting() == 0);
        CHECK_FALSE(barrier.broken());
    });
}

TEST_CASE("all parties pass the first time before any passes the second time") {
    in_both_worlds([] {
        Barrier barrier(5);
        std::vector<int> rounds;
        Numbers numbers;
        join(spawn(5, [&] {
            barrier.wait();
            rounds.push_back(1);
            numbers.push_back(barrier.wait());
            rounds.push_back(2);
        }));
        CHECK(rounds == std::vector<int>{1, 1, 1, 1, 1, 2, 2, 2, 2, 2});
        CHECK(sorted(numbers) == first_numbers(5));
        CHECK(barrier.n_waiting() == 0);
        CHECK_FALSE(barrier.broken());
    });
}

TEST_CASE("a barrier drains until the last party has left") {
    in_both_worlds([] {
        Barrier barrier(5);
        std::vector<bool> is_draining;
        join(spawn(5, [&] {
            barrier.wait();
            is_draining.push_back(barrier.statistics().state == Barrier::State::draining);
        }));
        CHECK(is_draining == std::vector<bool>{true, true, true, true, false});
    });
}

TEST_CASE("who comes while a barrier drains waits for the next round") {
    in_both_worlds([] {
        Barrier barrier(5);
        Barrier others(3);
        int again = 2;
        join(spawn(5, [&] {
            barrier.wait();
            if (again > 0) {
                --again;
            } else {
                others.wait();  // passes only if exactly two wait at the first
            }
            barrier.wait();
        }));
        CHECK(barrier.n_waiting() == 0);
    });
}

TEST_CASE("a party that is cancelled while the barrier fills leaves its place to another") {
    in_both_worlds([] {
        Barrier barrier(3);
        int passed = 0;
        const auto pass = [&] {
            barrier.wait();
            ++passed;
        };
        const auto first = create_task(pass);
        const auto second = create_task(pass);
        sleep(0s);
        first.cancel();
        sleep(0s);
        CHECK(barrier.n_waiting() == 1);
        CHECK_FALSE(ended_well(first));
        const auto third = create_task(pass);
        sleep(0s);
        CHECK(barrier.n_waiting() == 2);
        join({second, third, create_task(pass)});
        CHECK(passed == 3);
        CHECK(barrier.n_waiting() == 0);
        CHECK_FALSE(barrier.broken());
    });
}

TEST_CASE("no two parties of a round have the same number, whoever was cancelled (gh-155233)") {
    in_both_worlds([] {
        Barrier barrier(4);
        Numbers numbers;
        const auto tasks = spawn(3, [&] { numbers.push_back(barrier.wait()); });
        sleep(0s);
        tasks[0].cancel();
        tasks[1].cancel();
        sleep(0s);
        const auto more = spawn(3, [&] { numbers.push_back(barrier.wait()); });
        await(tasks[2]);
        join(more);
        CHECK(numbers == Numbers{3, 2, 0, 1});  // the last to come goes on first
    });
}

TEST_CASE("a party that is cancelled when all have come leaves the others to pass") {
    in_both_worlds([] {
        Barrier barrier(3);
        Numbers numbers;
        const auto tasks = spawn(2, [&] { numbers.push_back(barrier.wait()); });
        sleep(0s);
        CHECK(barrier.wait() == 2);
        tasks[0].cancel();
        CHECK_FALSE(ended_well(tasks[0]));
        CHECK(ended_well(tasks[1]));
        CHECK(numbers == Numbers{1});
        CHECK(barrier.statistics().state == Barrier::State::filling);
        CHECK(barrier.statistics().inside == 0);
    });
}

TEST_CASE("a barrier that nobody waits at is as new after a reset") {
    in_both_worlds([] {
        Barrier barrier(1);
        barrier.reset();
        CHECK(barrier.n_waiting() == 0);
        CHECK_FALSE(barrier.broken());
        barrier.abort();
        barrier.reset();
        CHECK_FALSE(barrier.broken());
        CHECK(barrier.wait() == 0);
    });
}

TEST_CASE("a reset breaks the wait of those who are there") {
    in_both_worlds([] {
        Barrier barrier(5);
        int broken = 0;
        const auto tasks = spawn(4, [&] {
            try {
                barrier.wait();
            } catch (const BrokenBarrierError&) {
                ++broken;
            }
        });
        sleep(0s);
        barrier.reset();
        CHECK(barrier.statistics().state == Barrier::State::resetting);
        CHECK(barrier.n_waiting() == 0);
        join(tasks);
        CHECK(broken == 4);
        CHECK(barrier.statistics().state == Barrier::State::filling);
        CHECK_FALSE(barrier.broken());
    });
}

TEST_CASE("a reset while a barrier drains breaks the wait of those who have not left") {
    in_both_worlds([] {
        Barrier barrier(5);
        int broken = 0;
        join(spawn(5, [&] {
            try {
                barrier.wait();
            } catch (const BrokenBarrierError&) {
                ++broken;
                return;
            }
            if (barrier.statistics().inside == 2) {
                barrier.reset();
            }
        }));
        CHECK(broken == 2);
        CHECK(barrier.statistics().state == Barrier::State::filling);
    });
}

TEST_CASE("who waits for its turn when a barrier is reset goes on waiting") {
    in_both_worlds([] {
        Barrier barrier(5);
        int broken = 0;
        int broken_again = 0;
        int passed = 0;
        join(spawn(5, [&] {
            try {
                barrier.wait();
            } catch (const BrokenBarrierError&) {
                ++broken;
                barrier.wait();
                return;
            }
            if (++passed == 3) {
                barrier.reset();  // two have not left, two wait for the next round
            }
            try {
                barrier.wait();
            } catch (const BrokenBarrierError&) {
                ++broken_again;
            }
        }));
        CHECK(broken == 2);
        CHECK(broken_again == 0);
        CHECK(barrier.n_waiting() == 0);
        CHECK(barrier.statistics().state == Barrier::State::filling);
    });
}

TEST_CASE("parties that a reset sent away may come again at once") {
    in_both_worlds([] {
        Barrier barrier(5);
        int broken = 0;
        int passed = 0;
        const auto tasks = spawn(4, [&] {
            try {
                barrier.wait();
            } catch (const BrokenBarrierError&) {
                ++broken;
            }
            barrier.wait();
            ++passed;
        });
        sleep(0s);
        barrier.reset();
        barrier.wait();
        join(tasks);
        CHECK(broken == 4);
        CHECK(passed == 4);
        CHECK_FALSE(barrier.broken());
    });
}

TEST_CASE("a reset by the last to leave disturbs nobody in the next round") {
    in_both_worlds([] {
        Barrier barrier(5);
        int left = 0;
        int second = 0;
        int third = 0;
        join(spawn(5, [&] {
            barrier.wait();
            if (++left == 5) {
                barrier.reset();
            }
            barrier.wait();
            ++second;
            barrier.wait();
            ++third;
        }));
        CHECK(second == 5);
        CHECK(third == 5);
        CHECK(barrier.n_waiting() == 0);
        CHECK_FALSE(barrier.broken());
    });
}

TEST_CASE("an aborted barrier lets nobody wait until it is reset") {
    in_both_worlds([] {
        Barrier barrier(3);
        int broken = 0;
        const auto tasks = spawn(2, [&] {
            try {
                barrier.wait();
            } catch (const BrokenBarrierError&) {
                ++broken;
            }
        });
        sleep(0s);
        barrier.abort();
        CHECK(barrier.broken());
        CHECK(barrier.n_waiting() == 0);
        CHECK_THROWS_AS(barrier.wait(), BrokenBarrierError);
        join(tasks);
        CHECK(broken == 2);
        CHECK(barrier.broken());
        CHECK_THROWS_AS(barrier.wait(), BrokenBarrierError);
    });
}

TEST_CASE("an abort while a barrier drains breaks the wait of all, also of those who wait for their turn") {
    in_both_worlds([] {
        Barrier barrier(5);
        int broken = 0;
        int broken_again = 0;
        int passed = 0;
        join(spawn(5, [&] {
            try {
                barrier.wait();
            } catch (const BrokenBarrierError&) {
                ++broken;
                return;
            }
            if (++passed == 3) {
                barrier.abort();
                return;
            }
            try {
                barrier.wait();
            } catch (const BrokenBarrierError&) {
                ++broken_again;
            }
        }));
        CHECK(barrier.broken());
        CHECK(broken == 2);
        CHECK(broken_again == 2);
        CHECK(barrier.n_waiting() == 0);
    });
}

TEST_CASE("a barrier is usable again when all have met elsewhere and reset it") {
    in_both_worlds([] {
        Barrier first(5);
        Barrier second(5);
        int passed = 0;
        int broken = 0;
        int passed_again = 0;
        join(spawn(5, [&] {
            try {
                if (first.wait() == 2) {
                    first.abort();
                } else {
                    first.wait();
                    ++passed;
                }
            } catch (const BrokenBarrierError&) {
                ++broken;
            }
            if (second.wait() == 2) {
                first.reset();
            }
            second.wait();
            first.wait();
            ++passed_again;
        }));
        CHECK_FALSE(first.broken());
        CHECK(passed == 0);
        CHECK(broken == 4);
        CHECK(passed_again == 5);
    });
}

TEST_CASE("a barrier can be aborted in a callback, and waited at only in a task") {
    Barrier barrier(2, "start");
    CHECK_THROWS_AS(barrier.wait(), UsageError);
    in_both_worlds([&] {
        barrier.reset();
        const auto waiter = create_task([&] { barrier.wait(); });
        sleep(0s);
        get_running_loop().call_soon([&] { barrier.abort(); });
        CHECK_THROWS_AS(await(waiter), BrokenBarrierError);
    });
}

TEST_CASE("async_with passes a barrier and gives the body its number") {
    in_both_worlds([] {
        Barrier barrier(2);
        std::vector<std::size_t> numbers;
        const auto pass = [&] {
            return async_with(barrier, [&](std::size_t number) {
                numbers.push_back(number);
                return barrier.n_waiting();
            });
        };
        const auto first = create_task(pass);
        const auto second = create_task(pass);
        CHECK(await(first) == 0);
        CHECK(await(second) == 0);
        CHECK(numbers == std::vector<std::size_t>{1, 0});  // the last party goes on at once
        barrier.abort();
        bool has_begun = false;
        CHECK_THROWS_AS(async_with(barrier, [&] { has_begun = true; }), BrokenBarrierError);
        CHECK_FALSE(has_begun);
    });
}

TEST_CASE("a barrier can be used in coroutines") {
    in_both_worlds([] {
        Barrier barrier(2);
        const auto pass = [&]() -> Coro<std::size_t> {
            co_await sleep(0s);
            const std::size_t number = barrier.wait();
            co_return number;
        };
        const auto first = create_task(pass());
        const auto second = create_task(pass());
        CHECK(await(first) == 0);
        CHECK(await(second) == 1);
    });
}

TEST_CASE("statistics of a barrier say its state and how many are there") {
    in_both_worlds([] {
        Barrier barrier(3);
        const auto tasks = spawn(2, [&] { barrier.wait(); });
        sleep(0s);
        CHECK(barrier.statistics().text() == "filling, waiters:2/3");
        barrier.wait();
        CHECK(barrier.statistics().text() == "draining, waiters:0/3");
        CHECK(barrier.statistics().inside == 2);
        join(tasks);
        const auto more = create_task([&] { barrier.wait(); });
        sleep(0s);
        barrier.reset();
        CHECK(barrier.statistics().text() == "resetting, waiters:0/3");
        barrier.abort();
        CHECK(barrier.statistics().text() == "broken");
        CHECK_THROWS_AS(await(more), BrokenBarrierError);
    });
}

TEST_CASE("a barrier passes all its parties or none, with different numbers, in every order") {
    const WorldOptions cancelling{.cancellations = 1};
    CHECK(verdict(search_every_order(one_of_four_is_cancelled<OurBarrier>)) == "passes");
    CHECK(verdict(search_every_order(two_rounds<OurBarrier>)) == "passes");
    CHECK(verdict(search_every_order(late_party<OurBarrier>)) == "passes");
    CHECK(verdict(search_every_order(one_of_four_is_cancelled<OurBarrier>, cancelling)) == "passes");
}

TEST_CASE("the search finds barriers that give a number twice (gh-155233), count the gone or let in early") {
    CHECK(verdict(search_every_order(one_of_four_is_cancelled<SoundBarrier>)) == "passes");
    CHECK(verdict(search_every_order(two_rounds<SoundBarrier>)) == "passes");
    CHECK(verdict(search_every_order(late_party<SoundBarrier>)) == "passes");
    CHECK(verdict(search_every_order(one_of_four_is_cancelled<RepeatingBarrier>)) == "a number came twice");
    CHECK(verdict(search_every_order(one_of_four_is_cancelled<ForgetfulBarrier>)) == "a party passed before all were there");
    CHECK(verdict(search_every_order(late_party<HastyBarrier>)) == "not two have passed");
}

TEST_CASE("a barrier that is destroyed while a task waits at it is a finding, and nobody touches it") {
    const auto body = [](bool is_cancelled) {
        return [=] {
            auto barrier = std::make_unique<Barrier>(2, "b");
            const auto waiter = create_task([&] { barrier->wait(); });
            sleep(0s);
            if (is_cancelled) {
                waiter.cancel();
            }
            barrier.reset();
            waiter.cancel();
            ended_well(waiter);
        };
    };
    const WorldOptions calm{.order = Order::fifo};
    CHECK(verdict(search_every_order(body(false), calm)) == "Barrier 'b' was destroyed while 1 task waited on it");
    CHECK(verdict(search_every_order(body(true), calm)) == "passes");
    run([] {
        auto barrier = std::make_unique<Barrier>(2);
        const auto waiter = create_task([&] { barrier->wait(); });
        sleep(0s);
        barrier.reset();
        CHECK_THROWS_AS(await(waiter), UsageError);
    });
}
