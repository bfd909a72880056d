#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <mishap/loop/event_loop.hpp>
#include <mishap/sim/real_threads.hpp>

namespace mishap {

/// What can be said of a thread when it is made.
struct ThreadOptions {
    /// Appears in reports and paths; empty: `thread#` and the ordinal among its siblings.
    std::string_view name;
};

/// A thread: simulated where a simulated world runs, elsewhere one of the operating system.
///
/// A simulated thread can be overtaken before every operation on what threads share (`Shared`, `Mutex`, `CondVar`, futures
/// of `concurrent`, executors, `call_soon_threadsafe`), and nowhere else. Its function runs at once, up to the first such
/// operation. One step is one operation and what follows it up to the next. Memory is sequentially consistent. A thread is
/// not of the loop: it may not await, schedule or be cancelled; it may run a loop of its own. An exception that leaves the
/// function is a finding, as it ends the process of a real thread.
class Thread {
public:
    Thread() = default;
    /// Begins a thread that calls `function()`.
    template <class F>
        requires(!std::is_same_v<std::decay_t<F>, Thread>)
    explicit Thread(F&& function, const ThreadOptions& options = {}) {
        EventLoop* const loop = detail::simulated_loop();
        if (loop == nullptr) {
            begin_real(std::forward<F>(function), options);
            return;
        }
        EventLoop& root = loop->root();  // a thread may outlive the loop in which it was made
        using State = detail::ThreadState<std::decay_t<F>>;
        state_ = detail::Ref<detail::ThreadBase>(
            root.make_block<State>(root, std::forward<F>(function), TaskOptions{.name = options.name}));
        loop->add_thread(*state_);
    }
    /// Joins the thread if nobody has, as std::jthread does.
    ~Thread();
    Thread(Thread&&) noexcept = default;
    Thread& operator=(Thread&& other) noexcept;

    /// Waits until the thread has ended; in a task, the whole loop waits, as for any blocking call.
    ///
    /// Throws:    UsageError when there is no thread, when it was joined before, and in a callback if it would have to wait.
    void join(Place place = Place::here());
    bool joinable() const { return state_.is_alive() || real_.joinable(); }
    /// Lets the thread go on alone; a simulated one that is alive when the program ends is reported.
    void detach();
    /// Does not report the thread as left behind while it is blocked: it serves whoever comes.
    void let_idle();

    /// Returns the name of the calling thread: the one given, or, of nameless ones, what the world calls it; empty for the
    /// first thread of the program.
    static std::string current_name();

    friend void join_all(std::span<Thread> threads, Place place);

private:
    template <class F>
    void begin_real(F&& function, const ThreadOptions& options) {
        if constexpr (std::is_copy_constructible_v<std::decay_t<F>>) {
            real_ = detail::begin_real_thread(std::forward<F>(function), std::string(options.name));
        } else {
            real_ = detail::begin_real_thread(
                [kept = std::make_shared<std::decay_t<F>>(std::forward<F>(function))] { (*kept)(); },
                std::string(options.name));
        }
    }

    detail::Ref<detail::ThreadBase> state_;
    detail::RealThread real_;
};

/// Waits until all of them have ended; one step, where a `join` each would be several.
///
/// Throws:    as `Thread::join`.
void join_all(std::span<Thread> threads, Place place = Place::here());

/// Blocks the calling thread, and with it the loop that it runs, for `duration` by the world's clock.
///
/// Throws:    UsageError in a callback of a simulated world.
/// Source:    time.sleep.
void blocking_sleep(std::chrono::nanoseconds duration, Place place = Place::here());

}  // namespace mishap
