#pragma once

// Go's channels on simulated threads. All channels of a program share one monitor, so that a thread can wait
// on two.

#include <deque>
#include <mutex>
#include <optional>

#include "invariants.hpp"
#include "threads.hpp"

namespace bugs {

/// What the channels of one program share.
struct ChannelMonitor {
    mishap::Mutex mutex;
    mishap::CondVar changed;
};

/// A channel; without capacity, a sender waits until somebody receives.
template <class T>
class GoChannel {
public:
    explicit GoChannel(ChannelMonitor& monitor, std::size_t capacity = 0)
        : monitor_(monitor), capacity_(capacity) {}

    /// Sends, waiting for room. On a closed channel that is an error.
    void send(T item) {
        const std::lock_guard<mishap::Mutex> lock(monitor_.mutex);
        monitor_.changed.wait(monitor_.mutex, [&] { return is_closed_ || has_room(); });
        push(std::move(item));
    }
    /// Sends, or gives up when `done` is closed; returns whether it sent. When both are possible it sends.
    template <class U>
    bool send_unless(T item, const GoChannel<U>& done) {
        const std::lock_guard<mishap::Mutex> lock(monitor_.mutex);
        monitor_.changed.wait(monitor_.mutex, [&] { return is_closed_ || has_room() || done.is_closed_; });
        if (!has_room() && !is_closed_) {
            return false;
        }
        push(std::move(item));
        return true;
    }
    /// Receives; nothing when the channel is closed and empty.
    std::optional<T> receive() {
        const std::lock_guard<mishap::Mutex> lock(monitor_.mutex);
        return wait_and_pop([] { return false; });
    }
    /// Receives, or gives up when `done` is closed.
    template <class U>
    std::optional<T> receive_unless(const GoChannel<U>& done) {
        const std::lock_guard<mishap::Mutex> lock(monitor_.mutex);
        return wait_and_pop([&] { return done.is_closed_; });
    }
    void close() {
        const std::lock_guard<mishap::Mutex> lock(monitor_.mutex);
        is_closed_ = true;
        monitor_.changed.notify_all();
    }

private:
    template <class U>
    friend class GoChannel;

    bool has_room() const { return items_.size() < capacity_ + receivers_; }
    void push(T item) {
        claim(!is_closed_, Invariant::no_use_after_end);
        items_.push_back(std::move(item));
        monitor_.changed.notify_all();
    }
    template <class P>
    std::optional<T> wait_and_pop(P gives_up) {
        ++receivers_;
        monitor_.changed.notify_all();
        monitor_.changed.wait(monitor_.mutex, [&] { return !items_.empty() || is_closed_ || gives_up(); });
        --receivers_;
        std::optional<T> item;
        if (!items_.empty()) {
            item = std::move(items_.front());
            items_.pop_front();
            monitor_.changed.notify_all();
        }
        return item;
    }

    ChannelMonitor& monitor_;
    std::size_t capacity_;
    std::size_t receivers_ = 0;  // that wait, or have been served and not left yet
    std::deque<T> items_;
    bool is_closed_ = false;
};

/// Go's `chan struct{}`: what is sent or closed is a signal.
struct Signal {};
using SignalChannel = GoChannel<Signal>;

}  // namespace bugs
