#pragma once

// What a scheduler of fibers knows of one: a place in its ready queue, and nothing of what the fiber waits
// for. Whoever is made ready twice goes on twice, the second time out of whatever it waits for by then.

#include <mishap/mishap.hpp>

namespace bugs {

/// The scheduler's side of one task.
class FiberHook {
public:
    /// Parks the task until it is made ready; at once if it was already.
    void park() {
        while (times_ready_ == 0) {
            resumed_ = mishap::get_running_loop().create_future<void>();
            mishap::await(resumed_);
        }
        --times_ready_;
    }
    /// Puts the task into the ready queue, once more if it is there.
    void make_ready() {
        ++times_ready_;
        if (resumed_.is_valid() && !resumed_.done()) {
            resumed_.set_result();
        }
    }

private:
    int times_ready_ = 0;
    mishap::Future<void> resumed_;
};

}  // namespace bugs
