#pragma once

#include <coroutine>
#include <exception>
#include <type_traits>
#include <utility>

#include <mishap/loop/await.hpp>
#include <mishap/loop/detail/coro_host.hpp>
#include <mishap/loop/foreign.hpp>
#include <mishap/loop/sleep.hpp>

namespace mishap {

template <class T>
class Coro;

namespace detail {

/// Waits for a future: performed by the host.
template <class T>
class FutureAwaiter {
public:
    FutureAwaiter(Future<T> future, CoroHost& host, Place place)
        : future_(std::move(future)), host_(host), place_(place) {}
    bool await_ready() const { return false; }  // a done future may still be a place for a forced yield
    void await_suspend(std::coroutine_handle<> innermost) {
        host_.suspend(innermost, {[](void* self) {
                                      auto& awaiter = *static_cast<FutureAwaiter*>(self);
                                      await_done(awaiter.future_.state(), "co_await", awaiter.place_);
                                  },
                                  this});
    }
    T await_resume() {
        host_.rethrow_if_failed();
        return take_result(future_);
    }

private:
    Future<T> future_;
    CoroHost& host_;
    Place place_;
};

/// Sleeps: performed by the host.
class SleepAwaiter {
public:
    SleepAwaiter(Sleep& sleep, CoroHost& host) : sleep_(sleep), host_(host) {}
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> innermost) {
        host_.suspend(innermost, {[](void* sleep) { static_cast<Sleep*>(sleep)->now(); }, &sleep_});
    }
    void await_resume() { host_.rethrow_if_failed(); }

private:
    Sleep& sleep_;
    CoroHost& host_;
};

/// Goes on with whoever awaits a coroutine, without growing the stack.
struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class P>
    void await_suspend(std::coroutine_handle<P> finished) const noexcept {
        finished.promise().host->go_on_with(finished.promise().continuation);
    }
    void await_resume() const noexcept {}
};

class CoroPromiseBase;

/// What goes on with an asynchronous generator until it yields or ends; performed by the host of who awaits that.
struct ResumeGenerator {
    std::coroutine_handle<> frame;
    CoroPromiseBase& promise;
};

class GeneratorAwaiter {
public:
    GeneratorAwaiter(ResumeGenerator generator, CoroHost& host) : generator_(generator), host_(host) {}
    bool await_ready() const { return false; }
    inline void await_suspend(std::coroutine_handle<> awaiting);
    void await_resume() const {}

private:
    ResumeGenerator generator_;
    CoroHost& host_;
};

class CoroPromiseBase {
public:
    std::suspend_always initial_suspend() const noexcept { return {}; }
    FinalAwaiter final_suspend() const noexcept { return {}; }
    void unhandled_exception() { exception = std::current_exception(); }

    template <class T>
    FutureAwaiter<T> await_transform(const Future<T>& future, Place place = Place::here()) {
        return {future, *host, place};
    }
    template <class T>
    FutureAwaiter<T> await_transform(const Task<T>& task, Place place = Place::here()) {
        return {task, *host, place};
    }
    SleepAwaiter await_transform(Sleep&& sleep) { return {sleep, *host}; }
    template <class T>
    auto await_transform(Coro<T>&& coro);
    GeneratorAwaiter await_transform(ResumeGenerator generator) { return {generator, *host}; }
    /// Bridges any other awaitable: its end completes a future, so the resumption goes through the ready set.
    template <class A>
        requires ForeignAwaitable<A>
    auto await_transform(A&& awaitable, Place place = Place::here()) {
        return FutureAwaiter<ForeignResult<A>>(bridge_foreign(std::forward<A>(awaitable)), *host, place);
    }

    static void* operator new(std::size_t size) { return allocate_frame(size); }
    static void operator delete(void* frame) { release_frame(frame); }

    CoroHost* host = nullptr;
    bool belongs_to_task = false;  // which may be cancelled before it begins
    std::coroutine_handle<> continuation;
    std::exception_ptr exception;
};

/// A generator may go on in another task than before: its host is that of its present step.
void GeneratorAwaiter::await_suspend(std::coroutine_handle<> awaiting) {
    generator_.promise.host = &host_;
    generator_.promise.continuation = awaiting;
    host_.go_on_with(generator_.frame);
}

template <class T>
class CoroPromise : public CoroPromiseBase {
public:
    Coro<T> get_return_object();
    template <class U>
    void return_value(U&& result) {
        value_.set(std::forward<U>(result));
    }
    T take() {
        if (exception != nullptr) {
            std::rethrow_exception(exception);
        }
        return std::move(*value_.value);
    }

private:
    Value<T> value_;
};

