#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <mishap/primitives/detail/ensure_future.hpp>

namespace mishap {

/// Calls a function at every multiple of an interval from its start, as long as it is not stopped.
///
/// Calls do not drift and never overlap: a function that takes longer than an interval, because it waits, is called next at the
/// first multiple after its end, and those that were missed are skipped. A function that takes a number is told how many
/// intervals have passed since its last call: 1, and more after some were skipped.
///
/// Source:    twisted.internet.task.LoopingCall 24.3.
class LoopingCall {
public:
    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, LoopingCall>)
    explicit LoopingCall(F&& function) : state_(std::make_shared<State>()) {
        state_->function = [kept = std::make_shared<std::decay_t<F>>(std::forward<F>(function))](std::int64_t intervals) {
            if constexpr (std::is_invocable_v<std::decay_t<F>&, std::int64_t>) {
                detail::call(*kept, intervals);
            } else {
                detail::call(*kept);
            }
        };
    }

    /// Makes the task that calls the function: as it begins if `now`, and then at every multiple of `interval`; with an interval of 0,
    /// in every iteration. It ends when `stop` is called or the function throws, with what that throws; cancelling it stops
    /// the calls.
    ///
    /// Throws:    UsageError when it runs already, for a negative interval, and outside a loop.
    Task<void> start(std::chrono::nanoseconds interval, bool now = true) {
        return start(interval, now, detail::running_loop("LoopingCall::start()"));
    }
    Task<void> start(std::chrono::nanoseconds interval, bool now, EventLoop& loop);

    /// Ends the calls; one that waits goes on to its end, and its task ends after that.
    ///
    /// Throws:    UsageError when it does not run.
    void stop();
    /// Begins to count the interval anew: the next call comes one interval from now.
    ///
    /// Throws:    UsageError when it does not run.
    void reset();
    bool running() const { return state_->is_running; }

private:
    /// Lives as long as its task.
    struct State {
        void run(std::uint64_t number);
        void call();
        bool goes_on(std::uint64_t number) const { return is_running && number == starts; }
        void wait_for_turn();
        VirtualTime next_turn() const;
        std::int64_t interval_of(VirtualTime time) const { return (time - began) / interval; }
        void wake();

        std::function<void(std::int64_t)> function;
        std::chrono::nanoseconds interval{};
        bool is_now = true;
        bool is_running = false;
        std::uint64_t starts = 0;  // a task of an earlier start ends, even if another has begun
        bool was_reset = false;
        EventLoop* loop = nullptr;
        VirtualTime began;
        std::optional<VirtualTime> last_call;
        std::optional<Future<void>> turn;  // what its task waits for between two calls
    };

    std::shared_ptr<State> state_;
};

}  // namespace mishap
