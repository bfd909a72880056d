#pragma once

// Three ways of writing wait_for on futures. What they disagree on: the work is done, and before the waiting task
// resumes it is cancelled. Throw the result away, or the cancellation?

#include <chrono>
#include <type_traits>

#include <mishap/mishap.hpp>

namespace wait_for_designs {

using mishap::CancelledError;
using mishap::Future;
using mishap::Task;
using mishap::TimeoutError;
using mishap::TimerHandle;

/// Sets `waiter` when `work` is done or the time is up, whichever comes first.
template <class T>
TimerHandle release_waiter(const Future<void>& waiter, const Task<T>& work, std::chrono::nanoseconds delay) {
    const auto release = [waiter] {
        if (!waiter.done()) {
            waiter.set_result();
        }
    };
    work.add_done_callback([release](const Future<T>&) { release(); });
    return mishap::get_running_loop().call_later(delay, release);
}

/// The cancellation wins. The result is lost, with whatever it owns (bpo-37658; CPython up to 3.9.0).
struct CancelWins {
    template <class F>
    static auto wait_for(F function, std::chrono::nanoseconds delay) {
        const auto work = mishap::create_task(function, {.name = "work"});
        const auto waiter = mishap::get_running_loop().create_future<void>();
        TimerHandle timer = release_waiter(waiter, work, delay);
        try {
            mishap::await(waiter);
        } catch (const CancelledError&) {
            timer.cancel();
            work.cancel();
            throw;
        }
        timer.cancel();
        if (!work.done()) {
            work.cancel();
            throw TimeoutError();
        }
        return work.result();
    }
};

/// The result wins. The cancellation is forgotten: a worker that loops over this never stops (bpo-42130; the repair of
/// bpo-37658, up to CPython 3.11).
struct ResultWins {
    template <class F>
    static auto wait_for(F function, std::chrono::nanoseconds delay) {
        const auto work = mishap::create_task(function, {.name = "work"});
        const auto waiter = mishap::get_running_loop().create_future<void>();
        TimerHandle timer = release_waiter(waiter, work, delay);
        try {
            mishap::await(waiter);
        } catch (const CancelledError&) {
            timer.cancel();
            if (work.done() && !work.cancelled()) {
                return work.result();
            }
            work.cancel();
            throw;
        }
        timer.cancel();
        if (!work.done()) {
            work.cancel();
            throw TimeoutError();
        }
        return work.result();
    }
};

/// The question does not arise: the work is done in the waiting task, so there is no moment at which a result exists and
/// nobody has it (CPython 3.12).
struct WorkInline {
    template <class F>
    static auto wait_for(F function, std::chrono::nanoseconds delay) {
        bool is_expired = false;
        const auto task = mishap::current_task();
        TimerHandle timer = mishap::get_running_loop().call_later(delay, [&is_expired, task] {
            is_expired = true;
            task.cancel();
        });
        try {
            const auto result = function();
            timer.cancel();
            return result;
        } catch (const CancelledError&) {
            timer.cancel();
            if (is_expired && task.uncancel() == 0) {
                throw TimeoutError();
            }
            throw;
        }
    }
};

/// Hands out connections: numbers, like file descriptors, which somebody must close.
class ConnectionPool {
public:
    int connect() {
        mishap::sleep(std::chrono::seconds(0));  // the handshake
        ++open_;
        return open_;
    }
    void close(int) { --open_; }
    int open() const { return open_; }

private:
    int open_ = 0;
};

}  // namespace wait_for_designs
