#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <mishap/sim/detail/registrations.hpp>
#include <mishap/sim/selector.hpp>

namespace mishap {

/// Waits for descriptors of the operating system with epoll; an eventfd among them serves `wake_up`.
///
/// Signals that interrupt a wait do not end it. Timeouts have the resolution of the system's timers where the
/// system has epoll_pwait2 (Linux 5.11), else milliseconds, rounded up. Throws std::system_error where the
/// system refuses for want of memory or descriptors.
class EpollSelector : public Selector {
public:
    EpollSelector();
    ~EpollSelector() override;

    void register_fd(int fd, Interest interest, std::uint64_t token) override;
    void modify_fd(int fd, Interest interest, std::uint64_t token) override;
    void unregister_fd(int fd) override;
    void select(std::optional<std::chrono::nanoseconds> timeout, std::vector<Ready>& ready) override;
    void wake_up() noexcept override;

private:
    int wait(std::optional<std::chrono::nanoseconds> timeout);
    void report(int count, std::vector<Ready>& ready);

    struct Events;  // keeps the system's header out of this one

    int epoll_fd_ = -1;
    int wake_fd_ = -1;
    bool has_nanoseconds_ = true;
    detail::Registrations registrations_;
    std::unique_ptr<Events> events_;
};

}  // namespace mishap
