// The mishaps that options allow: each has exactly the outcomes it should have, and none without being asked for.

#include <mishap/properties/explore.hpp>

#include <memory>
#include <string>
#include <vector>

#include <mishap/primitives/primitives.hpp>
#include <mishap/properties/claims.hpp>

#include "outcomes.hpp"

namespace mishap {
namespace {

using namespace std::chrono_literals;
using Outcomes = std::set<std::string>;
using test::contains;
using test::ended_well;
using test::every_order;
using test::outcomes_of;
using test::verdict;

/// A lock that loses its wake-up when a notified waiter is cancelled, and one that hands it on (bpo-27585).
class BatonLock {
public:
    explicit BatonLock(bool hands_on) : hands_on_(hands_on) {}
    void acquire() {
        while (is_held_) {
            const auto turn = get_running_loop().create_future<void>();
            turns_.push_back(turn);
            try {
                await(turn);
            } catch (const CancelledError&) {
                std::erase(turns_, turn);
                if (hands_on_ && !is_held_) {
                    wake_next();
                }
                throw;
            }
            std::erase(turns_, turn);
        }
        is_held_ = true;
    }
    void release() {
        is_held_ = false;
        wake_next();
    }

private:
    void wake_next() {
        for (const Future<void>& turn : turns_) {
            if (!turn.done()) {
                turn.set_result();
                return;
            }
        }
    }

