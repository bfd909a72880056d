#pragma once

// Guards that wait: what asyncio does with `async with`, where a destructor of C++ would not do, as it may neither wait nor
// throw. A guard is an object with two functions, and the body is a function that is run between them.

#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <mishap/loop/async_generator.hpp>
#include <mishap/primitives/detail/ensure_future.hpp>

namespace mishap {

namespace detail {

template <class R>
struct Awaited {
    using Type = R;
};
template <class R>
struct Awaited<Coro<R>> {
    using Type = R;
};

template <class M>
concept HasEnter = requires(M& manager) { manager.aenter(); };
template <class M>
concept HasExit = requires(M& manager, std::exception_ptr exception) { manager.aexit(exception); };
template <class M>
concept Acquirable = requires(M& manager) {
    manager.acquire();
    manager.release();
};

/// Leaves a guard; returns whether that took the exception upon itself.
template <class M>
bool leave(M& manager, std::exception_ptr failure) {
    if constexpr (HasExit<M>) {
        using Left = typename Awaited<decltype(manager.aexit(failure))>::Type;
        if constexpr (std::is_void_v<Left>) {
            call([&] { return manager.aexit(failure); });
            return false;
        } else {
            const bool is_taken = call([&] { return manager.aexit(failure); });
            return is_taken;
        }
    } else {
        manager.release();
        return false;
    }
}

[[noreturn]] void guard_took_exception();
[[noreturn]] void generator_without_item();
[[noreturn]] void generator_goes_on();

/// Runs a body inside a guard that has been entered.
template <class M, class Body>
auto run_guarded(M& manager, Body&& body) {
    using Result = typename Awaited<std::invoke_result_t<Body&>>::Type;
    Value<Result> result;
    std::exception_ptr failure;
    // The helper that runs a body: whatever it throws, the guard is left.
    try {
        if constexpr (std::is_void_v<Result>) {
            call(body);
        } else {
            result.set(call(body));
        }
    } catch (const TaskAbandoned&) {
        throw;
    } catch (...) {
        failure = std::current_exception();
    }
    const bool is_taken = leave(manager, failure);
    if (failure != nullptr && !is_taken) {
        std::rethrow_exception(failure);
    }
    if constexpr (!std::is_void_v<Result>) {
        if (!result.value.has_value()) {
            guard_took_exception();
        }
        return std::move(*result.value);
    }
}

}  // namespace detail

/// What `async_with` can enter and leave: `aenter()` and `aexit(std::exception_ptr)`, or `acquire()` and `release()`. Each may
/// wait, as a function or as a coroutine. `aexit` is given what the body threw, or null; if it returns true, that is done with.
template <class M>
concept AsyncContextManager = (detail::HasEnter<M> && detail::HasExit<M>) || detail::Acquirable<M>;

/// Enters `manager`, runs `body` with what entering gave (if it wants that), leaves `manager`, and returns the body's result.
///
/// Yields:    where entering, the body and leaving do.
/// Cancelled: where they wait. Once entered, the guard is left, exactly once, whatever the body throws: CancelledError too.
/// Order:     all of it in the current task.
/// Throws:    what entering throws, and the guard is not left then; what leaving throws, else what the body throws unless
///            `aexit` returns true; UsageError when it does that and the body's result is missing.
/// Source:    `async with` (PEP 492), CPython 3.13.
template <AsyncContextManager M, class Body>
auto async_with(M&& manager, Body&& body) {
    if constexpr (detail::HasEnter<M>) {
        using Entered = typename detail::Awaited<decltype(manager.aenter())>::Type;
        if constexpr (std::is_void_v<Entered>) {
            detail::call([&] { return manager.aenter(); });
            return detail::run_guarded(manager, body);
        } else {
            Entered entered = detail::call([&]() -> decltype(auto) { return manager.aenter(); });
            if constexpr (std::is_invocable_v<Body&, Entered&>) {
                const auto with_it = [&]() -> decltype(auto) { return body(entered); };
                return detail::run_guarded(manager, with_it);
            } else {
                return detail::run_guarded(manager, body);
            }
        }
    } else {
        manager.acquire();
        return detail::run_guarded(manager, body);
    }
}

/// Closes a generator, or whatever has `aclose()`, when the body has ended: `async_with(aclosing(items), [&] { ... })`.
///
/// Source:    contextlib.aclosing, CPython 3.13.
template <class G>
class Aclosing {
public:
    explicit Aclosing(G& thing) : thing_(&thing) {}
    std::reference_wrapper<G> aenter() const { return *thing_; }
    auto aexit(const std::exception_ptr&) const { return thing_->aclose(); }

private:
    G* thing_;
};
template <class G>
Aclosing<G> aclosing(G& thing) {
    return Aclosing<G>(thing);
}

/// A guard made of a generator that yields once: what is before the `co_yield` enters, what is behind it leaves.
///
/// What the body throws is thrown at the `co_yield`; a generator that catches it and returns has done with it. Can be used once.
///
/// Source:    contextlib.asynccontextmanager, CPython 3.13.
template <class T>
class GeneratorContextManager {
public:
    explicit GeneratorContextManager(AsyncGenerator<T> generator) : generator_(std::move(generator)) {}

