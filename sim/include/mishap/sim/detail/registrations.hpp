#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <mishap/sim/selector.hpp>

namespace mishap::detail {

/// Remembers what is registered with a selector, by descriptor, and says what is wrong with a request.
class Registrations {
public:
    struct Registration {
        Interest interest;
        std::uint64_t token = 0;
        std::uint64_t opened = 0;  // tells the fake selector two descriptors with the same number apart
    };

    /// Throws UsageError unless this descriptor could be added.
    void check_new(int fd, Interest interest) const;
    /// Throws UsageError unless this descriptor is registered; for changes also if the interest is empty.
    Registration& get(int fd);
    Registration& get(int fd, Interest interest);
    /// Returns nullptr if the descriptor is not registered.
    const Registration* find(int fd) const;
    void add(int fd, const Registration& registration);
    void remove(int fd);
    void clear() { by_fd_.clear(); }
    /// Returns a number above every registered descriptor.
    int fd_end() const { return static_cast<int>(by_fd_.size()); }

private:
    struct Place {
        bool used = false;
        Registration registration;
    };

    std::vector<Place> by_fd_;
};

/// Throws the UsageError for a descriptor that was closed while it was registered.
[[noreturn]] void throw_closed_while_registered(int fd);
/// Throws the UsageError for a descriptor that is not open.
[[noreturn]] void throw_not_open(int fd);

}  // namespace mishap::detail
