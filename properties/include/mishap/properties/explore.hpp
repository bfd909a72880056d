#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include <mishap/loop/event_loop.hpp>
#include <mishap/properties/options.hpp>
#include <mishap/properties/report.hpp>

namespace mishap {

/// Runs `program` under many schedules and reports the first failure, shrunk, or that there was none.
///
/// `program` runs as the first task of a fresh loop in a simulated world, once for every run.
///
/// Throws:    UsageError inside a running loop, or when an option makes no sense. What is wrong with the program is in
///            the report, never thrown.
Report explore(const std::function<void()>& program, const ExploreOptions& options = {});

/// What `check` throws; the text is the report.
class CheckFailed : public std::runtime_error {
public:
    explicit CheckFailed(const Report& report);
};

/// As `explore`, and throws when something was found: any test framework shows the report.
///
/// Throws:    CheckFailed; UsageError as `explore` does.
void check(const std::function<void()>& program, const ExploreOptions& options = {});

/// Plays a replay line, or a tape file, on `program`.
///
/// Mishaps are matched exactly, then without step numbers, then wherever they fit; if the failure has changed or gone, at
/// most 500 runs move each mishap a little. The report says how many still matched.
///
/// Throws:    UsageError when `line` is neither; it says what is wrong with it.
Report replay(std::string_view line, const std::function<void()>& program, const ExploreOptions& options = {});

// As above, for programs that are coroutines: functions that return a Coro.

namespace detail {

template <class F>
concept CoroutineProgram = HostedCoroutine<std::invoke_result_t<F&>>;

template <CoroutineProgram F>
std::function<void()> hosted(F& program) {
    return [&program] { program().run_here(); };
}

}  // namespace detail

template <detail::CoroutineProgram F>
Report explore(F&& program, const ExploreOptions& options = {}) {
    return explore(detail::hosted(program), options);
}
template <detail::CoroutineProgram F>
void check(F&& program, const ExploreOptions& options = {}) {
    check(detail::hosted(program), options);
}
template <detail::CoroutineProgram F>
Report replay(std::string_view line, F&& program, const ExploreOptions& options = {}) {
    return replay(line, detail::hosted(program), options);
}

}  // namespace mishap
