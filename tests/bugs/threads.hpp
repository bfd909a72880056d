#pragma once

// What programs on simulated threads share: roles that run at once, and a semaphore to block on.

#include <functional>
#include <initializer_list>
#include <mutex>
#include <string_view>
#include <vector>

#include <mishap/mishap.hpp>

namespace bugs {

/// What one thread does.
struct Role {
    std::string_view name;
    std::function<void()> body;
};

/// Runs every role on a thread of its own and waits until all have ended.
inline void together(std::initializer_list<Role> roles) {
    std::vector<mishap::Thread> threads;
    for (const Role& role : roles) {
        threads.emplace_back(role.body, mishap::ThreadOptions{.name = role.name});
    }
    mishap::join_all(threads);
}

/// A semaphore for threads.
class ThreadSemaphore {
public:
    explicit ThreadSemaphore(int permits = 0) : permits_(permits) {}

    void acquire() {
        const std::lock_guard<mishap::Mutex> lock(mutex_);
        released_.wait(mutex_, [&] { return permits_ > 0; });
        --permits_;
    }
    void release() {
        const std::lock_guard<mishap::Mutex> lock(mutex_);
        ++permits_;
        released_.notify_one();
    }

private:
    mishap::Mutex mutex_;
    mishap::CondVar released_;
    int permits_;
};

}  // namespace bugs
