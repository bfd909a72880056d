// asyncio.Task, bpo-34872, repaired in CPython 3.7.1.
//
// A cancelled task cancels what it waits for. The C implementation called the cancellation of a plain future even when
// the thing was a task, which overrides it: the future was cancelled, and the child ran on.

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-30",
                                    .upstream = "bpo-34872",
                                    .title = "Task: cancelling what is waited for does not reach a child",
                                    .invariant = Invariant::no_orphan,
                                    .pattern = Pattern::cancellation_swallowed});

/// A result to come whose cancellation is decided by what the caller believes it to be.
class PlainResult {
public:
    bool cancel() { return done_.cancel(); }
    const Future<void>& done() const { return done_; }

protected:
    Future<void> done_ = get_running_loop().create_future<void>();
};

/// A result to come whose cancellation is decided by what it is.
class VirtualResult {
public:
    virtual ~VirtualResult() = default;
    virtual bool cancel() { return done_.cancel(); }
    const Future<void>& done() const { return done_; }

protected:
    Future<void> done_ = get_running_loop().create_future<void>();
};

/// A result that a task works for: its cancellation ends the task, and that completes it.
template <class Result>
class Child : public Result {
public:
    template <class F>
    explicit Child(F function) : task_(create_task(function, {.name = "child"})) {
        task_.add_done_callback([done = this->done_](const Future<void>& task) {
            if (done.done()) {
                return;
            }
            if (task.cancelled()) {
                done.cancel();
            } else {
                done.set_result();
            }
        });
    }
    bool cancel() { return task_.cancel(); }

private:
    Task<void> task_;
};

/// Waits for `result`; a cancelled wait cancels it, and ends when it has.
template <class Result>
void wait_for_result(Result& result) {
    const auto waiter = get_running_loop().create_future<void>();
    result.done().add_done_callback([waiter](const Future<void>&) {
        if (!waiter.done()) {
            waiter.set_result();
        }
    });
    try {
        await(waiter);
    } catch (const CancelledError&) {
        result.cancel();
        if (!result.done().done()) {
            const auto ended = get_running_loop().create_future<void>();
            result.done().add_done_callback([ended](const Future<void>&) { ended.set_result(); });
            await(ended);
        }
        throw;
    }
}

template <class Result>
void stop_parent() {
    const auto children = std::make_shared<NoOrphan>();
    const auto parent = create_task(
        [children] {
            Child<Result> child([children] {
                const NoOrphan::Alive alive(*children);
                sleep(900ms);
            });
            wait_for_result<Result>(child);
        },
        {.name = "parent"});
    sleep(1s);
    parent.cancel();
    join(parent);
    children->check();
}

}  // namespace

MISHAP_SCENARIO("CPY-30/buggy", .timer_slack = 200ms) { stop_parent<PlainResult>(); }
MISHAP_SCENARIO("CPY-30/fixed", .timer_slack = 200ms) { stop_parent<VirtualResult>(); }
