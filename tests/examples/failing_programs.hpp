#pragma once

// Programs that fail in some order: tasks, injected mishaps, threads, answers. They are not registered, so that the command
// line and the demo do not know them.

#include <array>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include <mishap/mishap.hpp>

namespace mishap::test {

using namespace std::chrono_literals;

inline void two_locks_crosswise() {
    Lock first("first");
    Lock second("second");
    const auto take = [](Lock& one, Lock& other) {
        const auto outer = one.guard();
        sleep(0s);
        const auto inner = other.guard();
    };
    const auto a = create_task([&] { take(first, second); }, {.name = "a"});
    const auto b = create_task([&] { sleep(1s), take(second, first); }, {.name = "b"});
    const auto c = create_task([&] { sleep(1s); }, {.name = "c"});
    gather(a, b, c);
}

inline void four_philosophers() {
    constexpr std::size_t seats = 4;
    std::array<Lock, seats> forks{Lock("fork0"), Lock("fork1"), Lock("fork2"), Lock("fork3")};
    std::vector<Task<void>> all;
    for (std::size_t seat = 0; seat < seats; ++seat) {
        all.push_back(create_task([&, seat] {
            for (std::size_t i = 0; i < seat; ++i) {
                sleep(0s);
            }
            const auto left = forks.at(seat).guard();
            sleep(0s);
            const auto right = forks.at((seat + 1) % seats).guard();
        }));
    }
    gather(all);
}

inline void check_then_act() {
    std::vector<int> items{1};
    const auto take = [&] {
        if (!items.empty()) {
            sleep(0s);
            always(!items.empty(), "there is one to take");
            items.pop_back();
        }
    };
    const auto a = create_task(take, {.name = "taker"});
    const auto b = create_task([&] { sleep(0s), sleep(0s), take(); }, {.name = "taker"});
    gather(a, b);
}

inline void event_missed() {
    Event changed("changed");
    bool is_open = false;
    const auto waiter = create_task(
        [&] {
            while (!is_open) {
                sleep(0s);
                changed.clear();
                changed.wait();
            }
        },
        {.name = "waiter"});
    const auto opener = create_task(
        [&] {
            sleep(0s), sleep(0s);
            is_open = true;
            changed.set();
        },
        {.name = "opener"});
    gather(waiter, opener);
}

inline void late_reader() {
    Shared<int> value{0, "value"};
    std::vector<Task<void>> writers;
    for (int i = 1; i <= 3; ++i) {
        writers.push_back(create_task(
            [&, i] {
                for (int j = 0; j < i; ++j) {
                    sleep(0s);
                }
                value.store(i);
            },
            {.name = "writer"}));
    }
    gather(writers);
    always(value.load() == 3, "the last writer wins");
}

inline void queue_order() {
    Queue<int> queue;
    int last = 0;
    const auto put = [&](int item) {
        return [&queue, item] {
            for (int i = 0; i < item; ++i) {
                sleep(0s);
            }
            queue.put(item);
        };
    };
    const auto a = create_task(put(1), {.name = "a"});
    const auto b = create_task(put(2), {.name = "b"});
    const auto c = create_task(put(3), {.name = "c"});
    for (int i = 0; i < 3; ++i) {
        const int item = queue.get();
        always(item > last, "items come in order");
        last = item;
    }
    gather(a, b, c);
}

inline void timers_meet() {
    int value = 0;
    const auto a = create_task([&] { sleep(10ms), value = 1; }, {.name = "a"});
    const auto b = create_task([&] { sleep(12ms), value = 2; }, {.name = "b"});
    const auto c = create_task([&] { sleep(14ms), sleep(0s), value = 3; }, {.name = "c"});
    gather(a, b, c);
    always(value == 3, "the latest is the last");
}

inline void slow_answer() {
    const auto work = create_task(
        [] {
            for (int i = 0; i < 5; ++i) {
                sleep(0s);
            }
            return 1;
        },
        {.name = "work"});
    sleep(0s);
    always(wait_for(work, 1s) == 1, "it is answered");
}

inline void cleanup_cancelled() {
    int open = 0;
    const auto use = [&] {
        ++open;
        sleep(1s);
        --open;
    };
    const std::array users = {create_task(use, {.name = "user"}), create_task(use, {.name = "user"}),
                              create_task(use, {.name = "user"})};
    for (const Task<void>& user : users) {
        try {
            await(user);
        } catch (const CancelledError&) {
        }
    }
    always(open == 0, "all is closed");
}

inline void hasty_lock() {
    Lock lock("lock");
    int inside = 0;
    int seen = 0;
    const auto enter = [&] {
        seen = inside;
        const auto guard = lock.guard();
        always(seen == inside, "nobody came in between");
        ++inside;
    };
    const auto a = create_task(enter, {.name = "a"});
    const auto b = create_task(enter, {.name = "b"});
    gather(a, b);
}

inline void unlucky_answers() {
    std::uint32_t sum = 0;
    for (int i = 0; i < 8; ++i) {
        sum += choose(5);
    }
    always(sum < 9, "the sum is small");
}

inline void faulty_disk() {
    int failures = 0;
    const auto write = [&] {
        for (int tries = 0; tries < 3; ++tries) {
            if (!fault("disk")) {
                return;
            }
            sleep(1s);
        }
        ++failures;
    };
    const auto a = create_task(write, {.name = "writer"});
    const auto b = create_task(write, {.name = "writer"});
    gather(a, b);
    always(failures == 0, "everything is written");
}

inline void threads_lose_an_update() {
    Shared<int> n{0, "n"};
    const auto add = [&] { n.store(n.load() + 1); };
    Thread one(add, {.name = "one"});
    Thread two(add, {.name = "two"});
    one.join();
    two.join();
    always(n.load() == 2, "both count");
}

inline void threads_overtake() {
    Shared<int> n{0, "n"};
    Thread one([&] { n.fetch_add(1), n.fetch_add(1), n.fetch_add(1); }, {.name = "one"});
    Thread two([&] { always(n.load() != 2, "never two"); }, {.name = "two"});
    one.join();
    two.join();
}

inline void threads_deadlock() {
    Mutex a("a");
    Mutex b("b");
    Mutex c("c");
    const auto take = [](Mutex& one, Mutex& other) {
        one.lock();
        other.lock();
        other.unlock();
        one.unlock();
    };
    Thread one([&] { take(a, b); }, {.name = "one"});
    Thread two([&] { take(b, c); }, {.name = "two"});
    Thread three([&] { take(c, a); }, {.name = "three"});
    one.join();
    two.join();
    three.join();
}

inline void threads_miss_a_notification() {
    Mutex mutex("m");
    CondVar told("told");
    Shared<int> is_ready{0, "is_ready"};
    Thread waiter(
        [&] {
            if (is_ready.load() == 0) {
                mutex.lock();
                told.wait(mutex);
                mutex.unlock();
            }
        },
        {.name = "waiter"});
    Thread notifier([&] { is_ready.store(1), told.notify_one(); }, {.name = "notifier"});
    waiter.join();
    notifier.join();
}

inline void threads_publish_too_early() {
    Shared<int> data{0, "data"};
    Shared<int> flag{0, "flag"};
    Thread writer([&] { flag.store(1), data.store(7); }, {.name = "writer"});
    Thread reader(
        [&] {
            if (flag.load() == 1) {
                always(data.load() == 7, "what is announced is there");
            }
        },
        {.name = "reader"});
    writer.join();
    reader.join();
}

inline void three_threads_count_down() {
    Shared<int> left{3, "left"};
    Shared<int> last{0, "last"};
    const auto leave = [&] {
        left.fetch_add(-1);
        if (left.load() == 0) {
            last.fetch_add(1);
        }
    };
    Thread one(leave, {.name = "one"});
    Thread two(leave, {.name = "two"});
    Thread three(leave, {.name = "three"});
    one.join();
    two.join();
    three.join();
    always(last.load() == 1, "one is the last");
}

/// Returns them all, with the mishaps they need.
inline std::vector<Scenario> failing_programs() {
    const auto scenario = [](const char* name, void (*body)(), ExploreOptions options = {}) {
        options.name = name;
        return Scenario{name, options, body, {}};
    };
    return {
        scenario("two locks crosswise", two_locks_crosswise),
        scenario("philosophers", four_philosophers),
        scenario("check then act", check_then_act),
        scenario("event missed", event_missed),
        scenario("late reader", late_reader),
        scenario("queue order", queue_order),
        scenario("timers meet", timers_meet, {.timer_slack = 5ms}),
        scenario("slow answer", slow_answer, {.time_passes = 1}),
        scenario("cleanup cancelled", cleanup_cancelled, {.cancellations = 1}),
        scenario("hasty lock", hasty_lock, {.forced_yields = 1}),
        scenario("unlucky answers", unlucky_answers),
        scenario("faulty disk", faulty_disk),
        scenario("threads lose an update", threads_lose_an_update, {.races = Detect::off}),
        scenario("threads overtake", threads_overtake, {.races = Detect::off}),
        scenario("threads deadlock", threads_deadlock),
        scenario("threads miss a notification", threads_miss_a_notification, {.races = Detect::off}),
        scenario("threads publish too early", threads_publish_too_early, {.races = Detect::off}),
        scenario("three threads count down", three_threads_count_down, {.races = Detect::off, .lost_updates = Detect::off}),
    };
}

}  // namespace mishap::test
