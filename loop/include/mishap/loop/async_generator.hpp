#pragma once

// Functions that yield one item after the other, and may wait in between.
//
// A generator runs in whichever task asks it for the next item, up to its next `co_yield`; it is no task, and nothing of
// it goes on between two items. `aclose` ends one that has not come to its end: it throws GeneratorExit where the
// generator has yielded, so that its handlers and destructors run, and they may wait. C++ allows no `co_await` in a
// handler; a function that waits (`sleep(1s);`, `lock.acquire();`) is allowed there.

#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <mishap/loop/coro.hpp>
#include <mishap/loop/detail/generator_base.hpp>
#include <mishap/loop/detail/next_iterator.hpp>

namespace mishap {

template <class T, class Sent = void>
class AsyncGenerator;

/// Is thrown into a generator that is closed, where it has yielded. Not a `std::exception`, so that handlers of errors
/// let it pass. A generator that catches it must not yield again.
///
/// Source:    GeneratorExit (a BaseException there, for the same reason), CPython 3.13.
class GeneratorExit {};

namespace detail {

/// What `co_yield` gives: what was sent, if the generator is one that things are sent to.
template <class Sent>
struct SentValue {
    using Type = std::optional<Sent>;
    Type value;
    Type take() { return std::exchange(value, std::nullopt); }
};
template <>
struct SentValue<void> {
    using Type = void;
    void take() const {}
};

template <class T, class Sent>
class GeneratorPromise : public CoroPromiseBase {
public:
    class YieldAwaiter {
    public:
        explicit YieldAwaiter(GeneratorPromise& promise) : promise_(promise) {}
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<>) const noexcept { promise_.host->go_on_with(promise_.continuation); }
        typename SentValue<Sent>::Type await_resume() const {
            if (promise_.thrown != nullptr) {
                std::rethrow_exception(std::exchange(promise_.thrown, nullptr));
            }
            return promise_.sent.take();
        }

    private:
        GeneratorPromise& promise_;
    };

    AsyncGenerator<T, Sent> get_return_object();
    void return_void() const {}
    template <class U = T>
    YieldAwaiter yield_value(U&& value) {
        item.emplace(std::forward<U>(value));
        return YieldAwaiter(*this);
    }

    std::optional<T> item;  // yielded, and not taken yet
    SentValue<Sent> sent;
    std::exception_ptr thrown;  // to be thrown where the generator has yielded
};

template <class T, class Sent>
class GeneratorState final : public GeneratorBase {
public:
    using Promise = GeneratorPromise<T, Sent>;

    explicit GeneratorState(std::coroutine_handle<Promise> frame)
        : GeneratorBase(frame, frame.promise()), promise_(&frame.promise()) {}

    static Coro<std::optional<T>> next(std::shared_ptr<GeneratorState> self, SentValue<Sent> sent, Place place) {
        const Step step(*self, "AsyncGenerator.next", place);
        if (self->is_over()) {
            co_return std::nullopt;
        }
        if constexpr (!std::is_void_v<Sent>) {
            if (sent.value.has_value() && !self->has_begun()) {
                sent_to_unbegun();
            }
            self->promise_->sent = std::move(sent);
        }
        co_await self->resume();
        co_return self->take_item();
    }

    static Coro<std::optional<T>> athrow(std::shared_ptr<GeneratorState> self, std::exception_ptr exception, Place place) {
        const Step step(*self, "AsyncGenerator.athrow", place);
        if (self->is_over()) {
            co_return std::nullopt;
        }
        if (!self->has_begun()) {
            self->end();
            std::rethrow_exception(exception);
        }
        self->promise_->thrown = exception;
        co_await self->resume();
        co_return self->take_item();
    }

    static Coro<void> aclose(std::shared_ptr<GeneratorState> self, Place place) {
        const Step step(*self, "AsyncGenerator.aclose", place);
        if (self->is_over()) {
            co_return;
        }
        if (!self->has_begun()) {
            self->end();
            co_return;
        }
        self->promise_->thrown = std::make_exception_ptr(GeneratorExit());
        co_await self->resume();
        self->check_closed();
    }

    void close_here() override {
        await(aclose(std::static_pointer_cast<GeneratorState>(this->shared_from_this()), Place::here()));
    }

private:
    std::optional<T> take_item() {
        return has_yielded() ? std::exchange(promise_->item, std::nullopt) : std::nullopt;
    }
    void check_closed() {
        try {
            if (!has_yielded()) {
                return;
            }
        } catch (const GeneratorExit&) {
            return;
        }
        promise_->item.reset();
        ignored_generator_exit();
    }

