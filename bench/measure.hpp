#pragma once

// How every benchmark program here is called, so that `compare.py` and `instructions.py` can drive them all:
//
//   <program> list                              the names of its workloads
//   <program> time <workload> <repetitions>     one warm-up round, then a line of CPU nanoseconds per operation a round
//   <program> count <workload> <rounds>         rounds of the counted workloads, without a clock; prints how many
//                                               operations they were
//   <program> memory <tasks>                    resident and page-table bytes per suspended task

#include <cstdint>
#include <functional>
#include <span>

namespace bench {

/// Does a workload once, on what the rounds before left warm, and returns how many operations it did.
using Round = std::function<std::uint64_t()>;

/// A workload by the name that all programs share.
struct Workload {
    const char* name;
    Round (*make)();  // sets up what the rounds have in common
};

/// What the process has in memory.
struct Memory {
    std::int64_t resident_bytes = 0;
    std::int64_t page_table_bytes = 0;
};
Memory memory_in_use();

/// Suspends `tasks` tasks, calls `measured` while they are, and lets them end.
using SuspendTasks = void (*)(std::uint64_t tasks, const std::function<void()>& measured);

/// Does what the command line says; returns the exit code.
///
/// The counted workloads are the same on a smaller scale, for tools that make everything slow.
int run(int argument_count, char** arguments, std::span<const Workload> workloads, SuspendTasks suspend_tasks,
        std::span<const Workload> counted_workloads = {});

/// Ends the program when a workload did not compute what it had to.
void require(bool holds, const char* what);

/// Draws the pseudo-random amounts of a workload: xorshift64*, the same in all programs.
class Amounts {
public:
    explicit Amounts(std::uint64_t seed) : state_(seed * 0x9e37'79b9'7f4a'7c15U | 1U) {}
    std::uint32_t below(std::uint32_t bound) {
        state_ ^= state_ >> 12U;
        state_ ^= state_ << 25U;
        state_ ^= state_ >> 27U;
        return static_cast<std::uint32_t>((((state_ * 0x2545'f491'4f6c'dd1dU) >> 32U) * bound) >> 32U);
    }

private:
    std::uint64_t state_;
};

// Sizes that all programs share. One round takes about a tenth of a second where it can, and no run is longer than a
// search would make it, except where the workload is about size.
inline constexpr std::uint64_t yields_per_run = 100'000;
inline constexpr std::uint64_t yields_per_big_run = 1'000'000;
inline constexpr std::uint64_t runs_per_round = 20;
inline constexpr std::uint64_t tasks_per_batch = 1'000;
inline constexpr std::uint64_t batches_per_run = 50;
inline constexpr std::uint64_t items_per_run = 50'000;
inline constexpr std::uint64_t lock_tasks = 10;
inline constexpr std::uint64_t sections_per_run = 30'000;
inline constexpr std::uint64_t timers = 1'000'000;
inline constexpr std::uint64_t cancelled_timers = 1'000'000;
inline constexpr std::uint64_t sleepers = 100'000;
inline constexpr std::uint64_t fresh_runs = 100'000;
inline constexpr std::uint32_t delay_max_ns = 1'000'000'000;

}  // namespace bench
