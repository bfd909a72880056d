#include <mishap/sim/epoll_selector.hpp>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <limits>
#include <string>
#include <system_error>

#include <mishap/sim/errors.hpp>
#include <mishap/sim/real_clock.hpp>

namespace mishap {

namespace {

using Nanoseconds = std::chrono::nanoseconds;

epoll_event make_event(int fd, Interest interest) {
    epoll_event event{};
    event.events = (interest.readable ? EPOLLIN : 0U) | (interest.writable ? EPOLLOUT : 0U);
    event.data.fd = fd;
    return event;
}

[[noreturn]] void throw_system_error(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

Nanoseconds now() { return Nanoseconds(detail::monotonic_now_ns()); }

}  // namespace

/// What is left over by a full array is reported by the next `select`: the kernel turns its list round.
struct EpollSelector::Events : std::array<epoll_event, 256> {};

EpollSelector::EpollSelector() : events_(std::make_unique<Events>()) {
    epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd_ < 0) throw_system_error("epoll_create1");
    wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    epoll_event event = make_event(wake_fd_, {.readable = true, .writable = false});
    if (wake_fd_ >= 0 && epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &event) == 0) return;
    const int error = errno;
    if (wake_fd_ >= 0) ::close(wake_fd_);
    ::close(epoll_fd_);
    errno = error;
    throw_system_error("eventfd");
}

EpollSelector::~EpollSelector() {
    ::close(wake_fd_);
    ::close(epoll_fd_);
}

void EpollSelector::register_fd(int fd, Interest interest, std::uint64_t token) {
    registrations_.check_new(fd, interest);
    registrations_.add(fd, {interest, token});
    epoll_event event = make_event(fd, interest);
    if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) == 0) return;
    registrations_.remove(fd);
    if (errno == EBADF) detail::throw_not_open(fd);
    if (errno == EEXIST) {
        throw UsageError("descriptor " + std::to_string(fd) +
                         " belongs to the selector itself or to a copy of it");
    }
    if (errno == EPERM) {
        throw UsageError(
            "descriptor " + std::to_string(fd) +
            " cannot be waited for, as it is always ready (a regular file?); read and write it directly");
    }
    throw_system_error("epoll_ctl, add");
}

void EpollSelector::modify_fd(int fd, Interest interest, std::uint64_t token) {
    auto& registration = registrations_.get(fd, interest);
    epoll_event event = make_event(fd, interest);
    if (epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event) == 0) {
        registration.interest = interest;
        registration.token = token;
        return;
    }
    if (errno == EBADF || errno == ENOENT) detail::throw_closed_while_registered(fd);
    throw_system_error("epoll_ctl, modify");
}

void EpollSelector::unregister_fd(int fd) {
    registrations_.get(fd);
    registrations_.remove(fd);
    if (epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr) == 0) return;
    // EBADF: the number is free. ENOENT: it is somebody else's by now.
    if (errno == EBADF || errno == ENOENT) detail::throw_closed_while_registered(fd);
    throw_system_error("epoll_ctl, remove");
}

void EpollSelector::select(std::optional<Nanoseconds> timeout, std::vector<Ready>& ready) {
    ready.clear();
    if (!timeout || *timeout <= Nanoseconds::zero()) {
        int count = wait(timeout);
        while (count < 0) count = wait(timeout);
        report(count, ready);
        return;
    }
    const Nanoseconds start = now();
    const Nanoseconds deadline = start + std::min(*timeout, Nanoseconds::max() - start);
    // Once more if a signal interrupted the wait, or if the system's timer and clock do not quite agree.
    for (Nanoseconds left = *timeout; left > Nanoseconds::zero(); left = deadline - now()) {
        const int count = wait(left);
        if (count <= 0) continue;
        report(count, ready);
        return;
    }
}

/// Waits once; returns the number of events, -1 if a signal came.
int EpollSelector::wait(std::optional<Nanoseconds> timeout) {
    const int count_max = static_cast<int>(events_->size());
    const Nanoseconds span = std::max(timeout.value_or(Nanoseconds::zero()), Nanoseconds::zero());
    int count = -1;
    if (has_nanoseconds_) {
        timespec spec{};
        spec.tv_sec = static_cast<std::time_t>(span.count() / 1'000'000'000);
        spec.tv_nsec = static_cast<long>(span.count() % 1'000'000'000);
        count = epoll_pwait2(epoll_fd_, events_->data(), count_max, timeout ? &spec : nullptr, nullptr);
        has_nanoseconds_ = count >= 0 || errno != ENOSYS;
    }
    if (!has_nanoseconds_) {
        const auto milliseconds = std::min<std::int64_t>(
            std::chrono::ceil<std::chrono::milliseconds>(span).count(), std::numeric_limits<int>::max());
        count =
            epoll_wait(epoll_fd_, events_->data(), count_max, timeout ? static_cast<int>(milliseconds) : -1);
    }
    if (count < 0 && errno != EINTR) throw_system_error("epoll_wait");
    return count;
}

void EpollSelector::report(int count, std::vector<Ready>& ready) {
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = (*events_)[static_cast<std::size_t>(i)];
        if (event.data.fd == wake_fd_) {
            std::uint64_t wake_ups = 0;
            // Fails only if there was nothing to take, which does no harm.
            [[maybe_unused]] const ssize_t size = ::read(wake_fd_, &wake_ups, sizeof wake_ups);
            continue;
        }
        // Missing only if a descriptor was closed and unregistered while a copy of it stays open: the kernel
        // watches on.
        const auto* registration = registrations_.find(event.data.fd);
        if (registration == nullptr) continue;
        const bool gone = (event.events & (EPOLLHUP | EPOLLERR)) != 0;
        const bool readable = registration->interest.readable && (gone || (event.events & EPOLLIN) != 0);
        const bool writable = registration->interest.writable && (gone || (event.events & EPOLLOUT) != 0);
        if (readable || writable) ready.push_back({event.data.fd, registration->token, readable, writable});
    }
}

void EpollSelector::wake_up() noexcept {
    const int error = errno;  // this may run in a signal handler
    const std::uint64_t one = 1;
    // Fails only if the counter is full, and then the selector wakes up anyway.
    [[maybe_unused]] const ssize_t size = ::write(wake_fd_, &one, sizeof one);
    errno = error;
}

}  // namespace mishap
