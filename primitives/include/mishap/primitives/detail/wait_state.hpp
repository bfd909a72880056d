#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include <mishap/loop/detail/waiter.hpp>
#include <mishap/loop/handle.hpp>

namespace mishap {

/// What ends a `wait`: the first to end, the first to fail (a cancelled one does not count), or that all have ended.
enum class ReturnWhen : std::uint8_t { first_completed, first_exception, all_completed };

namespace detail {

/// One wait for several futures; it lives until the last of their callbacks is gone.
///
/// Each future has a callback that decides whether the wait is over, and then wakes who waits: two hops, as in asyncio.
///
/// Source:    _wait, Lib/asyncio/tasks.py, CPython 3.13.
class WaitState final : public Block, public Explainer {
public:
    /// `children` are without repetitions, and at least one.
    WaitState(TaskBase& waiting, std::vector<Ref<FutureBase>> children, ReturnWhen return_when);

    /// Parks the task that waits until the children have done what ends the wait, or `timeout` is over.
    void wait(std::optional<std::chrono::nanoseconds> timeout, const char* operation, Place place);
    void explain(WaitExplanation& explanation) const override;

private:
    void watch(std::optional<std::chrono::nanoseconds> timeout);
    void child_done(FutureBase& child);
    bool is_over(FutureBase& child) const;
    void release();
    void leave();

    EventLoop* loop_;
    std::vector<Ref<FutureBase>> children_;
    std::vector<Ref<HandleBase>> callbacks_;  // of the children, in their order
    Tracked cell_;                            // what the callbacks change
    TimerHandle timer_;
    Waiter* waiter_ = nullptr;  // while somebody waits
    std::size_t unfinished_;    // whose callback has not been called
    ReturnWhen return_when_;
};

/// Waits in the current task for some of `futures`, which are without repetitions and not empty.
void wait_for_some(const std::vector<FutureBase*>& futures, ReturnWhen return_when,
                   std::optional<std::chrono::nanoseconds> timeout, const char* operation, Place place);

}  // namespace detail
}  // namespace mishap
