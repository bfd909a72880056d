#pragma once

// What the combinators that watch several futures share.

#include <cstddef>
#include <vector>

#include <mishap/loop/future.hpp>

namespace mishap::detail {

/// Returns the positions of those that did not occur before, in order.
std::vector<std::size_t> first_occurrences(const std::vector<FutureBase*>& futures);

/// Adds to `explanation` who could end `child`: itself if it is a task, else those whom it waits for in turn. So the edges
/// "who awaits whom" lead through gathers and shields to tasks, and they are gone as soon as nobody waits.
void explain_child(const FutureBase& child, WaitExplanation& explanation);

/// Throws UsageError when a future belongs to another loop; `operation` is named in the error.
void check_loop_of(const FutureBase& future, const EventLoop& loop, const char* operation);

}  // namespace mishap::detail
