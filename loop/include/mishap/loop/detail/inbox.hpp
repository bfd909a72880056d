#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include <mishap/sim/tracked.hpp>

namespace mishap {
class EventLoop;
namespace concurrent::detail {
class FutureCore;
}
}

namespace mishap::detail {

/// Futures of other threads, by a number that grows.
using Promises = std::map<std::uint64_t, std::shared_ptr<concurrent::detail::FutureCore>>;

/// Where other threads leave callbacks for a loop. It outlives the loop: a thread may come too late.
struct Inbox {
    std::mutex mutex;  // of threads of the operating system; simulated ones need none
    std::atomic<EventLoop*> loop{nullptr};  // null once it is closed; set under the lock
    std::vector<std::function<void()>> callbacks;  // left in the real world, not yet taken
    Tracked cell;  // in a simulated world: what calls write, and what closing it writes
    Promises promises;
    std::uint64_t promises_made = 0;
    std::atomic<bool> is_interrupted{false};   // set by a signal handler, taken by the loop
    std::function<void()> on_interrupt = {};  // what the loop does then; of the loop's thread
};

/// Says, for as long as it lives, that a loop will complete a future of another thread. When the loop is closed before, the
/// future is cancelled: who waits for it would wait for ever.
class Promise {
public:
    Promise(std::shared_ptr<Inbox> inbox, std::shared_ptr<concurrent::detail::FutureCore> future);
    ~Promise();
    Promise(const Promise&) = delete;
    Promise& operator=(const Promise&) = delete;

private:
    std::shared_ptr<Inbox> inbox_;
    std::uint64_t number_ = 0;
};

/// Cancels the futures that a closed loop has left.
void break_promises(const Promises& promises);

/// Leaves a callback for the loop, from any thread, and wakes it; returns false when it is closed.
bool post(Inbox& inbox, std::function<void()> callback);

}  // namespace mishap::detail
