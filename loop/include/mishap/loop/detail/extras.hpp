#pragma once

// What few tasks and callbacks have: a context, a name given later. It lies in a table of the thread, so that those that
// have none pay with one bit.

#include <memory>
#include <string>

namespace mishap {
class Context;
}

namespace mishap::detail {

class Block;
class FutureBase;
class HandleBase;
class TaskBase;
struct ContextState;

/// Says that a variable has been set on this thread since nothing ran on it: that there may be something to inherit.
inline constinit thread_local bool contexts_in_use = false;

struct Extras {
    std::shared_ptr<ContextState> context;
    const std::string* name = nullptr;  // given by set_name
};

/// Returns the extras of a block that has some.
Extras& extras_of(const Block& block);
/// As above; makes them if need be.
Extras& make_extras(TaskBase& task);
Extras& make_extras(HandleBase& handle);
/// Forgets the extras of a block that is destroyed.
[[gnu::cold]] void drop_extras(const Block& block);

/// Gives a task or a callback the context named, or a copy of the current one.
[[gnu::cold]] void give_context(TaskBase& task, const mishap::Context* context);
[[gnu::cold]] void give_context(HandleBase& handle, const mishap::Context* context);

}  // namespace mishap::detail
