#pragma once

#include <utility>

#include <mishap/loop/event_loop.hpp>

namespace mishap {

namespace detail {

/// A loop in the real world for one `run`: ends as asyncio.run does.
class RealRun {
public:
    RealRun() { refuse_nested_run(); }
    ~RealRun() { loop_.close(); }  // cancels what is left and waits for it
    RealRun(const RealRun&) = delete;
    RealRun& operator=(const RealRun&) = delete;
    EventLoop& loop() { return loop_; }

private:
    EventLoop loop_;
};

template <class T>
const Future<T>& as_future(const Task<T>& task) {
    return task;
}

}  // namespace detail

/// Runs `function`, or the coroutine it returns, as the first task of a new loop in the real world, and returns its result.
///
/// Time is real and idle means asleep; the order is asyncio's. Tasks that are left are cancelled and waited for.
///
/// Throws:    what `function` throws; UsageError inside a running loop.
/// Source:    asyncio.run, CPython 3.13.
template <class F>
auto run(F&& function) {
    detail::RealRun real;
    const auto main = real.loop().create_task(std::forward<F>(function), {.name = "main"});
    return real.loop().run_until_complete(detail::as_future(main));
}

}  // namespace mishap
