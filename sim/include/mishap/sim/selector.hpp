#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace mishap {

/// What to wait for on a descriptor; at least one of the two.
struct Interest {
    bool readable = false;
    bool writable = false;

    friend bool operator==(const Interest&, const Interest&) = default;
};

/// A descriptor on which something can be done now without waiting, limited to what was asked for.
///
/// A peer that has gone, and an error, are reported as all that was asked for: the next operation tells
/// which.
struct Ready {
    int fd = -1;
    std::uint64_t token = 0;
    bool readable = false;
    bool writable = false;

    friend bool operator==(const Ready&, const Ready&) = default;
};

/// Waits for descriptors to become ready; level triggered: what stays ready is reported again.
///
/// All functions but `wake_up` belong to the thread of the loop. Unregister a descriptor before it is closed.
class Selector {
public:
    Selector() = default;
    Selector(const Selector&) = delete;
    Selector& operator=(const Selector&) = delete;
    virtual ~Selector() = default;

    /// Begins to watch a descriptor; `token` comes back with every `Ready` of it.
    ///
    /// Throws:    UsageError if the descriptor is negative, not open, registered already or of a kind that
    /// cannot be waited
    ///            for, or if no interest is given.
    virtual void register_fd(int fd, Interest interest, std::uint64_t token) = 0;

    /// Replaces interest and token of a registered descriptor.
    ///
    /// Throws:    UsageError if the descriptor is not registered or was closed since, or if no interest is
    /// given.
    virtual void modify_fd(int fd, Interest interest, std::uint64_t token) = 0;

    /// Ends watching a descriptor.
    ///
    /// Throws:    UsageError if the descriptor is not registered, or was closed since; in the second case it
    /// is forgotten
    ///            nevertheless, so that its number can be registered again.
    virtual void unregister_fd(int fd) = 0;

    /// Replaces the content of `ready` by what is ready, waiting for at most `timeout`, without one until
    /// something is.
    ///
    /// Returns with nothing ready when the time is up, never before, and after `wake_up`. A timeout of zero
    /// or less only looks. The order is the simulation's or the system's own.
    virtual void select(std::optional<std::chrono::nanoseconds> timeout, std::vector<Ready>& ready) = 0;

    /// Ends the present `select`, or the next one if none is waiting. From any thread, and from a signal
    /// handler.
    virtual void wake_up() noexcept = 0;
};

}  // namespace mishap
