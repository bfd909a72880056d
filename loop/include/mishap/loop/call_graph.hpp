#pragma once

// Who waits for whom: what a task is doing, and who cannot go on before it ends.
//
// Nothing is recorded for it while a program runs. A task knows what it waits for, and what is waited for can say whose end it
// is the end of (through `gather`, groups and the like); the graph is that, turned round.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <mishap/loop/task.hpp>
#include <mishap/sim/place.hpp>

namespace mishap {

/// One level of what a task is doing.
struct FrameCallGraphEntry {
    std::string operation;
    Place place;
};

/// A task or future, what it is doing, and who waits for its end.
///
/// Source:    asyncio.FutureCallGraph, CPython 3.14.
struct FutureCallGraph {
    std::string name;                              // of a task; empty for a plain future
    std::vector<FrameCallGraphEntry> call_stack;   // innermost first
    std::vector<FutureCallGraph> awaited_by;       // oldest first; one who is in the graph above already has an empty one
};

/// Returns the graph of a task or future of the running loop. Of `limit` levels of each stack it keeps the innermost.
///
/// Throws:    UsageError where no loop runs.
/// Source:    asyncio.capture_call_graph, CPython 3.14.
FutureCallGraph capture_call_graph(const detail::AnyFuture& future, std::optional<std::size_t> limit = {});
/// As above, of the current task; nothing in a callback.
std::optional<FutureCallGraph> capture_call_graph();

/// Returns the graph as text, a line for each level.
std::string format_call_graph(const detail::AnyFuture& future);
std::string format_call_graph(const FutureCallGraph& graph);
/// Prints it to standard error.
void print_call_graph(const detail::AnyFuture& future);

}  // namespace mishap