    Promise* promise_;
};

}  // namespace detail

/// Yields items, and may wait in between: a coroutine with `co_yield` and `co_await` in it.
///
/// ```
/// AsyncGenerator<int> ticks(int count) {
///     for (int i = 0; i < count; ++i) {
///         co_await sleep(1s);
///         co_yield i;
///     }
/// }
/// for (int& tick : ticks(3)) { ... }                   // in a function: waits as it moves on
///
/// auto tick = co_await generator.next();               // in a coroutine
/// while (tick.has_value()) {
///     ...
///     tick = co_await generator.next();
/// }
/// ```
///
/// Items are moved through; one that can only be moved is welcome. One task at a time may ask for the next item. A
/// generator that is dropped before its end is destroyed where it is: destructors run, handlers of GeneratorExit do not,
/// and a note says so. `aclose` it, or let `aclosing` do that.
///
/// With a second argument things can be sent to it: `co_yield` gives `std::optional<Sent>`, empty after `next`.
///
/// Source:    asynchronous generators (PEP 525), CPython 3.13.
template <class T, class Sent>
class [[nodiscard]] AsyncGenerator {
public:
    using promise_type = detail::GeneratorPromise<T, Sent>;
    using Item = T;
    using Iterator = detail::NextIterator<AsyncGenerator, T>;

    AsyncGenerator() = default;
    explicit AsyncGenerator(std::coroutine_handle<promise_type> frame) : state_(std::make_shared<State>(frame)) {}
    AsyncGenerator(AsyncGenerator&&) noexcept = default;
    AsyncGenerator& operator=(AsyncGenerator&&) noexcept = default;

    /// Returns a coroutine that runs the generator to its next item and gives that, none at the end: `co_await` it, `await`
    /// it, make a task of it, give it to `wait_for`.
    ///
    /// Yields:    where the generator does.
    /// Cancelled: where the generator waits; one that does not catch that has ended.
    /// Order:     runs at once, in the task that awaits it.
    /// Throws:    what the generator throws, which has ended then; UsageError while another task runs it.
    /// Source:    anext(), agen.__anext__, CPython 3.13.
    Coro<std::optional<T>> next(Place place = Place::here()) { return State::next(state(), {}, place); }
    /// As `next`, in the current task.
    std::optional<T> next_here() { return await(next()); }

    /// As `next`; `co_yield` gives `value` in the generator. One that has not begun has no `co_yield` to give it.
    ///
    /// Throws:    as `next`; UsageError when it has not begun.
    /// Source:    agen.asend, CPython 3.13.
    template <class U = Sent>
        requires(!std::is_void_v<U>)
    Coro<std::optional<T>> asend(U value, Place place = Place::here()) {
        return State::next(state(), {std::optional<Sent>(std::move(value))}, place);
    }

    /// As `next`; `exception` is thrown where the generator has yielded. One that has not begun ends with it.
    ///
    /// Source:    agen.athrow, CPython 3.13.
    Coro<std::optional<T>> athrow(std::exception_ptr exception, Place place = Place::here()) {
        return State::athrow(state(), std::move(exception), place);
    }

    /// Returns a coroutine that ends the generator: throws GeneratorExit where it has yielded, and waits for what it does
    /// then. Nothing of one that has not begun is run. Calling it twice does nothing.
    ///
    /// Yields:    where the generator does as it ends.
    /// Cancelled: where the generator waits.
    /// Order:     runs at once, in the task that awaits it.
    /// Throws:    what the generator throws instead of GeneratorExit; UsageError while another task runs it, or when it
    ///            yields again.
    /// Source:    agen.aclose, CPython 3.13.
    Coro<void> aclose(Place place = Place::here()) { return State::aclose(state(), place); }

    /// Iterates, in a task: waits for the first item, and for each following one as the iterator moves on. Leaving the loop
    /// early leaves the generator where it is.
    Iterator begin() { return Iterator(*this); }
    std::default_sentinel_t end() const { return {}; }

    /// Returns whether a task is running it now.
    bool is_running() const { return state()->is_running(); }

private:
    using State = detail::GeneratorState<T, Sent>;

    const std::shared_ptr<State>& state() const {
        if (state_ == nullptr) {
            detail::empty_generator();
        }
        return state_;
    }
    std::shared_ptr<State> state_;
};

template <class T, class Sent>
AsyncGenerator<T, Sent> detail::GeneratorPromise<T, Sent>::get_return_object() {
    return AsyncGenerator<T, Sent>(std::coroutine_handle<GeneratorPromise>::from_promise(*this));
}

}  // namespace mishap
