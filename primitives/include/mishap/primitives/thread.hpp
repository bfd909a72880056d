#pragma once

#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include <mishap/loop/event_loop.hpp>

namespace mishap {

/// What can be said of a thread when it is made.
struct ThreadOptions {
    /// Appears in reports and paths; empty: `thread#` and the ordinal among its siblings.
    std::string_view name;
};

/// A simulated thread: it can be overtaken before every operation on a `Shared`, `Mutex` or `CondVar`, and nowhere else.
///
/// Its function runs at once, up to the first such operation. One step is one operation and what follows it up to the
/// next. Memory is sequentially consistent. A thread is not of the loop: it may not await, schedule or be cancelled.
/// An exception that leaves the function is a finding, as it would end the process of a real thread.
///
/// In a simulated world only.
class Thread {
public:
    Thread() = default;
    /// Begins a thread that calls `function()`.
    ///
    /// Throws:    UsageError outside a simulated world.
    template <class F>
        requires(!std::is_same_v<std::decay_t<F>, Thread>)
    explicit Thread(F&& function, const ThreadOptions& options = {}) {
        EventLoop& loop = simulated_loop();
        using State = detail::ThreadState<std::decay_t<F>>;
        state_ = detail::Ref<detail::ThreadBase>(
            loop.make_block<State>(loop, std::forward<F>(function), TaskOptions{options.name}));
        loop.add_thread(*state_);
    }
    /// Joins the thread if nobody has, as std::jthread does.
    ~Thread();
    Thread(Thread&&) noexcept = default;
    Thread& operator=(Thread&& other) noexcept;

    /// Waits until the thread has ended; in a task, the whole loop waits, as for any blocking call.
    ///
    /// Throws:    UsageError when there is no thread, when it was joined before, and in a callback if it would have to wait.
    void join(Place place = Place::here());
    bool joinable() const { return state_.is_alive(); }
    /// Lets the thread go on alone; one that is alive when the program ends is reported.
    void detach() { state_ = {}; }

    friend void join_all(std::span<Thread> threads, Place place);

private:
    static EventLoop& simulated_loop();

    detail::Ref<detail::ThreadBase> state_;
};

/// Waits until all of them have ended; one step, where a `join` each would be several.
///
/// Throws:    as `Thread::join`.
void join_all(std::span<Thread> threads, Place place = Place::here());

}  // namespace mishap
