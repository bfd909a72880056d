#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <vector>

namespace mishap {
class EventLoop;
}

namespace mishap::detail {

/// Where other threads leave callbacks for a loop. It outlives the loop: a thread may come too late.
struct Inbox {
    std::mutex mutex;  // of threads of the operating system; simulated ones need none
    std::atomic<EventLoop*> loop{nullptr};  // null once it is closed; set under the lock
    std::vector<std::function<void()>> callbacks;  // left in the real world, not yet taken
};

/// Leaves a callback for the loop, from any thread, and wakes it; returns false when it is closed.
bool post(Inbox& inbox, std::function<void()> callback);

}  // namespace mishap::detail
