#pragma once

// Functions that run in other threads, and what leads from there to the tasks of a loop and back.
//
// In a simulated world the threads of an executor are simulated ones: the search decides where they overtake each other. In
// the real world they are the operating system's.

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <mishap/loop/await.hpp>
#include <mishap/loop/concurrent_future.hpp>
#include <mishap/loop/context.hpp>
#include <mishap/loop/thread.hpp>
#include <mishap/sim/errors.hpp>

namespace mishap {

/// Says that an executor cannot run anything any more, because its initializer failed.
///
/// Source:    concurrent.futures.thread.BrokenThreadPool, CPython 3.13.
class BrokenThreadPool : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct ExecutorShutdown {
    /// Wait until what was submitted has run and the threads have ended.
    bool wait = true;
    /// Cancel what has not begun.
    bool cancel_futures = false;
};

namespace detail {

/// A function and the future of its result.
class Work {
public:
    virtual ~Work() = default;
    /// Calls the function, unless its future was cancelled, and completes the future.
    void run();
    concurrent::detail::FutureCore& future() const { return *future_; }

protected:
    explicit Work(std::shared_ptr<concurrent::detail::FutureCore> future) : future_(std::move(future)) {}
    /// Calls the function and keeps its result; throws what it throws.
    virtual void call() = 0;
    /// Puts the result kept into the future.
    virtual void store() = 0;

private:
    std::shared_ptr<concurrent::detail::FutureCore> future_;
};

template <class F, class T>
class FunctionWork final : public Work {
public:
    template <class G>
    FunctionWork(const concurrent::Future<T>& future, G&& function)
        : Work(future.core().shared_from_this()), function_(std::forward<G>(function)) {}

private:
    void call() override {
        if constexpr (std::is_void_v<T>) {
            (*function_)();
        } else {
            result_.emplace((*function_)());
        }
        function_.reset();  // what it holds goes before anybody hears of the end
    }
    void store() override {
        auto& value = static_cast<concurrent::detail::FutureState<T>&>(future()).value;
        if constexpr (std::is_void_v<T>) {
            value.set();
        } else {
            value.set(std::move(*result_));
        }
    }

    struct Nothing {};
    std::optional<F> function_;
    std::optional<std::conditional_t<std::is_void_v<T>, Nothing, T>> result_;
};

class ThreadPool;

template <class R>
concept InputRange = requires(const R& range) {
    *std::begin(range);
    std::end(range);
};

/// Returns whether no iterator has come to its end.
template <class A, class B, std::size_t... I>
bool all_differ(const A& iterators, const B& ends, std::index_sequence<I...>) {
    return ((std::get<I>(iterators) != std::get<I>(ends)) && ...);
}

}  // namespace detail

/// What can be said of `Executor::map`.
struct MapOptions {
    /// Counts from the call of `map`; a result that is not there by then is a TimeoutError.
    std::optional<std::chrono::nanoseconds> timeout = {};
};

/// Results of `Executor::map`, in the order of the inputs. Dropping it cancels what has not begun.
template <class T>
class MapResults {
public:
    MapResults(std::deque<concurrent::Future<T>> futures, std::optional<std::int64_t> deadline_ns)
        : futures_(std::move(futures)), deadline_ns_(deadline_ns) {}
    ~MapResults() {
        for (const concurrent::Future<T>& future : futures_) {
            future.cancel({});
        }
    }
    MapResults(const MapResults&) = delete;
    MapResults& operator=(const MapResults&) = delete;

    bool is_at_end() const { return futures_.empty(); }
    /// Waits for the next result and returns it. What it throws ends the rest, which is cancelled.
    ///
    /// Throws:    what the function threw; TimeoutError when the time is up, counted from the call of `map`.
    T next(Place place = Place::here()) {
        if (futures_.empty()) {
            throw UsageError("next() after the last result of map(); ask is_at_end() first");
        }
        concurrent::Future<T> first = std::move(futures_.front());
        futures_.pop_front();
        try {
            return std::move(first).result(mishap::detail::time_left(deadline_ns_), place);
        } catch (...) {
            first.cancel({});
            for (const concurrent::Future<T>& future : std::exchange(futures_, {})) {
                future.cancel({});
            }
            throw;
        }
    }

