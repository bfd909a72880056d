#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <mishap/sim/place.hpp>
#include <mishap/sim/tracked.hpp>

namespace mishap {
class EventLoop;
}

namespace mishap::detail {

class TaskBase;
class HandleBase;
class Waitable;

/// An entry in the list of those who want to know of a future's end: a task that waits, or a callback.
struct Listener {
    Listener* next = nullptr;
    TaskBase* task = nullptr;
    HandleBase* handle = nullptr;
};

/// What a report says about a wait.
struct WaitExplanation {
    std::string what;                       // what is waited for, in words
    std::vector<const TaskBase*> holders;   // who could end the wait
    bool is_join = false;                   // it is the end of the holders
    bool is_available = false;              // it could be had now: whoever waits for it was forgotten
    bool is_signal = false;                 // it needs somebody to tell something, not to give something back
    std::uint64_t maker = 0;                // key of the task that made it, of plain futures
    std::string state;                      // of what is waited for, as its statistics() say it; empty: nothing to say
};

/// How an operation ends when a sweep lets it fail; see `EventLoop::park`.
enum class Failing : std::uint8_t {
    no,      // it cannot: it goes on waiting, or only ends cancelled
    here,    // the wait itself throws, because nothing is left to be cleaned up
    by_caller  // the wait ends cancelled; who catches that cleans up and throws
};

/// One level of what a task is doing, for await stacks: lives on the task's own stack.
struct AwaitFrame {
    const char* operation = "";
    Place place;
    AwaitFrame* outer = nullptr;
};

/// What a task can park on. Every primitive is built on this one way of waiting.
///
/// Invariant: once done it stays done, and its listeners have been scheduled in the order in which they came.
class Waitable : public Tracked {
public:
    enum class State : std::uint8_t { pending, cancelled, finished };

    State state() const { return state_; }
    bool is_done() const { return state_ != State::pending; }

    /// Asks what is waited for to end as cancelled; returns false when it is done already.
    virtual bool cancel(const std::string* message) = 0;
    virtual void explain(WaitExplanation& explanation) const = 0;
    /// Returns whether who waited gets a CancelledError from it, which a request of its own does not replace.
    virtual bool throws_cancelled() const { return state_ == State::cancelled; }

    void add_listener(Listener& listener) {
        listener.next = nullptr;
        (last_ != nullptr ? last_->next : first_) = &listener;
        last_ = &listener;
    }

    /// Takes back a listener that is still waiting; only a task that is given up does that.
    void remove_listener(Listener& listener);

protected:
    Waitable() = default;
    ~Waitable() = default;
    Waitable(const Waitable&) = delete;
    Waitable& operator=(const Waitable&) = delete;

    Listener* first_ = nullptr;
    Listener* last_ = nullptr;
    State state_ = State::pending;  // last, so that what derives from it can use the bytes behind
};

}  // namespace mishap::detail
