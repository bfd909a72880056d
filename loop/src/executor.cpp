#include <mishap/loop/executor.hpp>

#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>
#include <mishap/loop/detail/thread_pool.hpp>
#include <mishap/sim/errors.hpp>

namespace mishap {
namespace detail {

namespace {

constexpr std::size_t workers_max = 32;      // of CPython's default
constexpr std::size_t simulated_workers = 5;  // its default on one processor

std::size_t default_workers() {
    return simulated_loop() != nullptr ? simulated_workers : std::min(workers_max, real_threads_at_once() + 4);
}

}  // namespace

void Work::run() {
    if (!future_->begin({})) {
        return;
    }
    // The helper that runs a body in a thread: what it throws belongs to whoever asks for the result.
    std::exception_ptr failure;
    try {
        call();
    } catch (const TaskAbandoned&) {
        throw;
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure != nullptr) {
        future_->finish(nullptr, failure, {});
    } else {
        future_->finish([this] { store(); }, nullptr, {});
    }
}

ThreadPool::ThreadPool(ThreadPoolOptions options) : options_(std::move(options)) {
    if (options_.max_workers == 0) {
        options_.max_workers = default_workers();
    }
}

void ThreadPool::execute(std::unique_ptr<Work> work) {
    bool is_broken = false;
    bool is_refused = false;
    Idle* idle = nullptr;
    monitor_.use("ThreadPoolExecutor.submit", {}, Access::write, [&] {
        is_broken = is_broken_;
        is_refused = is_shut_down_ || is_broken;
        if (is_refused) {
            return;
        }
        queue_.push_back(std::move(work));
        if (!idle_.empty()) {
            idle = idle_.front();
            idle_.pop_front();
        } else if (begun_ < options_.max_workers) {
            begin_thread();
        }
    });
    if (idle != nullptr) {
        call(*idle);
    }
    if (is_broken) {
        throw BrokenThreadPool("submit() to a thread pool whose initializer failed; nothing runs there any more");
    }
    if (is_refused) {
        throw UsageError("submit() to an executor that was shut down; make another one");
    }
}

ThreadPool::Idle::~Idle() {
    if (!is_called && pool.monitor_.is_simulated()) {
        std::erase(pool.idle_, this);  // unwound with its run
    }
}

void ThreadPool::call(Idle& idle) {
    idle.bell.use("ThreadPoolExecutor calls a thread", {}, Access::write, [&] { idle.is_called = true; });
}

void ThreadPool::begin_thread() {
    const std::string name = fmt::format("{}_{}", options_.thread_name_prefix, begun_);
    ++begun_;
    ++live_;
    threads_.emplace_back([pool = shared_from_this()] { pool->run_worker(); }, ThreadOptions{name});
    if (may_idle) {
        threads_.back().let_idle();
    }
}

void ThreadPool::run_worker() {
    if (!initialize()) {
        break_down();
        return;
    }
    while (const std::unique_ptr<Work> work = next_work()) {
        work->run();
    }
}

/// Calls the initializer; returns whether it succeeded.
bool ThreadPool::initialize() {
    if (options_.initializer == nullptr) {
        return true;
    }
    // As for work: what it throws is told to whoever submitted something.
    try {
        options_.initializer();
        return true;
    } catch (const TaskAbandoned&) {
        throw;
    } catch (...) {
        return false;
    }
}

/// Ends a thread whose initializer failed, and everything that was submitted.
void ThreadPool::break_down() {
    std::deque<std::unique_ptr<Work>> dropped;
    monitor_.use("ThreadPoolExecutor breaks", {}, Access::write, [&] {
        is_broken_ = true;
        --live_;
        dropped.swap(queue_);
    });
    for (const std::unique_ptr<Work>& work : dropped) {
        if (work->future().begin({})) {
            work->future().finish(nullptr,
                                  std::make_exception_ptr(BrokenThreadPool(
                                      "a thread initializer failed, the thread pool is not usable anymore")),
                                  {});
        }
    }
}

/// Returns what a thread is to run next, waiting for it; null: nothing will come any more, and the thread counts as ended.
std::unique_ptr<Work> ThreadPool::next_work() {
    for (;;) {
        std::unique_ptr<Work> work;
        bool is_over = false;
        Idle idle(*this);
        monitor_.use("ThreadPoolExecutor takes work", {}, Access::write, [&] {
            if (!queue_.empty()) {
                work = std::move(queue_.front());
                queue_.pop_front();
            } else if (is_shut_down_) {
                --live_;
                is_over = true;
            } else {
                idle_.push_back(&idle);
            }
        });
        if (work != nullptr || is_over) {
            return work;
        }
        idle.bell.wait("ThreadPoolExecutor waits for work", {}, Access::read, [&] { return idle.is_called; }, [] {});
    }
}

void ThreadPool::shutdown(const ExecutorShutdown& options) {
    std::deque<std::unique_ptr<Work>> dropped;
    std::deque<Idle*> idle;
    monitor_.use("ThreadPoolExecutor.shutdown", {}, Access::write, [&] {
        is_shut_down_ = true;
        idle.swap(idle_);
        if (options.cancel_futures) {
            dropped.swap(queue_);
        }
    });
    for (const std::unique_ptr<Work>& work : dropped) {
        work->future().cancel({});
        work->future().begin({});  // nobody else tells those who wait (gh-87893)
    }
    for (Idle* const called : idle) {
        call(*called);
    }
    if (options.wait) {
        std::vector<Thread> threads;
        monitor_.wait("ThreadPoolExecutor.shutdown", {}, Access::read, [this] { return live_ == 0; }, [] {});
        monitor_.use("ThreadPoolExecutor.shutdown", {}, Access::write, [&] { threads.swap(threads_); });
        join_all(threads, {});
    }
}

void ThreadPool::abandon() {
    is_abandoned_ = true;
    std::vector<Thread> threads;
    std::deque<Idle*> idle;
    monitor_.use("ThreadPoolExecutor.shutdown", {}, Access::write, [&] {
        is_shut_down_ = true;
        threads.swap(threads_);
        idle.swap(idle_);
    });
    for (Idle* const called : idle) {
        call(*called);
    }
    for (Thread& thread : threads) {
        thread.detach();
    }
}

bool ThreadPool::has_gone() const {
    if (is_abandoned_ || !monitor_.is_simulated()) {
        return is_abandoned_;
    }
    const EventLoop* const loop = simulated_loop();
    const TaskBase* const who = loop != nullptr ? loop->current_task() : nullptr;
    return who == nullptr || who->is_abandoning || who->loop().world().is_tearing_down();
}

std::size_t ThreadPool::threads_begun() {
    std::size_t begun = 0;
    monitor_.use("ThreadPoolExecutor.threads_begun", {}, Access::read, [&] { begun = begun_; });
    return begun;
}

// ---- to the tasks of a loop and back ---------------------------------------------------------------------------------

AwaitedElsewhere::AwaitedElsewhere(FutureBase& future) : inbox_(future.loop().inbox()), future_(&future) {
    ++header_of(future_).references;
}

void AwaitedElsewhere::give_up() {
    if (future_ != nullptr) {
        Ref<FutureBase>::drop(std::exchange(future_, nullptr));
    }
}

void AwaitedElsewhere::deliver(std::function<void(FutureBase&)> look) { deliver(std::move(look), false); }

void AwaitedElsewhere::deliver_last(std::function<void(FutureBase&)> look) { deliver(std::move(look), true); }

void AwaitedElsewhere::deliver(std::function<void(FutureBase&)> look, bool is_last) {
    post(*inbox_, [self = shared_from_this(), look = std::move(look), is_last] {
        if (self->future_ == nullptr) {
            return;
        }
        look(*self->future_);
        if (is_last) {
            self->give_up();
        }
    });
}

}  // namespace detail

ThreadPoolExecutor::ThreadPoolExecutor(ThreadPoolOptions options)
    : pool_(std::make_shared<detail::ThreadPool>(std::move(options))) {}

ThreadPoolExecutor::~ThreadPoolExecutor() {
    if (pool_->has_gone()) {
        pool_->abandon();
    } else {
        pool_->shutdown({});
    }
}

void ThreadPoolExecutor::shutdown(const ExecutorShutdown& options) { pool_->shutdown(options); }

void ThreadPoolExecutor::execute(std::unique_ptr<detail::Work> work) { pool_->execute(std::move(work)); }

std::size_t ThreadPoolExecutor::max_workers() const { return pool_->max_workers(); }

std::size_t ThreadPoolExecutor::threads_begun() const { return pool_->threads_begun(); }

void ThreadPoolExecutor::abandon() { pool_->abandon(); }

void ThreadPoolExecutor::let_idle() { pool_->may_idle = true; }

}  // namespace mishap
