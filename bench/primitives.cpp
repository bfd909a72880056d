// What an operation on a primitive costs that need not wait, in the real world and in a search: a pair of opposite ones.

#include <benchmark/benchmark.h>

#include <mishap/loop/run.hpp>
#include <mishap/primitives/condition.hpp>
#include <mishap/primitives/event.hpp>
#include <mishap/primitives/lifo_queue.hpp>
#include <mishap/primitives/priority_queue.hpp>
#include <mishap/primitives/semaphore.hpp>

#include "mishap_workloads.hpp"

namespace {

benchmark::State* state = nullptr;  // of the benchmark that runs: a program under test is a function without arguments

/// Repeats an operation on an object that nobody else uses.
template <class Object, void (*operation)(Object&)>
void repeat() {
    Object object;
    for (auto _ : *state) {
        operation(object);
    }
}

template <class Object, void (*operation)(Object&)>
void in_the_real_world(benchmark::State& measured) {
    state = &measured;
    mishap::run(repeat<Object, operation>);
}

template <class Object, void (*operation)(Object&)>
void in_a_search(benchmark::State& measured) {
    state = &measured;
    bench::Search(repeat<Object, operation>).make_runs(1);
}

void lock(mishap::Lock& lock) {
    lock.acquire();
    lock.release();
}

struct Permits : mishap::Semaphore {
    Permits() : Semaphore(2) {}
};
void permit(Permits& semaphore) {
    semaphore.acquire();
    semaphore.release();
}

template <class AnyQueue>
void pass(AnyQueue& queue) {
    queue.put(1);
    benchmark::DoNotOptimize(queue.get());
}

void set_and_wait(mishap::Event& event) {
    event.set();
    event.wait();
    event.clear();
}

void notify_nobody(mishap::Condition& condition) {
    condition.acquire();
    condition.notify();
    condition.release();
}

}  // namespace

#define MISHAP_BENCHMARK_OPERATION(object, operation)                             \
    BENCHMARK(in_the_real_world<object, operation>)->Name("real/" #operation);    \
    BENCHMARK(in_a_search<object, operation>)->Name("search/" #operation)

MISHAP_BENCHMARK_OPERATION(mishap::Lock, lock);
MISHAP_BENCHMARK_OPERATION(Permits, permit);
MISHAP_BENCHMARK_OPERATION(mishap::Queue<int>, pass<mishap::Queue<int>>);
MISHAP_BENCHMARK_OPERATION(mishap::LifoQueue<int>, pass<mishap::LifoQueue<int>>);
MISHAP_BENCHMARK_OPERATION(mishap::PriorityQueue<int>, pass<mishap::PriorityQueue<int>>);
MISHAP_BENCHMARK_OPERATION(mishap::Event, set_and_wait);
MISHAP_BENCHMARK_OPERATION(mishap::Condition, notify_nobody);

BENCHMARK_MAIN();
