#pragma once

// What programs on simulated threads share: roles that run at once, and a semaphore to block on.

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include <mishap/mishap.hpp>

namespace bugs {

/// What one thread does.
struct Role {
    std::string_view name;
    std::function<void()> body;
};

// Set by edited.cpp: this role begins after the next one instead of before it.
inline constexpr std::size_t no_role = ~std::size_t{0};
inline std::size_t swapped_role = no_role;
inline bool has_swapped = false;

/// Runs every role on a thread of its own and waits until all have ended.
inline void together(std::initializer_list<Role> roles) {
    std::vector<Role> order(roles);
    if (swapped_role < order.size() - 1) {
        std::swap(order[swapped_role], order[swapped_role + 1]);
        has_swapped = true;
    }
    std::vector<mishap::Thread> threads;
    for (const Role& role : order) {
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