    bool hands_on_;
    bool is_held_ = false;
    std::vector<Future<void>> turns_;
};

/// A lock that is released without a word: somebody else has to wake whoever waits.
class ForgetfulLock final : public detail::Primitive {
public:
    ForgetfulLock() : Primitive(kind, "forgetful") {}
    void acquire() {
        EventLoop& loop = enter("acquire()");
        if (is_held_) {
            detail::WaitEntry entry(loop);
            waiters_.wait(entry, "acquire", Place::here());
        }
        is_held_ = true;
    }
    void release() { is_held_ = false; }
    void wake() { waiters_.wake_head(); }
    void explain(const detail::WaitQueue&, detail::WaitExplanation& explanation) const override {
        explanation.what = describe();
        explanation.is_available = !is_held_;
    }

private:
    static constexpr detail::ObjectKind kind{"Lock", "lock"};
    bool is_held_ = false;
    detail::WaitQueue waiters_{*this, detail::WaitQueue::Wake::is_hint};
};

auto baton_program(bool hands_on) {
    return [hands_on] {
        BatonLock lock(hands_on);
        const auto use = [&] {
            lock.acquire();
            lock.release();
        };
        const auto holder = create_task(
            [&] {
                lock.acquire();
                sleep(0s);
                sleep(0s);
                lock.release();
            },
            {.name = "holder"});
        const auto first = create_task(use, {.name = "first"});
        const auto second = create_task(use, {.name = "second"});
        for (const auto& task : {holder, first, second}) {
            ended_well(task);
        }
    };
}

}  // namespace

TEST_CASE("a lost baton is found by one injected cancellation, and its repair passes") {
    ExploreOptions options = every_order();
    options.cancellations = 1;
    const Report report = explore(baton_program(false), options);
    INFO(report.to_text());
    CHECK(verdict(report) == "deadlock");
    REQUIRE(report.mishaps.size() == 1);
    CHECK(report.mishaps[0].mishap.kind == ChoiceKind::cancel);
    CHECK(verdict(explore(baton_program(true), options)) == "passes");
    CHECK(verdict(explore(baton_program(false), every_order())) == "passes");
}

TEST_CASE("a task whose wait ended by a future may be cancelled before it resumes") {
    const auto program = [] {
        const auto future = get_running_loop().create_future<void>();
        const auto waiter = create_task([&] { await(future); });
        sleep(1s);
        future.set_result();
        return std::string(ended_well(waiter) ? "well" : "cancelled");
    };
    CHECK(outcomes_of(program) == Outcomes{"well"});
    CHECK(outcomes_of(program, {.cancellations = 1}) == Outcomes{"well", "cancelled"});
}

TEST_CASE("first starts and bare yields are cancelled only everywhere") {
    const auto program = [] {
        std::string heard = "nothing";
        const auto yields = create_task([&] {
            heard = "began";
            sleep(0s);
            heard = "went on";
        });
        ended_well(yields);
        return heard;
    };
    CHECK(outcomes_of(program, {.cancellations = 1}) == Outcomes{"went on"});
    CHECK(outcomes_of(program, {.cancellations = 1, .cancel_everywhere = true}) ==
          Outcomes{"nothing", "began", "went on"});
}

TEST_CASE("main is never cancelled") {
    const auto program = [] {
        try {
            sleep(1s);
            await(create_task([] {}));
            sleep(0s);
        } catch (const CancelledError&) {
            always(current_task().cancelling() == 0, "main was asked by nobody");
            return std::string("the task was cancelled");
        }
        return std::string("well");
    };
    CHECK(outcomes_of(program, {.cancellations = 2}) == Outcomes{"well"});
    CHECK(outcomes_of(program, {.cancellations = 2, .cancel_everywhere = true}) ==
          Outcomes{"well", "the task was cancelled"});
}

TEST_CASE("no more cancellations are injected than allowed") {
    const auto program = [] {
        int cancelled = 0;
        std::vector<Task<void>> tasks;
        for (int i = 0; i < 3; ++i) {
            tasks.push_back(create_task([] { sleep(1s); }));
        }
        for (const auto& task : tasks) {
            cancelled += ended_well(task) ? 0 : 1;
        }
        return std::to_string(cancelled);
    };
    CHECK(outcomes_of(program, {.order = Order::fifo, .cancellations = 1}) == Outcomes{"0", "1"});
    CHECK(outcomes_of(program, {.order = Order::fifo, .cancellations = 2}) == Outcomes{"0", "1", "2"});
}

TEST_CASE("an injected cancellation that comes out of main is no finding") {
    ExploreOptions options = every_order();
    options.cancellations = 1;
    const Report report = explore([] { await(create_task([] { sleep(1s); })); }, options);
    CHECK(verdict(report) == "passes");
}

TEST_CASE("when main has ended so, other invariants still count") {
    ExploreOptions options = every_order();
    options.cancellations = 1;
    const auto program = [](bool holds) {
        return [holds] {
            const auto other = create_task([holds] {
                sleep(2s);
                always(holds, "still true");
            });
            await(create_task([] { sleep(1s); }, {.name = "victim"}));
            other.cancel();
        };
    };
    CHECK(verdict(explore(program(false), options)) == "check failed");
    CHECK(verdict(explore(program(true), options)) == "passes");
}

TEST_CASE("when main has ended so, a task that waits for a free primitive is a finding") {
    ExploreOptions options = every_order();
    options.cancellations = 1;
    // The lock outlives main, which leaves when its victim is cancelled.
    const auto program = [](auto lock, auto wake) {
        const auto use = [lock](std::chrono::nanoseconds delay) {
            lock->acquire();
            sleep(delay);
            lock->release();
        };
        const auto holder = create_task([use] { use(2s); }, {.name = "holder"});
        const auto waiter = create_task([use] { use(0s); }, {.name = "waiter"});
        await(create_task([] { sleep(3s); }, {.name = "victim"}));
        wake();
        await(holder);
        await(waiter);
    };
    const Report report = explore(
        [&] {
            const auto lock = std::make_shared<ForgetfulLock>();
            program(lock, [&] { lock->wake(); });
        },
        options);
    INFO(report.to_text());
    CHECK(verdict(report) == "deadlock");
    CHECK(report.finding->label == "stranded");
    CHECK(test::tells(report, "which is free"));
    CHECK(report.mishaps.size() == 1);
    const auto with_a_lock = [&] { program(std::make_shared<Lock>(), [] {}); };
    CHECK(verdict(explore(with_a_lock, options)) == "passes");
}

TEST_CASE("when main has ended so, a task that never rests is no finding") {
    ExploreOptions options = every_order();
    options.cancellations = 1;
    options.order = Order::fifo;
    options.steps_max = 500;
    const auto program = [] {
        create_task([] {
            for (;;) {
                sleep(1s);
            }
        });
        await(create_task([] { sleep(1s); }));
    };
    CHECK(verdict(explore(program, options)) == "passes");
}

TEST_CASE("a wait that would not suspend lets others go first only if yields are forced") {
    const auto program = [] {
        Lock lock;
        std::string order;
        const auto a = create_task([&] {
            order += 'a';
            const auto guard = lock.guard();
            order += 'A';
        });
        const auto b = create_task([&] { order += 'b'; });
        await(a);
        await(b);
        return order;
    };
    CHECK(outcomes_of(program) == Outcomes{"aAb", "baA"});
    CHECK(outcomes_of(program, {.forced_yields = 1}) == Outcomes{"aAb", "baA", "abA"});
}

TEST_CASE("no more yields are forced than allowed") {
    const auto program = [] {
        Lock lock;
        std::string order;
        const auto a = create_task([&] {
            for (int i = 0; i < 3; ++i) {
                const auto guard = lock.guard();
                order += 'a';
            }
        });
        const auto b = create_task([&] {
            order += 'b';
            sleep(0s);
            order += 'b';
        });
        await(a);
        await(b);
        return order;
    };
    const Outcomes one = outcomes_of(program, {.forced_yields = 1});
    const Outcomes two = outcomes_of(program, {.forced_yields = 2});
    CHECK(one.count("abaab") == 1);
    CHECK(one.count("ababa") == 0);
    CHECK(two.count("ababa") == 1);
}

TEST_CASE("a timeout wins against runnable work only if time may pass") {
    const auto program = [] {
        std::string heard = "ran";
        const auto worker = create_task([] {
            for (int i = 0; i < 3; ++i) {
                sleep(0s);
            }
        });
        try {
            wait_for(worker, 1s);
        } catch (const TimeoutError&) {
            heard = "timed out";
        }
        return heard;
    };
    CHECK(outcomes_of(program) == Outcomes{"ran"});
    CHECK(outcomes_of(program, {.time_passes = 1}) == Outcomes{"ran", "timed out"});
}

// What is due may be overtaken by the next deadline too, that of main's own sleep included.
TEST_CASE("time passes no more often than allowed") {
    std::string order;  // outlives main, as callbacks that were overtaken may
    const auto program = [&] {
        order.clear();
        auto& loop = get_running_loop();
        loop.call_later(1s, [&] { order += '1'; });
        loop.call_later(2s, [&] { order += '2'; });
        const auto worker = create_task([&] {
            sleep(0s);
            order += 'w';
        });
        await(worker);
        sleep(3s);
        return order;
    };
    CHECK(outcomes_of(program) == Outcomes{"w12"});
    CHECK(outcomes_of(program, {.time_passes = 1}) == Outcomes{"w12", "1w2", "w21", "w1"});
    CHECK(outcomes_of(program, {.time_passes = 2}) == 
          Outcomes{"w12", "1w2", "w21", "w1", "12w", "21w", "2w1", "1w", "w2", "w"});
}

TEST_CASE("deadlines within the slack may come due together, and then in either order") {
    const auto program = [] {
        std::string order;
        auto& loop = get_running_loop();
        loop.call_later(1000ns, [&] { order += '1'; });
        loop.call_later(1005ns, [&] { order += '2'; });
        loop.call_later(1020ns, [&] { order += '3'; });
        sleep(1s);
        return order;
    };
    CHECK(outcomes_of(program) == Outcomes{"123"});
    CHECK(outcomes_of(program, {.timer_slack = 5ns}) == Outcomes{"123", "213"});
    CHECK(outcomes_of(program, {.timer_slack = 4ns}) == Outcomes{"123"});
    CHECK(outcomes_of(program, {.timer_slack = 15ns}) == Outcomes{"123", "213", "132"});
    CHECK(outcomes_of(program, {.timer_slack = 20ns}) == Outcomes{"123", "132", "213", "231", "312", "321"});
}

TEST_CASE("timers of one deadline go in either order without any slack") {
    const auto program = [] {
        std::string order;
        auto& loop = get_running_loop();
        loop.call_later(1s, [&] { order += '1'; });
        loop.call_later(1s, [&] { order += '2'; });
        sleep(2s);
        return order;
    };
    CHECK(outcomes_of(program) == Outcomes{"12", "21"});
    CHECK(outcomes_of(program, {.order = Order::fifo}) == Outcomes{"12"});
}

TEST_CASE("in fifo order there is asyncio's order and no other") {
    const auto program = [] {
        std::string order;
        const auto a = create_task([&] {
            order += 'a';
            sleep(0s);
            order += 'A';
        });
        const auto b = create_task([&] {
            order += 'b';
            sleep(0s);
            order += 'B';
        });
        await(a);
        await(b);
        return order;
    };
    CHECK(outcomes_of(program, {.order = Order::fifo}) == Outcomes{"abAB"});
    CHECK(outcomes_of(program) == Outcomes{"abAB", "abBA", "aAbB", "baAB", "baBA", "bBaA"});
}

}  // namespace mishap