template <>
class CoroPromise<void> : public CoroPromiseBase {
public:
    Coro<void> get_return_object();
    void return_void() const {}
    void take() const {
        if (exception != nullptr) {
            std::rethrow_exception(exception);
        }
    }
};

}  // namespace detail

/// A C++20 coroutine that runs in a task of the loop. It begins when it is awaited, or given to `create_task`.
///
/// A `co_await` suspends for real; the task that hosts the coroutine waits in its place. Can be awaited once.
///
/// Source:    coroutines as in `async def`, CPython 3.13.
template <class T = void>
class [[nodiscard]] Coro {
public:
    using promise_type = detail::CoroPromise<T>;
    using Handle = std::coroutine_handle<promise_type>;
    using Result = T;

    Coro() = default;
    explicit Coro(Handle handle) : handle_(handle), run_(detail::run_of_frame(handle.address())) {}
    Coro(Coro&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)), run_(other.run_) {}
    Coro& operator=(Coro&& other) noexcept {
        std::swap(handle_, other.handle_);
        std::swap(run_, other.run_);
        return *this;
    }
    ~Coro() {
        if (is_alive()) {
            if (handle_.promise().host == nullptr && !handle_.promise().belongs_to_task) [[unlikely]] {
                detail::never_awaited();
            }
            handle_.destroy();
        }
    }

    /// Runs the coroutine in the current task and returns its result; what `await` and `create_task` do.
    T run_here() {
        check();
        detail::running_task_loop("await(Coro)");
        detail::CoroHost host;
        handle_.promise().host = &host;
        host.run(handle_);
        return handle_.promise().take();
    }

    /// Says that a task will run it; a task that is cancelled before it begins has not forgotten it.
    void belong_to_task() {
        if (is_alive()) {
            handle_.promise().belongs_to_task = true;
        }
    }

private:
    friend class detail::CoroPromiseBase;
    bool is_alive() const { return handle_ && detail::is_frame_alive(handle_.address(), run_); }
    void check() const {
        if (!is_alive() || handle_.done()) {
            detail::empty_coro();
        }
    }

    Handle handle_;
    unsigned run_ = 0;
};

namespace detail {

template <class T>
Coro<T> CoroPromise<T>::get_return_object() {
    return Coro<T>(std::coroutine_handle<CoroPromise<T>>::from_promise(*this));
}
inline Coro<void> CoroPromise<void>::get_return_object() {
    return Coro<void>(std::coroutine_handle<CoroPromise<void>>::from_promise(*this));
}

template <class T>
auto CoroPromiseBase::await_transform(Coro<T>&& coro) {
    coro.check();
    class Awaiter {
    public:
        Awaiter(Coro<T> awaited, CoroHost& host) : awaited_(std::move(awaited)), host_(host) {}
        bool await_ready() const { return false; }
        void await_suspend(std::coroutine_handle<> awaiting) {
            auto& promise = awaited_.handle_.promise();
            promise.host = &host_;
            promise.continuation = awaiting;
            host_.go_on_with(awaited_.handle_);
        }
        T await_resume() { return awaited_.handle_.promise().take(); }

    private:
        Coro<T> awaited_;
        CoroHost& host_;
    };
    return Awaiter(std::move(coro), *host);
}

}  // namespace detail

/// Runs a coroutine in the current task and returns its result.
///
/// Yields:    where the coroutine does.
/// Cancelled: where the coroutine waits.
/// Order:     runs at once, up to its first wait.
/// Throws:    what the coroutine throws.
template <class T>
T await(Coro<T> coro) {
    return coro.run_here();
}

/// Makes a task that runs `coro`.
template <class T>
Task<T> create_task(Coro<T> coro, const TaskOptions& options = {}) {
    coro.belong_to_task();
    return create_task([kept = std::move(coro)]() mutable -> T { return kept.run_here(); }, options);
}

/// Waits, in a task, for an awaitable that knows nothing of this library.
///
/// Yields:    if the awaitable does not finish at once; its end goes through the ready set.
/// Cancelled: the awaitable goes on alone; its result is dropped.
/// Order:     as for a future.
/// Throws:    what the awaitable throws; UsageError outside a task.
template <class A>
    requires detail::ForeignAwaitable<A>
detail::ForeignResult<A> await(A&& awaitable, Place place = Place::here()) {
    return await(detail::bridge_foreign(std::forward<A>(awaitable)), place);
}

}  // namespace mishap
