#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <mishap/primitives/detail/primitive.hpp>

namespace mishap {

/// Says that a barrier was reset while a task waited at it, or was aborted.
class BrokenBarrierError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Lets a fixed number of tasks wait for each other, again and again.
///
/// It *fills* until all parties are there, then *drains* until all of them have left; who comes while it drains, or while
/// those who were there leave after a `reset`, waits until it fills again.
///
/// Source:    asyncio.Barrier, CPython 3.13 (Lib/asyncio/locks.py).
class Barrier : public detail::Primitive {
public:
    enum class State : std::uint8_t { filling, draining, resetting, broken };

    /// What `statistics` returns.
    struct Statistics {
        State state = State::filling;
        std::size_t parties = 0;
        std::size_t inside = 0;   // parties that have come and not left
        std::size_t waiting = 0;  // tasks in `wait` that are parked, with those who come too early for the next round

        /// Returns the figures as asyncio's `repr` has them: "filling, waiters:1/3".
        std::string text() const;
    };

    /// Makes a barrier for `parties` tasks; `name` appears in reports.
    ///
    /// Throws:    UsageError when `parties` is less than 1 (asyncio: ValueError).
    explicit Barrier(std::ptrdiff_t parties, std::string_view name = {});

    /// Waits for the other parties and returns a number that no other party of the round has, from 0 to `parties() - 1`:
    /// that of the place the task took, the first that was free.
    ///
    /// Yields:    unless the task is the last to come.
    /// Cancelled: leaves its place to another party, unless the others came meanwhile.
    /// Order:     the last party goes on at once, the others in the order in which they began to wait.
    /// Throws:    CancelledError, BrokenBarrierError; UsageError outside a task, or when the barrier is destroyed
    ///            meanwhile.
    /// Source:    asyncio.Barrier.wait, CPython 3.13; there numbers may come twice after a cancellation (gh-155233).
    std::size_t wait(Place place = Place::here());

    /// What `async_with(barrier, [](std::size_t number) { ... })` does: entering is `wait`, and leaving nothing.
    std::size_t aenter() { return wait({}); }
    void aexit(const std::exception_ptr&) const {}

    /// Makes the barrier as new. Parties that wait, or have not left yet, get a BrokenBarrierError; who waited for its
    /// turn goes on waiting.
    void reset(Place place = Place::here());
    /// Breaks the barrier: who waits, or will, gets a BrokenBarrierError, until it is reset.
    void abort(Place place = Place::here());

    std::size_t parties() const { return parties_; }
    /// Returns how many parties wait for the others; 0 unless it is filling.
    std::size_t n_waiting() const;
    bool broken() const;
    /// Returns what a report says of it.
    Statistics statistics() const;

    void explain(const detail::WaitQueue& queue, detail::WaitExplanation& explanation) const override;

private:
    class Party;

    bool is_closed() const { return state_ == State::draining || state_ == State::resetting; }
    bool would_wait() const { return is_closed() || (state_ == State::filling && count_ + 1 < parties_); }
    void wait_for_change(EventLoop& loop, Place place, Party* party);
    std::size_t take_place();
    void leave(std::size_t place);
    Statistics count() const { return {state_, parties_, count_, waiters_.count()}; }

    State state_ = State::filling;
    std::size_t parties_;
    std::size_t count_ = 0;  // parties inside
    // Places whose parties were cancelled while the others still wait, the first of them last. Invariant: those that
    // are taken and these are 0, 1, 2, ... without a gap.
    std::vector<std::size_t> free_places_;
    detail::WaitQueue waiters_{*this, detail::WaitQueue::Wake::is_hint};
};

}  // namespace mishap
