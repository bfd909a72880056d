#pragma once

#include <cstdint>
#include <functional>

#include <mishap/properties/explore.hpp>
#include <mishap/sim/sweep.hpp>

namespace mishap {

/// Lets every await of `program` go wrong once, each in a run of its own: the first, the second, ..., until the program
/// ends before it comes to the next.
///
/// An await counts when it suspends its task; main's count as well, so what tasks share with main must outlive it, or be
/// waited for (`task_group`). What comes out of main because of the injection is no finding; every claim, every other task,
/// and every task that is left waiting for something that is free still count.
///
/// Of each await `schedules` runs are made: the calm one, and others as `options.strategy` has it. `options.runs_max` bounds
/// all runs together. The first failure is confirmed, shrunk and told, as `explore` does; shrinking may end at another await
/// that fails in the same way. `Report::swept` has all awaits that fail, by signature, each with a line for `replay`.
///
/// Throws:    UsageError as `explore` does, and when `kind` is off or `schedules` is 0.
Report sweep(const std::function<void()>& program, Sweep kind, const ExploreOptions& options = {},
             std::uint64_t schedules = 1);

/// As above, for programs that are coroutines.
template <detail::CoroutineProgram F>
Report sweep(F&& program, Sweep kind, const ExploreOptions& options = {}, std::uint64_t schedules = 1) {
    return sweep(detail::hosted(program), kind, options, schedules);
}

}  // namespace mishap
