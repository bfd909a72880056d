// The workloads on mishap, measured.

#include <memory>

#include "mishap_workloads.hpp"

namespace bench {
namespace {

template <void (*body)(), std::uint64_t operations_per_run, std::uint64_t runs>
Round search() {
    return [search = std::make_shared<Search>(body)] {
        search->make_runs(runs);
        return operations_per_run * runs;
    };
}

std::uint64_t tasks_to_suspend = 0;
const std::function<void()>* measured_while_suspended = nullptr;

void suspend_and_release() {
    const mishap::Future<void> released = mishap::get_running_loop().create_future<void>();
    for (std::uint64_t i = 0; i < tasks_to_suspend; ++i) {
        mishap::create_task([&released] { mishap::await(released); });
    }
    mishap::sleep(1ns);  // the clock moves only when nothing is ready: all tasks wait by then
    (*measured_while_suspended)();
    released.set_result();
}

void suspend_tasks(std::uint64_t tasks, const std::function<void()>& measured) {
    tasks_to_suspend = tasks;
    measured_while_suspended = &measured;
    Search(suspend_and_release).make_runs(1);
}

constexpr Workload workloads[] = {
    {"W1_2", search<yields_between<2, yields_per_run>, yields_per_run, runs_per_round>},
    {"W1_100", search<yields_between<100, yields_per_run>, yields_per_run, runs_per_round>},
    {"W1_10000", search<yields_between<10'000, yields_per_big_run>, yields_per_big_run, 1>},
    {"W2", search<spawn_and_join<false, batches_per_run>, tasks_per_batch * batches_per_run, runs_per_round>},
    {"W2y", search<spawn_and_join<true, batches_per_run>, tasks_per_batch * batches_per_run, runs_per_round>},
    {"W3_1", search<through_queue<1, items_per_run>, items_per_run, runs_per_round>},
    {"W3_64", search<through_queue<64, items_per_run>, items_per_run, runs_per_round>},
    {"W4", search<critical_sections<sections_per_run>, sections_per_run, runs_per_round>},
    {"W5_timers", search<fire_timers, timers, 1>},
    {"W5_cancel", search<arm_and_cancel, cancelled_timers, 1>},
    {"W5_sleepers", search<sleeping_tasks, sleepers, 1>},
    {"W6", search<yield_four_times, 1, fresh_runs>},
    {"W6L", search<lock_twice, 1, fresh_runs>},
};

constexpr Workload counted_workloads[] = {
    {"W1_2", search<yields_between<2, 20'000>, 20'000, 1>},
    {"W1_100", search<yields_between<100, 20'000>, 20'000, 1>},
    {"W2", search<spawn_and_join<false, 10>, 10 * tasks_per_batch, 1>},
    {"W2y", search<spawn_and_join<true, 10>, 10 * tasks_per_batch, 1>},
    {"W3_1", search<through_queue<1, 10'000>, 10'000, 1>},
    {"W3_64", search<through_queue<64, 10'000>, 10'000, 1>},
    {"W4", search<critical_sections<10'000>, 10'000, 1>},
    {"W6", search<yield_four_times, 1, 1'000>},
    {"W6L", search<lock_twice, 1, 1'000>},
};

}  // namespace
}  // namespace bench

int main(int argument_count, char** arguments) {
    return bench::run(argument_count, arguments, bench::workloads, bench::suspend_tasks, bench::counted_workloads);
}
