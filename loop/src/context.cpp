#include <mishap/loop/context.hpp>

#include <algorithm>
#include <atomic>

#include <boost/unordered/unordered_flat_map.hpp>
#include <fmt/format.h>
#include <mishap/loop/detail/extras.hpp>
#include <mishap/loop/detail/immortal.hpp>
#include <mishap/loop/event_loop.hpp>

namespace mishap {
namespace detail {

namespace {

/// The extras of all blocks of this thread; looked up only. Never destroyed: blocks may live longer.
auto& extras_of_thread() {
    static thread_local auto* const extras =
        make_immortal<boost::unordered_flat_map<const Block*, std::unique_ptr<Extras>>>();
    return *extras;
}

/// The context of this thread where neither a task nor a callback runs.
ContextPointer& outside_context() {
    static thread_local ContextPointer context;
    return context;
}

}  // namespace

Extras& extras_of(const Block& block) { return *extras_of_thread().find(&block)->second; }

template <class B>
Extras& make_extras_of(B& block) {
    if (!block.has_extras) {
        extras_of_thread()[&block] = std::make_unique<Extras>();
        block.has_extras = true;
    }
    return extras_of(block);
}

Extras& make_extras(TaskBase& task) { return make_extras_of(task); }
Extras& make_extras(HandleBase& handle) { return make_extras_of(handle); }

void drop_extras(const Block& block) {
    const auto place = extras_of_thread().find(&block);
    const std::unique_ptr<Extras> kept = std::move(place->second);  // what is destroyed with it may come back here
    extras_of_thread().erase(place);
}

template <class B>
void give_context_to(B& block, const mishap::Context* context) {
    if (context != nullptr) {
        contexts_in_use = true;
        make_extras(block).context = context->state();
    } else if (const ContextState* const current = peek_current_context(); current != nullptr && current->values != nullptr) {
        make_extras(block).context = std::make_shared<ContextState>(ContextState{current->values});
    }
}

void give_context(TaskBase& task, const mishap::Context* context) { give_context_to(task, context); }
void give_context(HandleBase& handle, const mishap::Context* context) { give_context_to(handle, context); }

ContextPointer& current_context() {
    const EventLoop* const loop = current_loop;
    ContextPointer* place = &outside_context();
    if (loop != nullptr && loop->current_task() != nullptr) {
        place = &make_extras(*loop->current_task()).context;
    } else if (loop != nullptr && loop->current_handle() != nullptr) {
        place = &make_extras(*loop->current_handle()).context;
    }
    if (*place == nullptr) {
        *place = std::make_shared<ContextState>();
    }
    return *place;
}

const ContextState* peek_current_context() {
    const EventLoop* const loop = current_loop;
    if (loop != nullptr && loop->current_task() != nullptr) {
        return loop->current_task()->has_extras ? extras_of(*loop->current_task()).context.get() : nullptr;
    }
    if (loop != nullptr && loop->current_handle() != nullptr) {
        return loop->current_handle()->has_extras ? extras_of(*loop->current_handle()).context.get() : nullptr;
    }
    return outside_context().get();
}

const ContextValue* ContextState::find(std::uint64_t variable) const {
    if (values == nullptr) {
        return nullptr;
    }
    const auto at = std::find_if(values->begin(), values->end(), [&](const auto& entry) { return entry.first == variable; });
    return at != values->end() ? &at->second : nullptr;
}

void ContextState::put(std::uint64_t variable, ContextValue value) {
    auto changed = values != nullptr ? std::make_shared<ContextValues>(*values) : std::make_shared<ContextValues>();
    const auto at = std::find_if(changed->begin(), changed->end(), [&](const auto& entry) { return entry.first == variable; });
    if (value == nullptr) {
        if (at != changed->end()) {
            changed->erase(at);
        }
    } else if (at != changed->end()) {
        at->second = std::move(value);
    } else {
        changed->emplace_back(variable, std::move(value));
    }
    values = std::move(changed);
}

void variable_without_value(const std::string& name) {
    throw LookupError(fmt::format("the context variable {} has neither a value here nor a default", name));
}

std::uint64_t next_variable_id() {
    static std::atomic<std::uint64_t> last{0};  // it names a variable and decides nothing
    return ++last;
}

ContextValue ContextVarBase::find() const {
    const ContextState* const context = peek_current_context();
    const ContextValue* const value = context != nullptr ? context->find(id_) : nullptr;
    return value != nullptr ? *value : nullptr;
}

TokenBase ContextVarBase::set_value(ContextValue value) const {
    contexts_in_use = true;
    const ContextPointer context = current_context();
    TokenBase token(context, id_, find());
    context->put(id_, std::move(value));
    return token;
}

void ContextVarBase::reset_value(TokenBase& token) const {
    if (token.is_used_) {
        throw UsageError(fmt::format("the token of {} was used already; each `set` can be undone once", name_));
    }
    if (token.variable_ != id_) {
        throw UsageError(fmt::format("{} was reset with a token of another variable", name_));
    }
    if (token.context_ != current_context()) {
        throw UsageError(fmt::format("{} was reset in another context than it was set in; do both in one task", name_));
    }
    token.is_used_ = true;
    token.context_->put(id_, token.before_);
}

ContextScope::ContextScope(ContextPointer context) : other_(std::move(context)) {
    contexts_in_use = true;
    other_.swap(current_context());
}

ContextScope::~ContextScope() { other_.swap(current_context()); }

}  // namespace detail

Context::Entry::Entry(const detail::ContextPointer& context)
    : context_(context->is_entered || context.get() == detail::peek_current_context()
                   ? throw UsageError("a context was entered that is entered already; run the function in a copy() of it")
                   : *context),
      scope_(context) {
    context_.is_entered = true;
}

Context Context::copy() const { return Context(std::make_shared<detail::ContextState>(detail::ContextState{state_->values})); }

Context copy_context() {
    const detail::ContextState* const current = detail::peek_current_context();
    return current != nullptr ? Context(std::make_shared<detail::ContextState>(detail::ContextState{current->values})) : Context();
}

Context Handle::get_context() const {
    return handle_->has_extras && detail::extras_of(*handle_).context != nullptr ? Context(detail::extras_of(*handle_).context)
                                                                                 : Context();
}

Context AnyTask::get_context() const {
    detail::ContextPointer& context = detail::make_extras(task_state()).context;
    if (context == nullptr) {
        context = std::make_shared<detail::ContextState>();
    }
    return Context(context);
}

}  // namespace mishap
