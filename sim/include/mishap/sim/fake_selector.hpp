#pragma once

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include <mishap/sim/detail/number_set.hpp>
#include <mishap/sim/detail/registrations.hpp>
#include <mishap/sim/selector.hpp>

namespace mishap {

namespace detail {

/// Says that a simulation was asked to wait for something that nothing in it can bring about.
struct WouldWaitForEver : std::logic_error {
    WouldWaitForEver()
        : std::logic_error("a fake selector was asked to wait without timeout, with nothing ready") {}
};

}  // namespace detail

/// Simulates a selector and the descriptors it watches. It never waits: time passes in the virtual clock
/// only.
///
/// As in an operating system, a new descriptor gets the lowest free number, so the number of a closed one is
/// soon somebody else's. Numbers begin at 3, after the standard streams.
///
/// Readiness is pushed: who simulates a descriptor says what can be done on it, and `select` costs what is
/// ready, however many descriptors are open and idle.
class FakeSelector : public Selector {
public:
    /// Opens a virtual descriptor, neither readable nor writable yet.
    int open();
    /// Closes an open descriptor. Its registration, if it was not ended before, never becomes ready again.
    void close(int fd);
    /// Sets what can be done on an open descriptor from now on.
    void set_readable(int fd, bool readable);
    void set_writable(int fd, bool writable);
    /// Closes and unregisters everything; keeps the memory.
    void reset();

    void register_fd(int fd, Interest interest, std::uint64_t token) override;
    void modify_fd(int fd, Interest interest, std::uint64_t token) override;
    void unregister_fd(int fd) override;
    /// Looks and returns at once, whatever the timeout. Descriptors are in ascending order.
    ///
    /// Throws:    detail::WouldWaitForEver without a timeout when nothing is ready and nobody called
    /// `wake_up`.
    void select(std::optional<std::chrono::nanoseconds> timeout, std::vector<Ready>& ready) override;
    void wake_up() noexcept override { woken_.store(true); }

private:
    struct Descriptor {
        std::uint64_t opened = 0;  // the how-manieth to be opened; 0 while closed
        bool readable = false;
        bool writable = false;
    };

    bool is_open(int fd) const;
    Descriptor& get_open(int fd);
    bool was_closed(int fd, const detail::Registrations::Registration& registration) const;
    /// Returns what would be reported of a descriptor now; of one that is not ready, neither.
    Ready look(int fd) const;
    void update(int fd);

    detail::Registrations registrations_;
    std::vector<Descriptor> descriptors_;
    detail::NumberSet free_;   // closed numbers below the size of descriptors_
    detail::NumberSet ready_;  // Invariant: those of which `look` tells something
    std::uint64_t opened_ = 0;
    std::atomic<bool> woken_ = false;
};

}  // namespace mishap
