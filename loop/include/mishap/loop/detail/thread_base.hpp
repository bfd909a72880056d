#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <mishap/loop/task.hpp>

namespace mishap::detail {

/// Says what a blocked thread waits for; what is not yet possible is no event, so nobody can complete or cancel it.
class Obstacle : public Waitable {
public:
    bool cancel(const std::string*) override { return false; }

protected:
    ~Obstacle() = default;
};

class ThreadBase;

/// A wait for the end of threads; it becomes possible when the last of them has ended.
class Join final : public Obstacle {
public:
    Join(TaskBase& who, std::vector<ThreadBase*> threads) : who_(who), threads_(std::move(threads)) {}

    /// Looks for a thread that has not ended and is told when it has; false: there is none.
    bool wait_for_next();
    TaskBase& who() const { return who_; }
    void explain(WaitExplanation& explanation) const override;
    /// Takes itself back, if the wait is given up.
    void give_up();

private:
    TaskBase& who_;
    std::vector<ThreadBase*> threads_;
    std::size_t at_ = 0;
};

/// A moment at which a blocked thread, or the task that blocks a loop's thread, goes on whatever happens.
struct ThreadDeadline {
    std::int64_t when_ns = 0;
    TaskBase* who = nullptr;
    bool has_come = false;
};

/// A thread's run of a loop: what the thread waits for meanwhile. The loop's entries take its place in what goes next.
class GuestRun final : public Obstacle {
public:
    GuestRun(EventLoop& loop, ThreadBase& thread) : loop_(loop), thread_(thread) {}

    ThreadBase& thread() const { return thread_; }
    void explain(WaitExplanation& explanation) const override;

    bool is_first = true;     // the first iteration has not begun
    bool may_return = false;  // the thread may go on
    bool is_over = false;     // only the thread may go on

private:
    EventLoop& loop_;
    ThreadBase& thread_;
};

/// The state of a simulated thread: a function that other threads may overtake before each operation it announces.
///
/// It is a task as far as stacks, results and reports go. It is none to the program: it is no `current_task()`, it cannot
/// be cancelled, and it may not await.
class ThreadBase : public TaskBase {
public:
    ThreadBase(EventLoop& loop, void* value, const TaskOptions& options) : TaskBase(loop, value, options) {
        is_thread = true;
    }

    bool cancel(const std::string*) override { return false; }
    void explain(WaitExplanation& explanation) const override;

    Announcement next;         // what its next step begins with
    std::uint32_t number = 0;  // in the order of creation, from 0
    bool is_enabled = false;   // may go next
    std::vector<Join*> joins;  // those that wait for its end now
    bool may_idle = false;     // it serves whoever comes: no leak while it waits for work
};

/// Holds a thread's function, made once and destroyed as soon as it has run.
template <class F>
class ThreadState final : public ThreadBase, public Value<void> {
public:
    template <class G>
    ThreadState(EventLoop& loop, G&& function, const TaskOptions& options)
        : ThreadBase(loop, static_cast<Value<void>*>(this), options), function_(std::forward<G>(function)) {}

    void run_body() override {
        (*function_)();
        function_.reset();
    }
    void drop_body() override { function_.reset(); }

private:
    std::optional<F> function_;
};

}  // namespace mishap::detail
