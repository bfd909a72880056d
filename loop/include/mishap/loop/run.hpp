#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <mishap/loop/context.hpp>
#include <mishap/loop/detail/interrupts.hpp>
#include <mishap/loop/event_loop.hpp>

namespace mishap {

/// How a `Runner` makes its loop.
struct RunOptions {
    /// Debug mode of the loop; not set: as the factory made it.
    std::optional<bool> debug = {};
    /// Makes the loop; null: a loop in the real world, which is also what `get_event_loop` returns meanwhile.
    std::function<std::unique_ptr<EventLoop>()> loop_factory = {};
};

/// Runs several functions, one after another, in one loop and one context; made where no loop runs.
///
/// The loop is made when it is first needed.
///
/// Source:    asyncio.Runner, CPython 3.13.
class Runner {
public:
    explicit Runner(RunOptions options = {}) : options_(std::move(options)) {}
    /// Closes the runner if need be.
    ~Runner();
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    /// Runs `function`, or a coroutine, as the task `main`, and returns its result. Others go on in the next `run`.
    ///
    /// In the main thread of a process that leaves SIGINT to the system, the first one cancels `main`, and a second one ends the
    /// process.
    ///
    /// Throws:    what the function throws; KeyboardInterrupt when SIGINT has cancelled it and it ended so; UsageError inside a
    ///            running loop, or when the runner is closed.
    template <class F>
    auto run(F&& function, ContextRef context = {}) {
        begin();
        const Context chosen = context.get() != nullptr ? *context.get() : *context_;
        const auto main = loop_->create_task(std::forward<F>(function), {.name = "main", .context = chosen});
        const detail::Interrupts interrupts(*loop_, main);
        try {
            return loop_->run_until_complete(main);
        } catch (const CancelledError&) {
            interrupts.throw_if_interrupted();
            throw;
        }
    }
    /// Returns the loop.
    ///
    /// Throws:    UsageError when the runner is closed.
    EventLoop& get_loop();
    /// Ends what is left: cancels the tasks and waits for them, tells the exception handler what they failed with, calls what
    /// was registered with `at_shutdown`, closes the loop. Calling it twice does nothing.
    void close();

private:
    void begin();
    void make_loop();

    RunOptions options_;
    std::unique_ptr<EventLoop> loop_;
    std::optional<Context> context_;
    bool is_closed_ = false;
    bool is_loop_set_ = false;
};

/// Runs `function`, or the coroutine it returns, as the first task of a new loop, and returns its result.
///
/// In the real world, unless the options name another: time is real and idle means asleep; the order is asyncio's. Tasks that
/// are left are cancelled and waited for.
///
/// Throws:    what `function` throws; UsageError inside a running loop.
/// Source:    asyncio.run, CPython 3.13.
template <class F>
auto run(F&& function, RunOptions options = {}) {
    detail::refuse_nested_run();
    Runner runner(std::move(options));
    return runner.run(std::forward<F>(function));
}

}  // namespace mishap
