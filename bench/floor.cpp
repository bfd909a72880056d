// The workloads on the floor (floor_loop.hpp).

#include <array>

#include "floor_loop.hpp"
#include "measure.hpp"

namespace bench {
namespace {

using Task = FloorLoop::Task;

FloorStacks& stacks() {
    static FloorStacks all;
    return all;
}

template <std::uint64_t tasks, std::uint64_t yields, std::uint64_t runs>
Round yields_between() {
    return [] {
        std::uint64_t each = yields / tasks;
        for (std::uint64_t run = 0; run < runs; ++run) {
            FloorLoop loop(stacks(), run);
            for (std::uint64_t i = 0; i < tasks; ++i) {
                loop.spawn(
                    [](FloorLoop& floor, void* count) {
                        for (auto left = *static_cast<std::uint64_t*>(count); left != 0; --left) {
                            floor.yield();
                        }
                    },
                    &each);
            }
            loop.run();
            require(loop.hash() != 0, "the steps were hashed");
        }
        return yields * runs;
    };
}

void count_one(FloorLoop&, void* sum) { ++*static_cast<std::uint64_t*>(sum); }

void yield_and_count_one(FloorLoop& loop, void* sum) {
    loop.yield();
    ++*static_cast<std::uint64_t*>(sum);
}

template <void (*function)(FloorLoop&, void*)>
Round spawn_and_join() {
    return [] {
        for (std::uint64_t run = 0; run < runs_per_round; ++run) {
            FloorLoop loop(stacks(), run);
            std::uint64_t sum = 0;
            loop.spawn(
                [](FloorLoop& floor, void* argument) {
                    std::vector<Task*> tasks(tasks_per_batch);
                    for (std::uint64_t batch = 0; batch < batches_per_run; ++batch) {
                        for (Task*& task : tasks) {
                            task = floor.spawn(function, argument);
                        }
                        for (Task* const task : tasks) {
                            floor.join(task);
                        }
                    }
                },
                &sum);
            loop.run();
            require(sum == tasks_per_batch * batches_per_run, "every task ran");
        }
        return tasks_per_batch * batches_per_run * runs_per_round;
    };
}

struct Pipe {
    FloorQueue queue;
    std::uint64_t sum = 0;
};

template <std::size_t capacity>
Round through_queue() {
    return [] {
        for (std::uint64_t run = 0; run < runs_per_round; ++run) {
            FloorLoop loop(stacks(), run);
            Pipe pipe{FloorQueue(capacity)};
            loop.spawn(
                [](FloorLoop& floor, void* argument) {
                    for (std::uint64_t i = 0; i < items_per_run; ++i) {
                        static_cast<Pipe*>(argument)->queue.put(floor, i);
                    }
                },
                &pipe);
            loop.spawn(
                [](FloorLoop& floor, void* argument) {
                    for (std::uint64_t i = 0; i < items_per_run; ++i) {
                        static_cast<Pipe*>(argument)->sum += static_cast<Pipe*>(argument)->queue.get(floor);
                    }
                },
                &pipe);
            loop.run();
            require(pipe.sum == items_per_run * (items_per_run - 1) / 2, "every item arrived");
        }
        return items_per_run * runs_per_round;
    };
}

struct Guarded {
    FloorLock lock;
    std::uint64_t value = 0;
    std::array<Task*, 3> tasks{};
};

Round critical_sections() {
    return [] {
        for (std::uint64_t run = 0; run < runs_per_round; ++run) {
            FloorLoop loop(stacks(), run);
            Guarded guarded;
            for (std::uint64_t i = 0; i < lock_tasks; ++i) {
                loop.spawn(
                    [](FloorLoop& floor, void* argument) {
                        auto& shared = *static_cast<Guarded*>(argument);
                        for (std::uint64_t left = sections_per_run / lock_tasks; left != 0; --left) {
                            shared.lock.acquire(floor);
                            const std::uint64_t value = shared.value;
                            floor.yield();
                            shared.value = value + 1;
                            shared.lock.release(floor);
                        }
                    },
                    &guarded);
            }
            loop.run();
            require(guarded.value == sections_per_run, "the lock excludes");
        }
        return sections_per_run * runs_per_round;
    };
}

struct Sleepers {
    Amounts delays{7};
    std::uint64_t woken = 0;
};

Round sleeping_tasks() {
    return [] {
        FloorLoop loop(stacks(), 1);
        Sleepers all;
        for (std::uint64_t i = 0; i < sleepers; ++i) {
            loop.spawn(
                [](FloorLoop& floor, void* argument) {
                    auto& shared = *static_cast<Sleepers*>(argument);
                    floor.sleep(shared.delays.below(delay_max_ns));
                    ++shared.woken;
                },
                &all);
        }
        loop.run();
        require(all.woken == sleepers, "every task woke");
        return sleepers;
    };
}

void yield_four_times(FloorLoop& loop, void* argument) {
    for (int i = 0; i < 4; ++i) {
        loop.yield();
        ++static_cast<Guarded*>(argument)->value;
    }
}

void lock_twice(FloorLoop& loop, void* argument) {
    auto& shared = *static_cast<Guarded*>(argument);
    for (int i = 0; i < 2; ++i) {
        shared.lock.acquire(loop);
        const std::uint64_t value = shared.value;
        loop.yield();
        shared.value = value + 1;
        shared.lock.release(loop);
        loop.yield();
    }
}

template <void (*function)(FloorLoop&, void*), std::uint64_t value>
Round fresh_loops() {
    return [] {
        for (std::uint64_t run = 0; run < fresh_runs; ++run) {
            FloorLoop loop(stacks(), run + 1);
            Guarded shared;
            loop.spawn(
                [](FloorLoop& floor, void* argument) {
                    auto& guarded = *static_cast<Guarded*>(argument);
                    for (Task*& task : guarded.tasks) {
                        task = floor.spawn(function, argument);
                    }
                    for (Task* const task : guarded.tasks) {
                        floor.join(task);
                    }
                },
                &shared);
            loop.run();
            require(shared.value == value, "every task ran to its end");
        }
        return fresh_runs;
    };
}

void suspend_tasks(std::uint64_t tasks, const std::function<void()>& measured) {
    FloorStacks own_stacks;
    FloorLoop loop(own_stacks, 1);
    FloorWaitList waiting;
    for (std::uint64_t i = 0; i < tasks; ++i) {
        loop.spawn(
            [](FloorLoop& floor, void* argument) {
                static_cast<FloorWaitList*>(argument)->add(floor.current());
                floor.suspend();
            },
            &waiting);
    }
    loop.run();
    measured();
    while (!waiting.is_empty()) {
        loop.wake(waiting.take());
    }
    loop.run();
}

constexpr Workload workloads[] = {
    {"W1_2", yields_between<2, yields_per_run, runs_per_round>},
    {"W1_100", yields_between<100, yields_per_run, runs_per_round>},
    {"W1_10000", yields_between<10'000, yields_per_big_run, 1>},
    {"W2", spawn_and_join<count_one>},
    {"W2y", spawn_and_join<yield_and_count_one>},
    {"W3_1", through_queue<1>},
    {"W3_64", through_queue<64>},
    {"W4", critical_sections},
    {"W5_sleepers", sleeping_tasks},
    {"W6", fresh_loops<yield_four_times, 12>},
    {"W6L", fresh_loops<lock_twice, 6>},
};

}  // namespace
}  // namespace bench

int main(int argument_count, char** arguments) {
    return bench::run(argument_count, arguments, bench::workloads, bench::suspend_tasks);
}
