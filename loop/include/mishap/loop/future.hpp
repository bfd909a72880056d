#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mishap/loop/detail/ref.hpp>
#include <mishap/loop/detail/waitable.hpp>
#include <mishap/loop/errors.hpp>
#include <mishap/loop/handle.hpp>

namespace mishap {

class Context;
class EventLoop;

/// Names a context for as long as a call lasts; none says: a copy of the current one.
class ContextRef {
public:
    ContextRef() = default;
    ContextRef(const Context& context) : context_(&context) {}
    const Context* get() const { return context_; }

private:
    const Context* context_ = nullptr;
};

namespace detail {

/// The state that all futures share, whatever their result.
class FutureBase : public Block, public Waitable {
public:
    FutureBase(EventLoop& loop, void* value, bool is_task = false);
    ~FutureBase() override { report_unseen(); }

    bool cancel(const std::string* message) override;
    void explain(WaitExplanation& explanation) const override;
    bool throws_cancelled() const override;

    /// Ends the future, which is pending.
    void finish();
    /// As above; throws InvalidStateError when it is done.
    void finish_with(std::exception_ptr exception);
    void finish_cancelled(const std::string* message);

    /// Throws what a future that did not succeed has to say, and marks it as seen.
    void throw_unless_succeeded(const char* question);
    bool has_succeeded() const { return state_ == State::finished && exception_ == nullptr; }
    std::exception_ptr exception();  // as asyncio's `exception()`
    /// Returns the exception without counting as having looked at it.
    const std::exception_ptr& peek_exception() const { return exception_; }
    void mark_retrieved() { retrieved_ = true; }
    /// Makes it a fault, told in debug mode, if nobody ever looks at this task.
    void expect_attention() { retrieved_ = false; }

    void add_callback(HandleBase* handle);
    /// Takes a callback back; one that is scheduled already is still called, as in asyncio.
    void remove_callback(HandleBase& handle);
    /// Takes back every callback that calls `function`, and returns how many there were; see `HandleBase::calls`.
    std::size_t remove_callbacks(const void* type, const void* function);

    EventLoop& loop() const { return *loop_; }
    void* value() const { return value_; }
    const std::string* cancel_message() const { return cancel_message_; }
    /// Returns the message for one who looks. Of a task that ended with a CancelledError only the first to look gets it,
    /// as in CPython, where that error itself is handed on.
    const std::string* take_cancel_message();
    /// Returns the message that everybody gets, if there is one.
    const std::string* lasting_cancel_message() const { return is_message_for_one_ ? nullptr : cancel_message_; }
    bool is_task() const { return is_task_; }

protected:
    void identify();
    void schedule_listeners();
    /// Reports an exception that nobody looked at; called by the destructor of the class whose parts the report needs.
    void report_unseen() {
        if (!retrieved_) [[unlikely]] {
            report_never_retrieved();
        }
    }
    [[gnu::cold]] void report_never_retrieved();
    void check_pending(const char* operation) const;

    bool is_task_;
    bool retrieved_ = true;  // false once there is an exception that nobody looked at
    bool is_watched_ : 1 = false;          // somebody registered a callback
    bool is_message_for_one_ : 1 = false;  // these share a byte: there may be a million tasks
    bool is_message_taken_ : 1 = false;
    std::uint32_t task_number_ = 0;  // of nameless tasks: their default name (it lies here because there is room)
    EventLoop* loop_;
    void* value_;
    std::exception_ptr exception_;
    const std::string* cancel_message_ = nullptr;
    std::uint64_t maker_;  // key of the task that made it
    Lane lane_;
};

/// Holds a result.
template <class T>
struct Value {
    std::optional<T> value;
    template <class... A>
    void set(A&&... arguments) {
        value.emplace(std::forward<A>(arguments)...);
    }
};
template <>
struct Value<void> {
    void set() {}
};

template <class T>
class FutureState final : public FutureBase, public Value<T> {
public:
    explicit FutureState(EventLoop& loop) : FutureBase(loop, static_cast<Value<T>*>(this)) {}
};

}  // namespace detail

template <class T>
class Future;

namespace detail {

/// What futures of every type can do.
class AnyFuture {
public:
    AnyFuture() = default;
    explicit AnyFuture(FutureBase* state) : state_(state) {}

    /// Returns whether there is a future to speak of: not default-constructed.
    bool is_valid() const { return static_cast<bool>(state_); }
    bool done() const { return state_->is_done(); }
    bool cancelled() const { return state_->state() == Waitable::State::cancelled; }
    /// Returns what the future was cancelled with; empty when it was not, or with nothing.
    std::string cancel_message() const;
    /// Returns the exception that the future ended with, or null.
    ///
    /// Throws:    InvalidStateError while it is not done, CancelledError when it was cancelled.
    std::exception_ptr exception() const { return state_->exception(); }
    /// Asks for cancellation; returns false when the future is done already.
    bool cancel(std::string_view message = {}) const;
    /// Ends the future with an exception.
    ///
    /// Throws:    InvalidStateError when it is done.
    void set_exception(std::exception_ptr exception) const;
    EventLoop& get_loop() const { return state_->loop(); }

    FutureBase& state() const { return *state_; }
    friend bool operator==(const AnyFuture& a, const AnyFuture& b) { return a.state_ == b.state_; }

protected:
    Ref<FutureBase> state_;
};

}  // namespace detail

/// A result that is not there yet. Copies are handles to one future.
///
/// Belongs to the run that made it; use after that run is a UsageError.
///
/// Source:    asyncio.Future, CPython 3.13.
template <class T>
class Future : public detail::AnyFuture {
public:
    using AnyFuture::AnyFuture;

    /// Ends the future with a result.
    ///
    /// Throws:    InvalidStateError when it is done.
    template <class... A>
    void set_result(A&&... arguments) const;

    /// Returns the result; marks an exception as seen.
    ///
    /// Throws:    InvalidStateError while it is not done, CancelledError when it was cancelled, else its exception.
    std::add_lvalue_reference_t<const T> result() const;

    /// Calls `callback(Future<T>)` through the ready set once the future is done, in order of registration; never at once.
    ///
    /// It is called in `context`, else in a copy of the present one. Cancelling the handle takes this one callback back.
    template <class F>
    Handle add_done_callback(F&& callback, ContextRef context = {}) const;
    /// Takes back every callback that equals `callback` (function pointers, and types that can be compared), and returns how
    /// many there were. What is scheduled already is still called.
    template <class F>
    std::size_t remove_done_callback(const F& callback) const;
};

}  // namespace mishap
