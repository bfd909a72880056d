#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include <mishap/primitives/detail/primitive.hpp>

namespace mishap::detail {

/// What several futures are iterated with in the order in which they end, whatever their results.
///
/// Invariant: each future is given out once; a getter that is cancelled leaves its turn to the next.
///
/// Source:    _AsCompletedIterator, Lib/asyncio/tasks.py, CPython 3.13.
class AsCompletedState final : public Block, public Primitive {
public:
    /// `children` are without repetitions.
    AsCompletedState(EventLoop& loop, std::vector<Ref<FutureBase>> children);

    /// Begins to watch the children, and arms the timer.
    void watch(std::optional<std::chrono::nanoseconds> timeout);
    /// Forgets the children and the timer.
    void stop();
    /// Waits for the next child to end and returns its position; nothing if all were given out.
    ///
    /// Throws:    TimeoutError, once for each child that had not ended in time.
    std::optional<std::size_t> next(Place place);

    void explain(const WaitQueue& queue, WaitExplanation& explanation) const override;

private:
    static constexpr std::size_t timed_out = static_cast<std::size_t>(-1);

    void child_done(std::size_t index);
    void time_out();
    void put(std::size_t entry);
    bool has_entry() const { return first_ != done_.size(); }
    void wait_for_entry(Place place);

    EventLoop* loop_;
    std::vector<Ref<FutureBase>> children_;
    std::vector<Ref<HandleBase>> callbacks_;  // of the children, in their order; none once they count no more
    std::vector<std::size_t> done_;           // in the order in which they ended; given out up to `first_`
    std::size_t first_ = 0;
    std::size_t unfinished_;
    std::size_t left_;  // to be given out, those that somebody waits for excluded
    TimerHandle timer_;
    WaitQueue getters_{*this, WaitQueue::Wake::is_hint};
};

}  // namespace mishap::detail
