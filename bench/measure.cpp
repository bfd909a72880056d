#include "measure.hpp"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace bench {

namespace {

double cpu_time_ns() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

/// Sets all sticky floating-point flags, so that no two contexts differ in them; else every switch takes sixteen times
/// as long. mishap's loop does it itself; for the others this is the favourable case.
void set_sticky_flags() {
#if defined(__x86_64__)
    _mm_setcsr(_mm_getcsr() | 0x3fU);
#endif
}

int print_times(const Workload& workload, std::uint64_t repetitions) {
    const Round round = workload.make();
    round();
    for (std::uint64_t i = 0; i < repetitions; ++i) {
        const double begin = cpu_time_ns();
        const std::uint64_t operations = round();
        std::printf("%.3f\n", (cpu_time_ns() - begin) / static_cast<double>(operations));
    }
    return 0;
}

int print_count(const Workload& workload, std::uint64_t rounds) {
    const Round round = workload.make();
    std::uint64_t operations = 0;
    for (std::uint64_t i = 0; i < rounds; ++i) {
        operations += round();
    }
    std::printf("%" PRIu64 "\n", operations);
    return 0;
}

int print_memory(std::uint64_t tasks, SuspendTasks suspend_tasks) {
    const Memory before = memory_in_use();
    suspend_tasks(tasks, [&] {
        const Memory after = memory_in_use();
        const auto per_task = [&](std::int64_t bytes) { return static_cast<double>(bytes) / static_cast<double>(tasks); };
        std::printf("%.0f %.0f\n", per_task(after.resident_bytes - before.resident_bytes),
                    per_task(after.page_table_bytes - before.page_table_bytes));
    });
    return 0;
}

}  // namespace

Memory memory_in_use() {
    Memory memory;
    std::FILE* const file = std::fopen("/proc/self/status", "r");
    require(file != nullptr, "/proc/self/status can be read");
    char line[256];
    while (std::fgets(line, sizeof line, file) != nullptr) {
        std::int64_t kibibytes = 0;
        if (std::sscanf(line, "VmRSS: %" SCNd64, &kibibytes) == 1) {
            memory.resident_bytes = kibibytes * 1024;
        } else if (std::sscanf(line, "VmPTE: %" SCNd64, &kibibytes) == 1) {
            memory.page_table_bytes = kibibytes * 1024;
        }
    }
    std::fclose(file);
    return memory;
}

void require(bool holds, const char* what) {
    if (!holds) {
        std::fprintf(stderr, "the benchmark is wrong: it does not hold that %s\n", what);
        std::exit(1);
    }
}

int run(int argument_count, char** arguments, std::span<const Workload> workloads, SuspendTasks suspend_tasks,
        std::span<const Workload> counted_workloads) {
    set_sticky_flags();
    const auto is = [&](const char* verb, int count) {
        return argument_count == count && std::strcmp(arguments[1], verb) == 0;
    };
    if (is("list", 2)) {
        for (const Workload& workload : workloads) {
            std::puts(workload.name);
        }
        return 0;
    }
    if (is("memory", 3)) {
        return print_memory(std::strtoull(arguments[2], nullptr, 10), suspend_tasks);
    }
    const bool is_time = is("time", 4);
    if (is_time || is("count", 4)) {
        for (const Workload& workload : is_time ? workloads : counted_workloads) {
            if (std::strcmp(workload.name, arguments[2]) == 0) {
                const std::uint64_t rounds = std::strtoull(arguments[3], nullptr, 10);
                return is_time ? print_times(workload, rounds) : print_count(workload, rounds);
            }
        }
        std::fprintf(stderr, "there is no workload %s to %s; `list` names those to time\n", arguments[2], arguments[1]);
        return 2;
    }
    std::fprintf(stderr, "usage: %s list | time <workload> <repetitions> | count <workload> <rounds> | memory <tasks>\n",
                 arguments[0]);
    return 2;
}

}  // namespace bench
