#pragma once

// Random small programs of tasks that share tracked objects only: what two searches make of them can be compared.

#include <cstdint>
#include <functional>
#include <string>

namespace mishap::test {

/// What a random program may do beside giving way, reading and writing.
struct TaskShape {
    std::uint32_t tasks = 3;       // at most
    std::uint32_t operations = 3;  // a task, at most
    bool has_locks = false;
    bool has_queues = false;
    bool has_events = false;
    bool has_timers = false;       // sleeps of one and of two seconds
    bool has_data = false;         // choose and chance; what they answer decides what is done
    bool has_cancels = false;      // of one task by another
};

struct RandomTasks {
    std::string text;  // for people
    std::function<void()> body;
};

/// Returns program number `seed`; equal numbers give equal programs.
RandomTasks random_tasks(std::uint64_t seed, const TaskShape& shape);

}  // namespace mishap::test
