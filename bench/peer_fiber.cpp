// The workloads on Boost.Fiber: its default scheduler (round robin, no random choice, no trace) on one thread. Its
// scheduler belongs to the thread, so that W6 makes fresh fibers only.
//
// POOLED_STACKS chooses Boost's pooled stacks of 16 KiB instead of its default ones.

#include <array>
#include <chrono>
#include <mutex>
#include <vector>

#include <boost/fiber/all.hpp>

#include "measure.hpp"

namespace bench {
namespace {

namespace fibers = boost::fibers;
using Fiber = fibers::fiber;

#ifdef POOLED_STACKS
fibers::pooled_fixedsize_stack stacks(16 * 1024);
#else
fibers::fixedsize_stack stacks;
#endif

template <class F>
Fiber spawn(F&& function) {
    return Fiber(fibers::launch::post, std::allocator_arg, stacks, std::forward<F>(function));
}

template <std::uint64_t tasks, std::uint64_t yields, std::uint64_t runs>
Round yields_between() {
    return [] {
        for (std::uint64_t run = 0; run < runs; ++run) {
            std::vector<Fiber> all;
            for (std::uint64_t i = 0; i < tasks; ++i) {
                all.push_back(spawn([] {
                    for (std::uint64_t left = yields / tasks; left != 0; --left) {
                        boost::this_fiber::yield();
                    }
                }));
            }
            for (Fiber& fiber : all) {
                fiber.join();
            }
        }
        return yields * runs;
    };
}

template <bool yields>
Round spawn_and_join() {
    return [] {
        constexpr std::uint64_t operations = tasks_per_batch * batches_per_run;
        std::uint64_t sum = 0;
        std::vector<Fiber> all;
        for (std::uint64_t batch = 0; batch < batches_per_run; ++batch) {
            all.clear();
            for (std::uint64_t i = 0; i < tasks_per_batch; ++i) {
                all.push_back(spawn([&sum] {
                    if constexpr (yields) {
                        boost::this_fiber::yield();
                    }
                    ++sum;
                }));
            }
            for (Fiber& fiber : all) {
                fiber.join();
            }
        }
        require(sum == operations, "every task ran");
        return operations;
    };
}

/// A `buffered_channel` holds one item fewer than its capacity, which is a power of two.
template <std::size_t channel_capacity>
Round through_queue() {
    return [] {
        fibers::buffered_channel<std::uint64_t> channel(channel_capacity);
        std::uint64_t sum = 0;
        Fiber producer = spawn([&channel] {
            for (std::uint64_t i = 0; i < items_per_run; ++i) {
                channel.push(i);
            }
        });
        Fiber consumer = spawn([&channel, &sum] {
            for (std::uint64_t i = 0; i < items_per_run; ++i) {
                std::uint64_t item = 0;
                channel.pop(item);
                sum += item;
            }
        });
        producer.join();
        consumer.join();
        require(sum == items_per_run * (items_per_run - 1) / 2, "every item arrived");
        return items_per_run;
    };
}

Round critical_sections() {
    return [] {
        fibers::mutex mutex;
        std::uint64_t value = 0;
        std::array<Fiber, lock_tasks> all;
        for (Fiber& fiber : all) {
            fiber = spawn([&mutex, &value] {
                for (std::uint64_t left = sections_per_run / lock_tasks; left != 0; --left) {
                    mutex.lock();
                    const std::uint64_t read = value;
                    boost::this_fiber::yield();
                    value = read + 1;
                    mutex.unlock();
                }
            });
        }
        for (Fiber& fiber : all) {
            fiber.join();
        }
        require(value == sections_per_run, "the mutex excludes");
        return sections_per_run;
    };
}

Round fresh_fibers() {
    return [] {
        for (std::uint64_t run = 0; run < fresh_runs; ++run) {
            std::uint64_t value = 0;
            std::array<Fiber, 3> all;
            for (Fiber& fiber : all) {
                fiber = spawn([&value] {
                    for (int i = 0; i < 4; ++i) {
                        boost::this_fiber::yield();
                        ++value;
                    }
                });
            }
            for (Fiber& fiber : all) {
                fiber.join();
            }
            require(value == 12, "every task ran to its end");
        }
        return fresh_runs;
    };
}

Round fresh_mutexes() {
    return [] {
        for (std::uint64_t run = 0; run < fresh_runs; ++run) {
            std::uint64_t value = 0;
            fibers::mutex mutex;
            std::array<Fiber, 3> all;
            for (Fiber& fiber : all) {
                fiber = spawn([&mutex, &value] {
                    for (int i = 0; i < 2; ++i) {
                        mutex.lock();
                        const std::uint64_t read = value;
                        boost::this_fiber::yield();
                        value = read + 1;
                        mutex.unlock();
                        boost::this_fiber::yield();
                    }
                });
            }
            for (Fiber& fiber : all) {
                fiber.join();
            }
            require(value == 6, "every task ran to its end");
        }
        return fresh_runs;
    };
}

void suspend_tasks(std::uint64_t tasks, const std::function<void()>& measured) {
    fibers::mutex mutex;
    fibers::condition_variable released;
    bool is_released = false;
    std::uint64_t waiting = 0;
    std::vector<Fiber> all;
    all.reserve(tasks);
    for (std::uint64_t i = 0; i < tasks; ++i) {
        all.push_back(spawn([&] {
            std::unique_lock guard(mutex);
            ++waiting;
            released.wait(guard, [&is_released] { return is_released; });
        }));
    }
    while (waiting < tasks) {
        boost::this_fiber::yield();
    }
    measured();
    is_released = true;
    released.notify_all();
    for (Fiber& fiber : all) {
        fiber.join();
    }
}

constexpr Workload workloads[] = {
    {"W1_2", yields_between<2, yields_per_run, runs_per_round>},
    {"W1_100", yields_between<100, yields_per_run, runs_per_round>},
    {"W1_10000", yields_between<10'000, yields_per_big_run, 1>},
    {"W2", spawn_and_join<false>},
    {"W2y", spawn_and_join<true>},
    {"W3_1", through_queue<2>},
    {"W3_64", through_queue<64>},
    {"W4", critical_sections},
    {"W6", fresh_fibers},
    {"W6L", fresh_mutexes},
};

}  // namespace
}  // namespace bench

int main(int argument_count, char** arguments) {
    return bench::run(argument_count, arguments, bench::workloads, bench::suspend_tasks);
}
