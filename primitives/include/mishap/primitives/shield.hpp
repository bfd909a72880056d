#pragma once

#include <utility>

#include <mishap/primitives/detail/ensure_future.hpp>
#include <mishap/primitives/detail/shield_state.hpp>

namespace mishap {

/// Returns a future that ends as `awaitable` does, and whose cancellation does not reach it: `await(shield(task))`.
///
/// A coroutine or a function becomes a task. When who awaits the shield is cancelled, what is shielded goes on alone; if
/// it fails then and nobody else looks, its exception is reported as any that was never retrieved. When what is shielded
/// is cancelled itself, so is the future. A shield protects one await: a task that is cancelled goes on being cancelled.
///
/// Order:     who awaits the shield resumes one iteration after who awaits `awaitable`, as in asyncio.
/// Throws:    UsageError outside a running loop, or for a future of another loop.
/// Source:    asyncio.shield, CPython 3.13.
template <detail::Ensurable A>
auto shield(A&& awaitable) {
    EventLoop& loop = detail::running_loop("shield()");
    auto inner = detail::ensure_future(loop, std::forward<A>(awaitable));
    using Result = detail::AwaitResult<A>;
    if (inner.done()) {
        return inner;
    }
    auto* const state = loop.make_block<detail::ShieldState<Result>>(loop, inner.state());
    Future<Result> outer(state);
    state->watch();
    return outer;
}

}  // namespace mishap
