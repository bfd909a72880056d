#pragma once

#include <mishap/loop/detail/entity.hpp>
#include <mishap/loop/detail/extras.hpp>
#include <mishap/loop/detail/ref.hpp>
#include <mishap/loop/detail/timer_queue.hpp>
#include <mishap/loop/detail/waitable.hpp>
#include <mishap/sim/virtual_clock.hpp>

namespace mishap {

class Context;

namespace detail {

/// A scheduled callback. It belongs to one lane from the moment it is scheduled.
class HandleBase : public Block, public Ready, public Listener {
public:
    ~HandleBase() override {
        if (has_extras) [[unlikely]] {
            drop_extras(*this);
        }
    }
    virtual void invoke() = 0;
    /// Returns whether this is a done callback that calls `function`, whose type is told by the address `type`.
    virtual bool calls([[maybe_unused]] const void* type, [[maybe_unused]] const void* function) const { return false; }

    Lane* lane = nullptr;
    HandleBase* next_in_lane = nullptr;
    EventLoop* loop = nullptr;
    Ref<Block> lane_owner;  // keeps the lane alive while the callback is scheduled
    bool is_cancelled = false;
    bool is_scheduled = false;
    bool has_extras = false;
    TimerId timer;
    std::int64_t when_ns = -1;  // deadline, of timers
    Lane own_lane;              // of timers: each is an entity of its own
    Tracked cell;               // what scheduling, calling and cancelling touch
};

}  // namespace detail

/// Names a scheduled callback, to cancel it.
///
/// Source:    asyncio.Handle.
class Handle {
public:
    Handle() = default;
    explicit Handle(detail::HandleBase* handle) : handle_(handle) {}

    /// Returns whether there is a callback to speak of: not default-constructed.
    bool is_valid() const { return static_cast<bool>(handle_); }

    /// Keeps the callback from being called, also when it is ready already. Calling it twice does nothing.
    void cancel();
    bool cancelled() const;
    /// Returns the context in which the callback is called.
    Context get_context() const;

protected:
    detail::Ref<detail::HandleBase> handle_;
};

/// Names a callback with a deadline.
///
/// Source:    asyncio.TimerHandle.
class TimerHandle : public Handle {
public:
    using Handle::Handle;
    /// Returns the deadline.
    VirtualTime when() const;
};

}  // namespace mishap
