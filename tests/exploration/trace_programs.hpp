#pragma once

// Programs on Thread, Mutex, CondVar and Shared whose numbers of Mazurkiewicz traces are known.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mishap::test {

struct TraceProgram {
    std::string name;
    std::string parameters;
    std::function<void()> body;
    std::uint64_t traces = 0;
    std::uint64_t deadlocked = 0;  // of these
};

/// Returns every program, each in several sizes, that has at most `traces_max` traces.
///
/// Most are the litmus programs on which stateless model checkers are compared. The numbers are those on which Nidhugg
/// (`--optimal`, `--source`), GenMC (`--sc`) and an independent count agree: sequential consistency, a failed
/// compare-exchange reads, waiting for a mutex is no event, deadlocked executions are traces.
std::vector<TraceProgram> trace_programs(std::uint64_t traces_max);

/// Returns the same programs on tasks that give way before each operation, so small that every order of them can be made:
/// at most 100,000. How many classes they have nobody has counted: `traces` is 0.
std::vector<TraceProgram> task_programs();

}  // namespace mishap::test
