#pragma once

// The workloads as programs for mishap, in a simulated world with seeded random choices, tape and digest on; nothing is
// switched off.

#include <array>
#include <vector>

#include <mishap/loop/await.hpp>
#include <mishap/loop/sleep.hpp>
#include <mishap/primitives/lock.hpp>
#include <mishap/primitives/queue.hpp>
#include <mishap/sim/explorer.hpp>
#include <mishap/sim/random_walk.hpp>

#include "measure.hpp"

namespace bench {

using namespace std::chrono_literals;
using mishap::Task;

/// A program with the world and the loop it runs in, which are reset between runs as in every search.
class Search final : public mishap::Program {
public:
    explicit Search(void (*body)()) : body_(body) {}

    void run(mishap::World& world) override {
        loop_.begin_run();
        {
            const Task<void> main = loop_.create_task(body_, {.name = "main"});
            loop_.run_until_complete(main);
        }
        world.end_verdict();
        loop_.tear_down();
        loop_.end_run();
    }
    /// Searches as `explore` does, with a count of the distinct runs.
    void make_runs(std::uint64_t count) {
        mishap::RandomWalk strategy(1);
        const mishap::SearchResult result = explorer_.search(strategy, {.runs_max = count});
        require(result.runs == count && !result.failure.has_value(), "no run fails");
    }
    /// Makes runs and keeps nothing of them.
    void make_single_runs(std::uint64_t count) {
        mishap::RandomWalk strategy(1);
        for (std::uint64_t number = 0; number < count; ++number) {
            strategy.begin_run({number});
            world_.begin_run(&strategy);
            run(world_);
        }
    }

private:
    static mishap::WorldOptions unlimited() {
        mishap::WorldOptions options;
        options.steps_max = ~std::uint64_t{0};
        options.livelock_steps = 0;  // tasks that do nothing but yield are one
        return options;
    }

    void (*body_)();
    mishap::World world_{unlimited()};
    mishap::EventLoop loop_{world_};
    mishap::Explorer explorer_{*this, world_};
};

template <std::uint64_t tasks, std::uint64_t yields>
void yields_between() {
    std::vector<Task<void>> all;
    all.reserve(tasks);
    for (std::uint64_t i = 0; i < tasks; ++i) {
        all.push_back(mishap::create_task([] {
            for (std::uint64_t left = yields / tasks; left != 0; --left) {
                mishap::sleep(0s);
            }
        }));
    }
    for (const Task<void>& task : all) {
        mishap::await(task);
    }
}

template <bool yields, std::uint64_t batches>
void spawn_and_join() {
    std::uint64_t sum = 0;
    std::vector<Task<void>> tasks;
    tasks.reserve(tasks_per_batch);
    for (std::uint64_t batch = 0; batch < batches; ++batch) {
        tasks.clear();
        for (std::uint64_t i = 0; i < tasks_per_batch; ++i) {
            tasks.push_back(mishap::create_task([&sum] {
                if constexpr (yields) {
                    mishap::sleep(0s);
                }
                ++sum;
            }));
        }
        for (const Task<void>& task : tasks) {
            mishap::await(task);
        }
    }
    require(sum == tasks_per_batch * batches, "every task ran");
}

template <std::size_t capacity, std::uint64_t items>
void through_queue() {
    mishap::Queue<std::uint64_t> queue(capacity);
    std::uint64_t sum = 0;
    const Task<void> producer = mishap::create_task([&queue] {
        for (std::uint64_t i = 0; i < items; ++i) {
            queue.put(i);
        }
    });
    const Task<void> consumer = mishap::create_task([&queue, &sum] {
        for (std::uint64_t i = 0; i < items; ++i) {
            sum += queue.get();
        }
    });
    mishap::await(producer);
    mishap::await(consumer);
    require(sum == items * (items - 1) / 2, "every item arrived");
}

template <std::uint64_t sections>
void critical_sections() {
    mishap::Lock lock;
    std::uint64_t value = 0;
    std::array<Task<void>, lock_tasks> tasks;
    for (Task<void>& task : tasks) {
        task = mishap::create_task([&lock, &value] {
            for (std::uint64_t left = sections / lock_tasks; left != 0; --left) {
                lock.acquire();
                const std::uint64_t read = value;
                mishap::sleep(0s);
                value = read + 1;
                lock.release();
            }
        });
    }
    for (const Task<void>& task : tasks) {
        mishap::await(task);
    }
    require(value == sections, "the lock excludes");
}

inline void fire_timers() {
    Amounts delays(7);
    std::uint64_t fired = 0;
    mishap::EventLoop& loop = mishap::get_running_loop();
    for (std::uint64_t i = 0; i < timers; ++i) {
        loop.call_later(std::chrono::nanoseconds(delays.below(delay_max_ns)), [&fired] { ++fired; });
    }
    mishap::sleep(std::chrono::nanoseconds(delay_max_ns));
    require(fired == timers, "every timer fired");
}

inline void arm_and_cancel() {
    Amounts delays(7);
    mishap::EventLoop& loop = mishap::get_running_loop();
    for (std::uint64_t i = 0; i < cancelled_timers; ++i) {
        mishap::TimerHandle timer = loop.call_later(std::chrono::nanoseconds(delays.below(delay_max_ns)), [] {});
        timer.cancel();
    }
}

inline void sleeping_tasks() {
    Amounts delays(7);
    std::uint64_t woken = 0;
    std::vector<Task<void>> tasks;
    tasks.reserve(sleepers);
    for (std::uint64_t i = 0; i < sleepers; ++i) {
        tasks.push_back(mishap::create_task([&delays, &woken] {
            mishap::sleep(std::chrono::nanoseconds(delays.below(delay_max_ns)));
            ++woken;
        }));
    }
    for (const Task<void>& task : tasks) {
        mishap::await(task);
    }
    require(woken == sleepers, "every task woke");
}

inline void yield_four_times() {
    std::uint64_t value = 0;
    std::array<Task<void>, 3> tasks;
    for (Task<void>& task : tasks) {
        task = mishap::create_task([&value] {
            for (int i = 0; i < 4; ++i) {
                mishap::sleep(0s);
                ++value;
            }
        });
    }
    for (const Task<void>& task : tasks) {
        mishap::await(task);
    }
    require(value == 12, "every task ran to its end");
}

inline void lock_twice() {
    mishap::Lock lock;
    std::uint64_t value = 0;
    std::array<Task<void>, 3> tasks;
    for (Task<void>& task : tasks) {
        task = mishap::create_task([&lock, &value] {
            for (int i = 0; i < 2; ++i) {
                lock.acquire();
                const std::uint64_t read = value;
                mishap::sleep(0s);
                value = read + 1;
                lock.release();
                mishap::sleep(0s);
            }
        });
    }
    for (const Task<void>& task : tasks) {
        mishap::await(task);
    }
    require(value == 6, "every task ran to its end");
}

}  // namespace bench