    struct End {};
    class Iterator {
    public:
        explicit Iterator(MapResults& from) : from_(&from) { ++*this; }
        const T& operator*() const { return *at_; }
        Iterator& operator++() {
            at_.reset();
            if (!from_->is_at_end()) {
                at_.emplace(from_->next());
            }
            return *this;
        }
        friend bool operator==(const Iterator& iterator, End) { return !iterator.at_.has_value(); }

    private:
        MapResults* from_;
        std::optional<T> at_;
    };
    Iterator begin() { return Iterator(*this); }
    End end() const { return {}; }

private:
    std::deque<concurrent::Future<T>> futures_;
    std::optional<std::int64_t> deadline_ns_;
};

/// Runs functions somewhere else, and gives futures of their results.
///
/// Source:    concurrent.futures.Executor, CPython 3.13.
class Executor {
public:
    virtual ~Executor() = default;

    /// Schedules `function(arguments...)`, which are kept by value.
    ///
    /// Throws:    UsageError after `shutdown`, BrokenThreadPool.
    template <class F, class... A>
    auto submit(F&& function, A&&... arguments) {
        if constexpr (sizeof...(A) == 0) {
            using Function = std::decay_t<F>;
            using Result = std::decay_t<std::invoke_result_t<Function&>>;
            const auto future = concurrent::Future<Result>::make();
            execute(std::make_unique<detail::FunctionWork<Function, Result>>(future, std::forward<F>(function)));
            return future;
        } else {
            return submit([function = std::decay_t<F>(std::forward<F>(function)),
                           kept = std::tuple<std::decay_t<A>...>(std::forward<A>(arguments)...)]() mutable {
                return std::apply(function, std::move(kept));
            });
        }
    }
    /// Schedules `function(input)` for each of `inputs`, at once, and returns the results in that order.
    ///
    /// Throws:    as `submit`.
    template <class F, class R>
    auto map(const F& function, const R& inputs, std::optional<std::chrono::nanoseconds> timeout = {}) {
        return map(MapOptions{timeout}, function, inputs);
    }
    /// As above, with an argument from each range: `map(add, left, right)`. The shortest of them ends it.
    template <class F, detail::InputRange R, detail::InputRange... More>
        requires(sizeof...(More) != 0)
    auto map(const F& function, const R& inputs, const More&... more) {
        return map(MapOptions{}, function, inputs, more...);
    }
    template <class F, detail::InputRange... R>
    auto map(const MapOptions& options, const F& function, const R&... inputs) {
        static_assert(sizeof...(R) != 0, "map() wants the inputs of the function");
        using Result = std::decay_t<std::invoke_result_t<const F&, decltype(*std::begin(inputs))...>>;
        static_assert(!std::is_void_v<Result>, "map() is for results; submit() functions that have none");
        const auto deadline_ns = detail::deadline_of(options.timeout);
        std::deque<concurrent::Future<Result>> futures;
        const std::tuple ends(std::end(inputs)...);
        for (std::tuple at(std::begin(inputs)...); detail::all_differ(at, ends, std::index_sequence_for<R...>());
             std::apply([](auto&... each) { (void(++each), ...); }, at)) {
            std::apply([&](auto&... each) { futures.push_back(submit(function, *each...)); }, at);
        }
        return MapResults<Result>(std::move(futures), deadline_ns);
    }
    /// Lets nothing more in. Calling it twice does nothing more.
    virtual void shutdown(const ExecutorShutdown& options = {}) = 0;

protected:
    /// Sees to it that `work` is run.
    virtual void execute(std::unique_ptr<detail::Work> work) = 0;
};

/// What can be said of a thread pool.
struct ThreadPoolOptions {
    /// At most so many threads; 0: four more than the machine can run at once, at most 32, and 5 in a simulated world, where the
    /// machine must not matter.
    std::size_t max_workers = 0;
    /// Threads are called this, an underscore and a number from 0.
    std::string thread_name_prefix = "ThreadPoolExecutor";
    /// Is called by each thread before anything else; when it throws, the pool is broken.
    std::function<void()> initializer = {};
};

/// Runs functions in threads of its own, which begin when they are needed and then wait for more.
///
/// Who is idle is used before another thread is begun. A function that waits for another one of its own pool waits for ever
/// when no thread is left to run that.
///
/// Source:    concurrent.futures.ThreadPoolExecutor, CPython 3.13.
class ThreadPoolExecutor final : public Executor {
public:
    explicit ThreadPoolExecutor(ThreadPoolOptions options = {});
    explicit ThreadPoolExecutor(std::size_t max_workers) : ThreadPoolExecutor(ThreadPoolOptions{max_workers}) {}
    /// Shuts down and waits, as leaving a `with` does.
    ~ThreadPoolExecutor() override;
    ThreadPoolExecutor(const ThreadPoolExecutor&) = delete;
    ThreadPoolExecutor& operator=(const ThreadPoolExecutor&) = delete;

