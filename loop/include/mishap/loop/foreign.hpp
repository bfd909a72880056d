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

/// Completes a future on its loop's thread, however the thread that calls it is; once.
///
/// Handles are counted without locks and their memory belongs to a thread, so another thread neither copies nor drops
/// the one that is kept here: it hands it on.
class ForeignCompletion {
public:
    explicit ForeignCompletion(FutureBase& future);
    /// Calls `complete` now, or, from another thread, on the loop's own, unless nobody waits any more.
    void deliver(std::function<void(FutureBase&)> complete);

private:
    EventLoop* loop_;
    std::shared_ptr<Ref<FutureBase>> future_;
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
Detached run_foreign(A awaitable, ForeignCompletion completion) {
    using Result = ForeignResult<A>;
    std::function<void(FutureBase&)> complete;
    // The helper that runs a foreign body: what it throws belongs to whoever awaits the bridge.
    try {
        if constexpr (std::is_void_v<Result>) {
            co_await std::forward<A>(awaitable);
            complete = [](FutureBase& future) { future.finish(); };
        } else {
            auto result = std::make_shared<Result>(co_await std::forward<A>(awaitable));
            complete = [result](FutureBase& future) { Future<Result>(&future).set_result(std::move(*result)); };
        }
    } catch (...) {
        complete = [failure = std::current_exception()](FutureBase& future) { future.finish_with(failure); };
    }
    completion.deliver(std::move(complete));
}

/// Starts `awaitable` and returns the future of its result.
template <class A>
Future<ForeignResult<A>> bridge_foreign(A&& awaitable) {
    EventLoop& loop = running_task_loop("await()");
    Future<ForeignResult<A>> future = loop.create_future<ForeignResult<A>>();
    // An rvalue is moved into the bridge's frame, an lvalue outlives it as it would outlive a co_await.
    run_foreign<A>(std::forward<A>(awaitable), ForeignCompletion(future.state()));
    return future;
}

}  // namespace mishap::detail
