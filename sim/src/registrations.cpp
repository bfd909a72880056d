#include <mishap/sim/detail/registrations.hpp>

#include <string>

#include <mishap/sim/errors.hpp>

namespace mishap::detail {

namespace {

std::string name(int fd) { return "descriptor " + std::to_string(fd); }

void check_interest(int fd, Interest interest) {
    if (interest.readable || interest.writable) return;
    throw UsageError(name(fd) + ": no interest given; ask for readable, writable or both, or unregister it");
}

}  // namespace

void Registrations::check_new(int fd, Interest interest) const {
    if (fd < 0) throw UsageError(name(fd) + " cannot be registered: a descriptor is not negative");
    if (find(fd) != nullptr) {
        throw UsageError(name(fd) +
                         " is registered already; modify it, or unregister it first (before it is closed)");
    }
    check_interest(fd, interest);
}

Registrations::Registration& Registrations::get(int fd) {
    if (find(fd) == nullptr) throw UsageError(name(fd) + " is not registered; register it first");
    return by_fd_[static_cast<std::size_t>(fd)].registration;
}

Registrations::Registration& Registrations::get(int fd, Interest interest) {
    Registration& registration = get(fd);
    check_interest(fd, interest);
    return registration;
}

const Registrations::Registration* Registrations::find(int fd) const {
    if (fd < 0 || fd >= fd_end()) return nullptr;
    const Place& place = by_fd_[static_cast<std::size_t>(fd)];
    return place.used ? &place.registration : nullptr;
}

void Registrations::add(int fd, const Registration& registration) {
    const auto index = static_cast<std::size_t>(fd);
    if (index >= by_fd_.size()) by_fd_.resize(index + 1);
    by_fd_[index] = {true, registration};
}

void Registrations::remove(int fd) { by_fd_[static_cast<std::size_t>(fd)].used = false; }

void throw_closed_while_registered(int fd) {
    throw UsageError(name(fd) + " was closed while it was registered; unregister it before it is closed");
}

void throw_not_open(int fd) { throw UsageError(name(fd) + " is not open; register it while it is"); }

}  // namespace mishap::detail
