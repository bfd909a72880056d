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
/// If the program was edited and the mishaps as recorded do not lead to the failure, at most 500 runs look for it nearby
/// (mishap/sim/repair.hpp). The report says whether the failure is the same, as far as that is known (a tape file knows, a
/// line does not; see `ExploreOptions::found`), and how many mishaps still found a place.
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