    void shutdown(const ExecutorShutdown& options = {}) override;
    std::size_t max_workers() const;
    /// Returns how many threads it has begun.
    std::size_t threads_begun() const;
    /// Shuts down, and lets the threads go on alone with what they have begun.
    void abandon();
    /// Does not let reports count its threads as left behind while they wait for work.
    void let_idle();

private:
    friend class EventLoop;
    void execute(std::unique_ptr<detail::Work> work) override;

    std::shared_ptr<detail::ThreadPool> pool_;
};

namespace detail {

/// A future of a loop that another thread completes, or whose task it cancels. The thread holds no handle: those are
/// counted without locks.
class AwaitedElsewhere : public std::enable_shared_from_this<AwaitedElsewhere> {
public:
    explicit AwaitedElsewhere(FutureBase& future);
    /// Lets the loop's thread call `look`, unless the loop is closed or the future was given up by then. From any thread.
    void deliver(std::function<void(FutureBase&)> look);
    /// As above, and gives the future up afterwards.
    void deliver_last(std::function<void(FutureBase&)> look);
    /// Gives the future up; on the loop's thread.
    void give_up();

private:
    void deliver(std::function<void(FutureBase&)> look, bool is_last);

    std::shared_ptr<Inbox> inbox_;
    FutureBase* future_;  // counted; when the loop is closed before it is given up, it goes with the loop's run
};

template <class T>
struct ResultOf;
template <class T>
struct ResultOf<Task<T>> {
    using Type = T;
};

}  // namespace detail

/// Returns a future of `loop`, else of the running one, that ends as `source` does. Cancelling it cancels `source`, if that
/// has not begun.
///
/// Throws:    UsageError when there is no loop.
/// Source:    asyncio.wrap_future, CPython 3.13.
template <class T>
Future<T> wrap_future(const concurrent::Future<T>& source, EventLoop* loop = nullptr) {
    EventLoop& own = loop != nullptr ? *loop : detail::running_loop("wrap_future()");
    static_cast<void>(source.core());  // an empty one says so before anything is made
    Future<T> future = own.create_future<T>();
    const auto elsewhere = std::make_shared<detail::AwaitedElsewhere>(future.state());
    future.add_done_callback([source](const Future<T>& ended) {
        if (ended.cancelled()) {
            source.cancel({});
        }
    });
    source.add_done_callback([elsewhere](const concurrent::Future<T>& ended) {
        elsewhere->deliver_last([ended](detail::FutureBase& waiting) {
            if (waiting.is_done()) {
                return;  // cancelled meanwhile
            }
            if (ended.cancelled({})) {
                waiting.cancel(nullptr);
            } else if (ended.core().stored_exception() != nullptr) {
                waiting.finish_with(ended.core().stored_exception());
            } else if constexpr (std::is_void_v<T>) {
                waiting.finish();
            } else {
                Future<T>(&waiting).set_result(ended.take());
            }
        });
    });
    return future;
}

template <class F>
auto EventLoop::run_in_executor(Executor* executor, F&& function) {
    Executor& chosen = executor != nullptr ? *executor : static_cast<Executor&>(default_executor());
    return wrap_future(chosen.submit(std::forward<F>(function)), this);
}

/// Calls `function(arguments...)` in a thread of the loop's default executor, in a copy of the current context, and
/// returns a future of the result: `await(to_thread(f))`, `co_await to_thread(f)`.
///
/// Cancelled: a function that has not begun is not called; one that runs goes on, and its result is dropped.
/// Throws:    UsageError where no loop runs.
/// Source:    asyncio.to_thread, CPython 3.13; there it begins when it is awaited, here at once.
template <class F, class... A>
auto to_thread(F&& function, A&&... arguments) {
    EventLoop& loop = detail::running_loop("to_thread()");
    return loop.run_in_executor(
        nullptr, [context = copy_context(), function = std::decay_t<F>(std::forward<F>(function)),
                  kept = std::tuple<std::decay_t<A>...>(std::forward<A>(arguments)...)]() mutable {
            return context.run([&] { return std::apply(function, std::move(kept)); });
        });
}

/// Makes a task of `loop` that runs `function`, or a coroutine, from another thread, and returns a future that the thread can
/// wait for. Cancelling that cancels the task; when it comes before the loop has made the task, there is none. When the loop is
/// closed before the task has ended, the future is cancelled.
///
/// Throws:    UsageError when the loop is closed.
/// Source:    asyncio.run_coroutine_threadsafe, CPython 3.13; a cancellation is never lost (gh-105836).
template <class F>
auto run_coroutine_threadsafe(F&& function, EventLoop& loop) {
    using Function = std::decay_t<F>;
    static_assert(!detail::HostedCoroutine<Function>,
                  "give run_coroutine_threadsafe() a function that returns the coroutine: a coroutine's frame belongs to the "
                  "thread that made it");
    using TaskType = decltype(loop.create_task(std::declval<Function>()));
    using Result = typename detail::ResultOf<TaskType>::Type;
    const auto future = concurrent::Future<Result>::make();
    const auto promise = std::make_shared<detail::Promise>(loop.inbox(), future.core().shared_from_this());
    loop.call_soon_threadsafe([&loop, future, promise, kept = std::make_shared<Function>(std::forward<F>(function))] {
        if (future.cancelled({})) {
            future.set_running_or_notify_cancel({});
            return;
        }
        TaskType task;
        try {
            task = loop.create_task(std::move(*kept));
        } catch (const detail::TaskAbandoned&) {
            throw;
        } catch (...) {
            if (future.set_running_or_notify_cancel({})) {
                future.set_exception(std::current_exception(), {});
            }
            throw;
        }
        const auto elsewhere = std::make_shared<detail::AwaitedElsewhere>(task.state());
        task.add_done_callback([future, promise, elsewhere](const Future<Result>& ended) {
            elsewhere->give_up();
            if (ended.cancelled()) {
                future.cancel({});
            }
            if (!future.set_running_or_notify_cancel({})) {
                ended.state().mark_retrieved();  // nobody wants it any more
            } else if (const std::exception_ptr exception = ended.exception()) {
                future.set_exception(exception, {});
            } else if constexpr (std::is_void_v<Result>) {
                future.set_result();
            } else {
                future.set_result(detail::take_result(ended));
            }
        });
        future.add_done_callback([elsewhere](const concurrent::Future<Result>& ended) {
            if (ended.cancelled({})) {
                elsewhere->deliver([](detail::FutureBase& running) { running.cancel(nullptr); });
            }
        });
    });
    return future;
}

}  // namespace mishap
