#pragma once

// Values that follow the flow of a program instead of being passed on: a request's id, a deadline, a locale.
//
// Each task has a context, a copy of its creator's; each callback has a copy of that of whoever scheduled it. A copy is a
// pointer, as the values are never changed in place. A task that neither sets nor inherits anything has no context at all:
// contexts lie in a table beside the tasks, and a flag says whether there is anything to inherit.
//
// Source:    PEP 567; contextvars, CPython 3.13.

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mishap/loop/task.hpp>

namespace mishap {

class Context;

/// Says that a ContextVar has neither a value nor a default.
///
/// Source:    LookupError, as raised by contextvars.ContextVar.get.
class LookupError : public std::out_of_range {
public:
    using std::out_of_range::out_of_range;
};

namespace detail {

using ContextValue = std::shared_ptr<const void>;

/// What a context maps; a change makes a new one.
using ContextValues = std::vector<std::pair<std::uint64_t, ContextValue>>;

struct ContextState {
    std::shared_ptr<const ContextValues> values;  // null: none
    bool is_entered = false;                      // by Context::run

    const ContextValue* find(std::uint64_t variable) const;
    void put(std::uint64_t variable, ContextValue value);  // null: takes the variable out
};

using ContextPointer = std::shared_ptr<ContextState>;

/// Returns the context of what runs: of the task, the callback, or whoever is outside of both; makes it if need be.
ContextPointer& current_context();
/// As above, but returns null instead of making it.
const ContextState* peek_current_context();
[[noreturn]] void variable_without_value(const std::string& name);
std::uint64_t next_variable_id();

class TokenBase;

/// What variables of every type can do.
class ContextVarBase {
public:
    explicit ContextVarBase(std::string_view name) : id_(next_variable_id()), name_(name) {}
    ContextVarBase(const ContextVarBase&) = delete;
    ContextVarBase& operator=(const ContextVarBase&) = delete;

    const std::string& name() const { return name_; }
    std::uint64_t id() const { return id_; }

protected:
    ~ContextVarBase() = default;
    ContextValue find() const;
    TokenBase set_value(ContextValue value) const;
    void reset_value(TokenBase& token) const;

private:
    std::uint64_t id_;
    std::string name_;
};

/// What undoes a `set`, whatever the type.
class TokenBase {
public:
    TokenBase(ContextPointer context, std::uint64_t variable, ContextValue before)
        : context_(std::move(context)), variable_(variable), before_(std::move(before)) {}
    TokenBase(TokenBase&&) = default;
    TokenBase& operator=(TokenBase&&) = default;

protected:
    friend class ContextVarBase;
    ContextPointer context_;
    std::uint64_t variable_;
    ContextValue before_;  // null: there was none
    bool is_used_ = false;
};

/// Makes a context the current one of the running task or callback for as long as it lives.
class ContextScope {
public:
    explicit ContextScope(ContextPointer context);
    ~ContextScope();
    ContextScope(const ContextScope&) = delete;
    ContextScope& operator=(const ContextScope&) = delete;

private:
    ContextPointer other_;  // the entered one after construction is the one to come back to
};

}  // namespace detail

template <class T>
class ContextVar;

/// Undoes one `ContextVar::set`.
///
/// Source:    contextvars.Token, CPython 3.13.
template <class T>
class Token : private detail::TokenBase {
public:
    /// Returns the value before the `set`, if there was one.
    std::optional<T> old_value() const {
        return before_ != nullptr ? std::optional<T>(*static_cast<const T*>(before_.get())) : std::nullopt;
    }

private:
    friend class ContextVar<T>;
    explicit Token(detail::TokenBase base) : detail::TokenBase(std::move(base)) {}
};

/// A variable with a value of its own in every context. Made once, usually as a global, and used in many tasks.
///
/// Values are copied out, since several contexts share them.
///
/// Source:    contextvars.ContextVar, CPython 3.13.
template <class T>
class ContextVar : public detail::ContextVarBase {
public:
    explicit ContextVar(std::string_view name) : ContextVarBase(name) {}
    ContextVar(std::string_view name, T default_value) : ContextVarBase(name), default_(std::move(default_value)) {}

    /// Returns the value in the current context, else the default.
    ///
    /// Throws:    LookupError when there is neither.
    T get() const {
        if (const detail::ContextValue value = find()) {
            return *static_cast<const T*>(value.get());
        }
        if (!default_.has_value()) {
            detail::variable_without_value(name());
        }
        return *default_;
    }
    /// Returns the value in the current context, else `fallback`, whatever the default.
    T get(T fallback) const {
        const detail::ContextValue value = find();
        return value != nullptr ? *static_cast<const T*>(value.get()) : std::move(fallback);
    }
    /// Sets the value in the current context; tasks that were made before do not see it.
    Token<T> set(T value) const { return Token<T>(set_value(std::make_shared<const T>(std::move(value)))); }
    /// Puts things back to what they were before the `set` that gave `token`.
    ///
    /// Throws:    UsageError when the token was used before, or is of another variable or context.
    void reset(Token<T>& token) const { reset_value(token); }

private:
    std::optional<T> default_;
};

/// The values of all variables at one place of the program. Copies are handles to one context.
///
/// Source:    contextvars.Context, CPython 3.13.
class Context {
public:
    /// Makes an empty context.
    Context() : state_(std::make_shared<detail::ContextState>()) {}
    explicit Context(detail::ContextPointer state) : state_(std::move(state)) {}

    /// Calls `function()` in this context, and returns what it returns. It may wait: others do not see the context then.
    ///
    /// Throws:    UsageError when the context is entered already.
    template <class F>
    decltype(auto) run(F&& function) const {
        const Entry entry(state_);
        return std::forward<F>(function)();
    }
    /// Returns another context with the same values.
    Context copy() const;
    /// Returns how many variables have a value.
    std::size_t size() const { return state_->values != nullptr ? state_->values->size() : 0; }
    bool contains(const detail::ContextVarBase& variable) const { return state_->find(variable.id()) != nullptr; }
    /// Returns the value of `variable` here, if it has one; defaults do not count.
    template <class T>
    std::optional<T> get(const ContextVar<T>& variable) const {
        const detail::ContextValue* const value = state_->find(variable.id());
        return value != nullptr ? std::optional<T>(*static_cast<const T*>(value->get())) : std::nullopt;
    }

    const detail::ContextPointer& state() const { return state_; }
    friend bool operator==(const Context& a, const Context& b) { return a.state_ == b.state_; }

private:
    class Entry {
    public:
        explicit Entry(const detail::ContextPointer& context);
        ~Entry() { context_.is_entered = false; }
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;

    private:
        detail::ContextState& context_;
        detail::ContextScope scope_;
    };

    detail::ContextPointer state_;
};

template <class T>
Context Task<T>::get_context() const {
    return AnyTask(*this).get_context();
}

/// Returns a copy of the current context.
///
/// Source:    contextvars.copy_context, CPython 3.13.
Context copy_context();

}  // namespace mishap
