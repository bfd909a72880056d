#include <mishap/sim/epoll_selector.hpp>

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <thread>

#include <mishap/sim/errors.hpp>
#include <mishap/sim/real_clock.hpp>

#include "support/catch.hpp"

using namespace mishap;
using namespace std::chrono_literals;

TEST_CASE("another thread can end a select that waits", "[real]") {
    EpollSelector selector;
    std::thread other([&selector] { selector.wake_up(); });
    std::vector<Ready> ready;
    selector.select(std::nullopt, ready);
    REQUIRE(ready.empty());
    other.join();
}

TEST_CASE("a select with a timeout does not return before the time is up", "[real]") {
    EpollSelector selector;
    std::vector<Ready> ready;
    for (const std::chrono::nanoseconds timeout : {1ns, 20'000ns, 300'000ns, 1'100'000ns}) {
        const std::int64_t start = detail::monotonic_now_ns();
        selector.select(timeout, ready);
        REQUIRE(detail::monotonic_now_ns() - start >= timeout.count());
        REQUIRE(ready.empty());
    }
}

TEST_CASE("signals do not end a select", "[real]") {
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = [](int) {};
    REQUIRE(sigaction(SIGUSR1, &action, &before) == 0);
    EpollSelector selector;
    std::array<int, 2> fds{};
    REQUIRE(::pipe(fds.data()) == 0);
    selector.register_fd(fds[0], {.readable = true, .writable = false}, 1);
    const pthread_t waiting = pthread_self();
    std::thread other([&] {
        for (int i = 0; i < 100; ++i) pthread_kill(waiting, SIGUSR1);
        static_cast<void>(::write(fds[1], "x", 1));
    });
    std::vector<Ready> ready;
    selector.select(std::nullopt, ready);
    REQUIRE(ready.size() == 1);
    other.join();
    REQUIRE(sigaction(SIGUSR1, &before, nullptr) == 0);
    ::close(fds[0]);
    ::close(fds[1]);
}

TEST_CASE("a peer that has gone is reported as whatever was asked for", "[real]") {
    EpollSelector selector;
    std::array<int, 2> fds{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds.data()) == 0);
    ::close(fds[1]);
    std::vector<Ready> ready;
    selector.register_fd(fds[0], {.readable = true, .writable = false}, 1);
    selector.select(std::nullopt, ready);
    REQUIRE(ready == std::vector<Ready>{{fds[0], 1, true, false}});
    selector.modify_fd(fds[0], {.readable = false, .writable = true}, 1);
    selector.select(std::nullopt, ready);
    REQUIRE(ready == std::vector<Ready>{{fds[0], 1, false, true}});
    ::close(fds[0]);
}

TEST_CASE("more ready descriptors than one system call reports are all reported in time", "[real]") {
    EpollSelector selector;
    std::vector<std::array<int, 2>> pipes(300);
    for (auto& fds : pipes) {
        REQUIRE(::pipe(fds.data()) == 0);
        selector.register_fd(fds[1], {.readable = false, .writable = true},
                             static_cast<std::uint64_t>(fds[1]));
    }
    std::size_t reported = 0;
    std::vector<Ready> ready;
    for (int i = 0; i < 10 && reported < pipes.size(); ++i) {
        selector.select(0ns, ready);
        for (const Ready& one : ready) selector.unregister_fd(one.fd);
        reported += ready.size();
    }
    REQUIRE(reported == pipes.size());
    for (const auto& fds : pipes) {
        ::close(fds[0]);
        ::close(fds[1]);
    }
}

TEST_CASE("a regular file cannot be registered, and the error says what to do", "[real]") {
    EpollSelector selector;
    const int fd = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    REQUIRE(fd >= 0);
    REQUIRE_THROWS_WITH(selector.register_fd(fd, {.readable = true, .writable = false}, 1),
                        Catch::Contains("always ready"));
    REQUIRE_THROWS_AS(selector.unregister_fd(fd), UsageError);
    ::close(fd);
}