    T aenter() {
        std::optional<T> entered = await(generator_.next());
        if (!entered.has_value()) {
            detail::generator_without_item();
        }
        return std::move(*entered);
    }
    bool aexit(const std::exception_ptr& failure) {
        std::optional<T> more;
        if (failure == nullptr) {
            more = await(generator_.next());
        } else {
            try {
                more = await(generator_.athrow(failure));
            } catch (...) {
                if (std::current_exception() == failure) {
                    return false;  // it let the exception pass, and the body's is thrown on
                }
                throw;
            }
        }
        if (more.has_value()) {
            await(generator_.aclose());
            detail::generator_goes_on();
        }
        return failure != nullptr;
    }

private:
    AsyncGenerator<T> generator_;
};
template <class T>
GeneratorContextManager<T> async_context_manager(AsyncGenerator<T> generator) {
    return GeneratorContextManager<T>(std::move(generator));
}

/// Leaves several guards, last in, first out, and calls what was pushed: a guard for `async_with`, given to its body.
///
/// Source:    contextlib.AsyncExitStack, CPython 3.13.
class AsyncExitStack {
public:
    AsyncExitStack() = default;
    AsyncExitStack(const AsyncExitStack&) = delete;
    AsyncExitStack& operator=(const AsyncExitStack&) = delete;

    /// Enters `manager`, which must outlive the stack's end, and returns what entering gave.
    ///
    /// Yields, Cancelled, Throws: as entering does; what could not be entered is not left.
    template <AsyncContextManager M>
    auto enter_async_context(M& manager) {
        const auto entered = [&] {
            exits_.push_back([&manager](const std::exception_ptr& failure) { return detail::leave(manager, failure); });
        };
        if constexpr (!detail::HasEnter<M>) {
            manager.acquire();
            entered();
        } else if constexpr (std::is_void_v<typename detail::Awaited<decltype(manager.aenter())>::Type>) {
            detail::call([&] { return manager.aenter(); });
            entered();
        } else {
            auto value = detail::call([&] { return manager.aenter(); });
            entered();
            return value;
        }
    }

    /// Has `function()` called, or the coroutine it returns run, when the stack is left; whatever happened, and whatever it
    /// returns.
    template <class F>
    void push_async_callback(F&& function) {
        exits_.push_back([kept = std::forward<F>(function)](const std::exception_ptr&) mutable {
            detail::call(kept);
            return false;
        });
    }


    /// Leaves everything now. Calling it twice does nothing.
    void aclose() { aexit(nullptr); }

    std::reference_wrapper<AsyncExitStack> aenter() { return *this; }
    /// Leaves everything, each exactly once: what one throws is what the next is told of. Returns whether `failure` was taken.
    bool aexit(std::exception_ptr failure);

private:
    std::vector<std::function<bool(const std::exception_ptr&)>> exits_;
};

}  // namespace mishap
