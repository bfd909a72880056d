#pragma once

// What several threads share, in both worlds.
//
// Futures of `concurrent` and executors are small states that threads read, change and wait for. A monitor guards one such
// state. In the real world it is a mutex with a condition variable. In a simulated world one operation on it is one
// announced step: it cannot be overtaken in the middle, so nothing needs to be locked, and a wait is an operation that is
// not possible yet.
//
// Invariants:
// 1. what a monitor guards is used within `use` and `wait` only; so footprints tell all that threads share.
// 2. what somebody waits for stays true once it is, until he goes on: to a search a wait is a read that was not possible,
//    and no step takes away what a step has given. So threads that compete are called one by one (see ThreadPool).

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mishap/loop/event_loop.hpp>
#include <mishap/sim/real_threads.hpp>

namespace mishap::detail {

class Monitor;

/// A wait for what a monitor guards; lies on the stack of who waits.
class MonitorWait : public Obstacle {
public:
    MonitorWait(Monitor& monitor, TaskBase& who, const char* operation);
    ~MonitorWait();
    void explain(WaitExplanation& explanation) const override;

protected:
    friend class Monitor;
    virtual bool holds() const = 0;

    Monitor* monitor_;  // null once it was destroyed
    TaskBase& who_;
    const char* operation_;
    ThreadDeadline deadline_;
    EventLoop* loop_ = nullptr;  // of the deadline, if there is one
};

class Monitor {
public:
    /// `what` is what reports call it, `word` names it in paths.
    Monitor(const char* what, const char* word);
    ~Monitor();
    Monitor(const Monitor&) = delete;
    Monitor& operator=(const Monitor&) = delete;

    /// Calls `body()`, and nobody else's meanwhile; `access` says whether it changes what is guarded.
    template <class F>
    void use(const char* operation, Place place, Access access, F&& body) {
        EventLoop* const loop = enter(operation, place, access);
        if (loop == nullptr && !is_simulated()) {
            const std::lock_guard<RealMutex> guard(mutex_);
            body();
            if (access != Access::read && real_waiters_ != 0) {
                changed_.notify_all();
            }
            return;
        }
        body();
        if (access != Access::read) {
            tell_waits();
        }
    }

    /// Waits until `holds()`, for at most `timeout`, and calls `body()` before anybody else can change that; `access` says
    /// whether that changes what is guarded. Returns false if the time was up first. In a task the whole loop waits.
    ///
    /// Throws:    UsageError in a callback of a simulated world, if it would have to wait.
    template <class P, class F>
    bool wait(const char* operation, Place place, Access access, P holds, F&& body,
              std::optional<std::chrono::nanoseconds> timeout = {}) {
        if (EventLoop* const loop = simulated_loop(); loop != nullptr || is_simulated()) {
            struct Waiting final : MonitorWait {
                Waiting(Monitor& monitor, TaskBase& who, const char* name, P& condition)
                    : MonitorWait(monitor, who, name), condition_(condition) {}
                bool holds() const override { return condition_(); }
                P& condition_;
            };
            TaskBase* const who = begin_wait(loop, operation, holds());
            if (who != nullptr) {
                Waiting waiting(*this, *who, operation, holds);
                announce_wait(*loop, waiting, access, place, timeout);
            }
            touch(loop, access, operation, place);
            if (!holds()) {
                return false;
            }
            body();
            if (access != Access::read) {
                tell_waits();
            }
            return true;
        }
        std::unique_lock<RealMutex> lock(mutex_);
        ++real_waiters_;
        bool is_true = true;
        if (timeout.has_value()) {
            // Longer than any program runs, and short enough to be added to any time.
            constexpr std::chrono::nanoseconds timeout_max = std::chrono::hours(24 * 365 * 100);
            is_true = changed_.wait_for(lock, std::min(*timeout, timeout_max), holds);
        } else {
            changed_.wait(lock, holds);
        }
        --real_waiters_;
        if (is_true) {
            body();
            if (access != Access::read && real_waiters_ != 0) {
                changed_.notify_all();
            }
        }
        return is_true;
    }

    /// Returns whether a simulated run has used it.
    bool is_simulated() const { return run_ != no_run; }
    std::string describe() const;

    /// Who can end the waits for it, for reports; of a simulated world.
    const TaskBase* holder = nullptr;
    std::uint64_t holder_key = 0;

private:
    friend class MonitorWait;
    EventLoop* enter(const char* operation, Place place, Access access);
    TaskBase* begin_wait(EventLoop* loop, const char* operation, bool holds);
    void announce_wait(EventLoop& loop, MonitorWait& wait, Access access, Place place,
                       std::optional<std::chrono::nanoseconds> timeout);
    void introduce(EventLoop& loop);
    void touch(EventLoop* loop, Access access, const char* operation, Place place);
    void tell_waits();

    const char* what_;
    const char* word_;
    Tracked cell_;
    RunSerial run_ = no_run;
    std::vector<MonitorWait*> waits_;
    RealMutex mutex_;
    RealCondVar changed_;
    std::size_t real_waiters_ = 0;
};

/// Returns the present time of the world that runs here, in nanoseconds: for the time left of a timeout.
std::int64_t blocking_now_ns();

/// Returns what is left until `deadline_ns`, nothing for no deadline; never below zero.
std::optional<std::chrono::nanoseconds> time_left(const std::optional<std::int64_t>& deadline_ns);
/// Returns when `timeout` will be up.
std::optional<std::int64_t> deadline_of(const std::optional<std::chrono::nanoseconds>& timeout);

}  // namespace mishap::detail
