#pragma once

// Tasks that wait in a line, as nearly every handmade primitive keeps them. What they wait for is their
// owner's business.

#include <algorithm>
#include <cstddef>
#include <deque>

#include <mishap/mishap.hpp>

namespace bugs {

/// A line of waiting tasks. A cancelled one leaves it; whether it passes on what it was woken for, its owner
/// decides.
class Waiters {
public:
    /// Waits until woken.
    void wait() { wait_as(mishap::get_running_loop().create_future<void>()); }

    /// As above, on a future that the caller keeps to look at later.
    void wait_as(const mishap::Future<void>& woken) {
        line_.push_back(woken);
        try {
            mishap::await(woken);
        } catch (const mishap::CancelledError&) {
            std::erase(line_, woken);
            throw;
        }
    }

    /// Wakes whoever has waited longest; returns whether there was one.
    bool wake_one() {
        while (!line_.empty()) {
            const mishap::Future<void> first = line_.front();
            line_.pop_front();
            if (!first.done()) {
                first.set_result();
                return true;
            }
        }
        return false;
    }
    void wake_all() {
        while (wake_one()) {
        }
    }

    bool empty() const { return line_.empty(); }
    std::size_t size() const { return line_.size(); }

private:
    std::deque<mishap::Future<void>> line_;
};

}  // namespace bugs
