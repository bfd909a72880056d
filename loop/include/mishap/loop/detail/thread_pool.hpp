#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <mishap/loop/executor.hpp>

namespace mishap::detail {

/// The state that a `ThreadPoolExecutor` shares with its threads.
///
/// A thread that finds no work joins those who wait. Whoever submits calls one of them, and begins a thread only when none
/// waits. Who is called looks again: one that is faster may have the work.
class ThreadPool : public std::enable_shared_from_this<ThreadPool> {
public:
    explicit ThreadPool(ThreadPoolOptions options);

    void execute(std::unique_ptr<Work> work);
    void shutdown(const ExecutorShutdown& options);
    void abandon();
    /// Returns whether nobody needs to wait for it: it was abandoned, or its run is over.
    bool has_gone() const;
    std::size_t max_workers() const { return options_.max_workers; }
    std::size_t threads_begun();

    bool may_idle = false;

private:
    void run_worker();
    bool initialize();
    void break_down();
    void begin_thread();
    std::unique_ptr<Work> next_work();

    /// A thread that waits to be called; lies on its stack, and is called once.
    struct Idle {
        explicit Idle(ThreadPool& owner) : pool(owner) {}
        ~Idle();

        ThreadPool& pool;
        Monitor bell{"work for a thread pool", "idle"};
        bool is_called = false;
    };
    static void call(Idle& idle);

    ThreadPoolOptions options_;
    Monitor monitor_{"thread pool", "executor"};
    std::deque<std::unique_ptr<Work>> queue_;
    std::vector<Thread> threads_;
    std::size_t begun_ = 0;
    std::size_t live_ = 0;
    std::deque<Idle*> idle_;
    bool is_shut_down_ = false;
    bool is_broken_ = false;
    bool is_abandoned_ = false;  // of who owns it
};

}  // namespace mishap::detail
