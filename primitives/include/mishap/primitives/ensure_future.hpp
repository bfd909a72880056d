#pragma once

#include <utility>

#include <mishap/primitives/detail/ensure_future.hpp>

namespace mishap {

/// Returns a task or future as it is, and makes a task of a coroutine, a function or another library's awaitable.
///
/// What is made gives a `Task`, what was given keeps its type.
///
/// Throws:    UsageError outside a running loop.
/// Source:    asyncio.ensure_future, CPython 3.13.
template <detail::Ensurable A>
auto ensure_future(A&& awaitable) {
    return detail::ensure_handle(detail::running_loop("ensure_future()"), std::forward<A>(awaitable));
}

}  // namespace mishap
