#pragma once

// The bridge to awaitables of other libraries. Their awaiter is obtained as the language does it, awaited in a small
// coroutine that starts at once, and its end completes a future: the task that waits is then scheduled, never resumed
// from inside whatever completed the awaitable, so that the search may let others go first.

#include <concepts>
#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include <mishap/loop/await.hpp>

namespace mishap::detail {

template <class A>
concept HasMemberAwait = requires(A&& awaitable) { std::forward<A>(awaitable).operator co_await(); };
template <class A>
concept HasFreeAwait = requires(A&& awaitable) { operator co_await(std::forward<A>(awaitable)); };

template <class A>
decltype(auto) awaiter_of(A&& awaitable) {
    if constexpr (HasMemberAwait<A>) {
        return std::forward<A>(awaitable).operator co_await();
    } else if constexpr (HasFreeAwait<A>) {
        return operator co_await(std::forward<A>(awaitable));
    } else {
        return std::forward<A>(awaitable);
    }
}

template <class W>
concept Awaiter = requires(W&& awaiter, std::coroutine_handle<> handle) {
    { awaiter.await_ready() } -> std::convertible_to<bool>;
    awaiter.await_suspend(handle);
    awaiter.await_resume();
};

/// What the language can await and this library did not make.
template <class A>
concept ForeignAwaitable = !std::derived_from<std::remove_cvref_t<A>, AnyFuture> && requires(A&& awaitable) {
    { awaiter_of(std::forward<A>(awaitable)) } -> Awaiter;
};

template <class A>
using ForeignResult = std::decay_t<decltype(awaiter_of(std::declval<A>()).await_resume())>;

/// Completes `future` on its loop's thread, however the thread that calls it is.
class ForeignCompletion {
public:
    explicit ForeignCompletion(FutureBase& future);
    /// Calls `complete` now, or, from another thread, on the loop's own.
    template <class F>
    void deliver(F&& complete) {
        if (is_on_loop_thread()) {
            if (future_.is_alive() && !future_->is_done()) {
                complete();
            }
        } else {
            deliver_from_elsewhere([this_copy = *this, complete = std::forward<F>(complete)]() mutable {
                this_copy.deliver(complete);
            });
        }
    }

private:
    bool is_on_loop_thread() const;
    void deliver_from_elsewhere(std::function<void()> complete) const;

    Ref<FutureBase> future_;
    EventLoop* loop_;
};

/// A coroutine that starts at once, owns its frame, and is waited for by nobody.
struct Detached {
    struct promise_type {
        Detached get_return_object() const noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
    };
};

template <class A>
Detached run_foreign(A awaitable, Future<ForeignResult<A>> future, ForeignCompletion completion) {
    using Result = ForeignResult<A>;
    std::exception_ptr failure;
    // The helper that runs a foreign body: what it throws belongs to whoever awaits the bridge.
    try {
        if constexpr (std::is_void_v<Result>) {
            co_await std::forward<A>(awaitable);
            completion.deliver([future] { future.set_result(); });
        } else {
            Result result = co_await std::forward<A>(awaitable);
            auto kept = std::make_shared<Result>(std::move(result));
            completion.deliver([future, kept] { future.set_result(std::move(*kept)); });
        }
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure != nullptr) {
        completion.deliver([future, failure] { future.set_exception(failure); });
    }
}

/// Starts `awaitable` and returns the future of its result.
template <class A>
Future<ForeignResult<A>> bridge_foreign(A&& awaitable) {
    EventLoop& loop = running_task_loop("await()");
    Future<ForeignResult<A>> future = loop.create_future<ForeignResult<A>>();
    // An rvalue is moved into the bridge's frame, an lvalue outlives it as it would outlive a co_await.
    run_foreign<A>(std::forward<A>(awaitable), future, ForeignCompletion(future.state()));
    return future;
}

}  // namespace mishap::detail
