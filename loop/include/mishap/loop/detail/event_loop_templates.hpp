#pragma once

// How the loop makes tasks, futures and callbacks: what `event_loop.hpp` declares and cannot leave to a source file.

#include <concepts>
#include <type_traits>
#include <utility>

#include <mishap/loop/event_loop.hpp>

namespace mishap {

namespace detail {

/// What a function returns that is a coroutine of this library: a `Coro`.
template <class R>
concept HostedCoroutine = requires(R result) {
    typename R::promise_type;
    result.run_here();
};

/// A callback and the function it calls.
template <class F>
class FunctionHandle final : public HandleBase {
public:
    template <class G>
    explicit FunctionHandle(G&& function) : function_(std::forward<G>(function)) {}
    void invoke() override { function_(); }

private:
    F function_;
};

/// A function's type, as an address.
template <class F>
inline constexpr char type_tag = 0;

/// A callback of a future that is done.
template <class F, class T>
class DoneCallback final : public HandleBase {
public:
    template <class G>
    DoneCallback(const Future<T>& future, G&& function) : future_(future), function_(std::forward<G>(function)) {}
    void invoke() override { function_(future_); }
    bool calls(const void* type, [[maybe_unused]] const void* function) const override {
        if constexpr (requires(const F& a, const F& b) { static_cast<bool>(a == b); }) {
            return type == &type_tag<F> && static_cast<bool>(function_ == *static_cast<const F*>(function));
        } else {
            return false;
        }
    }

private:
    Future<T> future_;
    F function_;
};

}  // namespace detail

// ---- what every task and future begins with ----------------------------------------------------------------------

namespace detail {

inline FutureBase::FutureBase(EventLoop& loop, void* value, bool is_task)
    : is_task_(is_task), loop_(&loop), value_(value), maker_(loop.running_key()) {
    if (is_task) {
        loop.next_object();  // it gets a task's key, yet counts as an object
    } else {
        identify();
    }
}

inline TaskBase::TaskBase(EventLoop& loop, void* value, const TaskOptions& options)
    : FutureBase(loop, value, true), name(options.name.empty() ? nullptr : intern(options.name)) {
    is_task_entry = true;
}

}  // namespace detail

// ---- templates ---------------------------------------------------------------------------------------------------

template <class B, class... A>
B* EventLoop::make_block(A&&... arguments) {
    void* const room = detail::block_pool().allocate(sizeof(B), run_, detail::SlotHeader::Content::block);
    if constexpr (std::is_nothrow_constructible_v<B, A...>) {
        return new (room) B(std::forward<A>(arguments)...);
    } else {
        try {
            return new (room) B(std::forward<A>(arguments)...);
        } catch (...) {
            detail::block_pool().release(room);
            throw;
        }
    }
}

template <class F>
Handle EventLoop::call_soon(F&& callback, ContextRef context) {
    check_usable();
    auto* const handle = make_block<detail::FunctionHandle<std::decay_t<F>>>(std::forward<F>(callback));
    Handle result(handle);
    if (detail::contexts_in_use || context.get() != nullptr) [[unlikely]] {
        detail::give_context(*handle, context.get());
    }
    if (current_ != nullptr) {
        schedule(*handle, current_->callbacks, current_);
    } else {
        schedule(*handle, loop_lane_, nullptr);
    }
    return result;
}

template <class F>
TimerHandle EventLoop::call_at(VirtualTime when, F&& callback, ContextRef context) {
    check_usable();
    auto* const handle = make_block<detail::FunctionHandle<std::decay_t<F>>>(std::forward<F>(callback));
    TimerHandle result(handle);
    if (detail::contexts_in_use || context.get() != nullptr) [[unlikely]] {
        detail::give_context(*handle, context.get());
    }
    arm(*handle, when.time_since_epoch().count());
    return result;
}

template <class F>
TimerHandle EventLoop::call_later(std::chrono::nanoseconds delay, F&& callback, ContextRef context) {
    return call_at(deadline_in(delay), std::forward<F>(callback), context);
}

template <class F>
auto EventLoop::create_task(F&& function, const TaskOptions& options) {
    using Function = std::decay_t<F>;
    if constexpr (detail::HostedCoroutine<Function>) {
        function.belong_to_task();
        return create_task([kept = std::forward<F>(function)]() mutable { return kept.run_here(); }, options);
    } else {
        using Result = std::decay_t<std::invoke_result_t<Function&>>;
        if constexpr (detail::HostedCoroutine<Result>) {
            // A function that returns a coroutine: the task runs what it returns, and keeps the function, which the coroutine
            // may refer to.
            return create_task([kept = std::forward<F>(function)]() mutable { return kept().run_here(); }, options);
        } else {
            check_usable();
            using State = detail::TaskState<Function, Result>;
            if (task_factory_ != nullptr) [[unlikely]] {
                auto make = [&](const TaskOptions& chosen) -> detail::TaskBase& {
                    auto* const task = make_block<State>(*this, std::forward<F>(function), chosen);
                    ++detail::header_of(task).references;  // an eager task may end before anybody else knows it
                    add_task(*task, chosen);
                    return *task;
                };
                using Make = decltype(make);
                const auto call = [](void* self, const TaskOptions& chosen) -> detail::TaskBase& {
                    return (*static_cast<Make*>(self))(chosen);
                };
                const AnyTask made = make_by_factory(TaskMaker(&make, call), options);
                return Task<Result>(&made.task_state());
            }
            auto* const task = make_block<State>(*this, std::forward<F>(function), options);
            Task<Result> handle(task);
            if (detail::contexts_in_use || options.context.get() != nullptr || options.eager_start.has_value()) [[unlikely]] {
                add_task(*task, options);
            } else {
                add_task(*task);
            }
            return handle;
        }
    }
}

template <class F>
    requires(!std::is_base_of_v<detail::AnyFuture, std::remove_cvref_t<F>>)
auto EventLoop::run_until_complete(F&& function) {
    const auto task = create_task(std::forward<F>(function));
    return run_until_complete(task);
}

template <class T>
Future<T> EventLoop::create_future() {
    check_usable();
    return Future<T>(make_block<detail::FutureState<T>>(*this));
}

template <class T>
T EventLoop::run_until_complete(const Future<T>& future) {
    run_until_done(future.state());
    if constexpr (std::is_void_v<T>) {
        future.result();
    } else if constexpr (std::is_copy_constructible_v<T>) {
        return future.result();
    } else {
        future.state().throw_unless_succeeded("run_until_complete()");
        return std::move(*static_cast<detail::Value<T>*>(future.state().value())->value);
    }
}

template <class T>
template <class... A>
void Future<T>::set_result(A&&... arguments) const {
    detail::FutureBase& future = state();
    if (future.is_task()) {
        throw UsageError("set_result() was called on a task: its result is what its function returns");
    }
    if (future.is_done()) {
        throw InvalidStateError("set_result() on a future that is done already; ask done() first");
    }
    static_cast<detail::Value<T>*>(future.value())->set(std::forward<A>(arguments)...);
    future.finish();
}

template <class T>
std::add_lvalue_reference_t<const T> Future<T>::result() const {
    detail::FutureBase& future = state();
    future.throw_unless_succeeded("result()");
    if constexpr (!std::is_void_v<T>) {
        return *static_cast<const detail::Value<T>*>(future.value())->value;
    }
}

template <class T>
template <class F>
Handle Future<T>::add_done_callback(F&& callback, ContextRef context) const {
    detail::FutureBase& future = state();
    using Callback = detail::DoneCallback<std::decay_t<F>, T>;
    auto* const handle = future.loop().make_block<Callback>(*this, std::forward<F>(callback));
    Handle result(handle);
    if (detail::contexts_in_use || context.get() != nullptr) [[unlikely]] {
        detail::give_context(*handle, context.get());
    }
    future.add_callback(handle);
    return result;
}

template <class T>
template <class F>
std::size_t Future<T>::remove_done_callback(const F& callback) const {
    using Function = std::decay_t<F>;
    static_assert(std::equality_comparable<Function>,
                  "callbacks of this type cannot be compared; cancel the handle that add_done_callback() gave");
    const Function& function = callback;
    return state().remove_callbacks(&detail::type_tag<Function>, &function);
}

}  // namespace mishap
