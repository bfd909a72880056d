#include <mishap/sim/system_sockets.hpp>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

namespace mishap {

namespace {

constexpr int open_flags = SOCK_NONBLOCK | SOCK_CLOEXEC;

/// Makes a system call again as long as signals interrupt it.
template <class Call>
IoResult retried(Call call) {
    for (;;) {
        const auto count = call();
        if (count >= 0) return {static_cast<std::int64_t>(count), 0};
        if (errno != EINTR) return IoResult::failed(errno);
    }
}

struct SystemAddress {
    sockaddr_storage storage{};
    socklen_t size = sizeof(sockaddr_storage);

    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
    template <class T>
    void set(const T& address, std::size_t bytes = sizeof(T)) {
        std::memcpy(&storage, &address, sizeof(T));
        size = static_cast<socklen_t>(bytes);
    }
    template <class T>
    T as() const {
        T address;
        std::memcpy(&address, &storage, sizeof(T));
        return address;
    }
};

/// Returns false if a path is too long for the system.
bool to_system(const Address& address, SystemAddress& result) {
    switch (address.family()) {
        case Family::ip4: {
            sockaddr_in ip4{};
            ip4.sin_family = AF_INET;
            ip4.sin_port = htons(address.port());
            std::memcpy(&ip4.sin_addr, address.bytes().data(), sizeof ip4.sin_addr);
            result.set(ip4);
            return true;
        }
        case Family::ip6: {
            sockaddr_in6 ip6{};
            ip6.sin6_family = AF_INET6;
            ip6.sin6_port = htons(address.port());
            std::memcpy(&ip6.sin6_addr, address.bytes().data(), sizeof ip6.sin6_addr);
            result.set(ip6);
            return true;
        }
        case Family::unix_path: break;
    }
    sockaddr_un path{};
    path.sun_family = AF_UNIX;
    if (address.path().size() >= sizeof path.sun_path) return false;
    std::copy(address.path().begin(), address.path().end(), path.sun_path);
    // A path that begins with a zero byte is a name outside the file system, and has no zero at its end.
    const bool is_abstract = !address.path().empty() && address.path()[0] == '\0';
    result.set(path, offsetof(sockaddr_un, sun_path) + address.path().size() + (is_abstract ? 0 : 1));
    return true;
}

Address from_system(const SystemAddress& address) {
    if (address.storage.ss_family == AF_INET) {
        const auto ip4 = address.as<sockaddr_in>();
        std::array<std::uint8_t, 4> bytes{};
        std::memcpy(bytes.data(), &ip4.sin_addr, bytes.size());
        return Address::ip4(bytes, ntohs(ip4.sin_port));
    }
    if (address.storage.ss_family == AF_INET6) {
        const auto ip6 = address.as<sockaddr_in6>();
        Address::Bytes bytes{};
        std::memcpy(bytes.data(), &ip6.sin6_addr, bytes.size());
        return Address::ip6(bytes, ntohs(ip6.sin6_port));
    }
    const auto path = address.as<sockaddr_un>();
    const std::size_t size = std::max(std::size_t{address.size}, offsetof(sockaddr_un, sun_path)) -
                             offsetof(sockaddr_un, sun_path);
    const bool is_abstract = size != 0 && path.sun_path[0] == '\0';
    return Address::unix_path({path.sun_path, is_abstract ? size : strnlen(path.sun_path, size)});
}

struct SystemOption {
    int level;
    int name;
};

SystemOption to_system(SocketOption option) {
    switch (option) {
        case SocketOption::reuse_address: return {SOL_SOCKET, SO_REUSEADDR};
        case SocketOption::reuse_port: return {SOL_SOCKET, SO_REUSEPORT};
        case SocketOption::broadcast: return {SOL_SOCKET, SO_BROADCAST};
        case SocketOption::keep_alive: return {SOL_SOCKET, SO_KEEPALIVE};
        case SocketOption::no_delay: return {IPPROTO_TCP, TCP_NODELAY};
        case SocketOption::ip6_only: return {IPPROTO_IPV6, IPV6_V6ONLY};
        case SocketOption::send_buffer_bytes: return {SOL_SOCKET, SO_SNDBUF};
        case SocketOption::receive_buffer_bytes: return {SOL_SOCKET, SO_RCVBUF};
        case SocketOption::reset_on_close: break;
    }
    return {SOL_SOCKET, SO_LINGER};
}

/// Writes to a pipe. For sockets there is MSG_NOSIGNAL; here a SIGPIPE has to be kept from this thread and taken away again.
IoResult write_without_signal(int fd, std::span<const std::byte> data) {
    sigset_t pipe_signal;
    sigset_t pending;
    sigset_t before;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigpending(&pending);
    const bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    const IoResult result = retried([&] { return ::write(fd, data.data(), data.size()); });
    if (result.error == EPIPE && !was_pending) {
        const timespec at_once{};
        while (sigtimedwait(&pipe_signal, nullptr, &at_once) < 0 && errno == EINTR) {
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return result;
}

}  // namespace

IoResult SystemSockets::open(Family family, SocketKind kind) {
    const int domain = family == Family::ip4 ? AF_INET : family == Family::ip6 ? AF_INET6 : AF_UNIX;
    const int type = kind == SocketKind::stream ? SOCK_STREAM : SOCK_DGRAM;
    return retried([&] { return ::socket(domain, type | open_flags, 0); });
}

IoResult SystemSockets::open_pair(int (&fds)[2]) {
    return retried([&] { return ::socketpair(AF_UNIX, SOCK_STREAM | open_flags, 0, fds); });
}

IoResult SystemSockets::open_pipe(int (&fds)[2]) {
    return retried([&] { return ::pipe2(fds, O_NONBLOCK | O_CLOEXEC); });
}

IoResult SystemSockets::close(int fd) {
    // Linux frees the number even when a signal interrupts; to close it again would close somebody else's.
    return ::close(fd) == 0 || errno == EINTR ? IoResult{} : IoResult::failed(errno);
}

IoResult SystemSockets::bind(int fd, const Address& address) {
    SystemAddress system;
    if (!to_system(address, system)) return IoResult::failed(ENAMETOOLONG);
    return retried([&] { return ::bind(fd, system.get(), system.size); });
}

IoResult SystemSockets::listen(int fd, int backlog) {
    return retried([&] { return ::listen(fd, backlog); });
}

IoResult SystemSockets::accept(int fd, Address* peer) {
    SystemAddress system;
    const IoResult result = retried([&] { return ::accept4(fd, system.get(), &system.size, open_flags); });
    if (result.is_ok() && peer != nullptr) *peer = from_system(system);
    return result;
}

IoResult SystemSockets::connect(int fd, const Address& address) {
    SystemAddress system;
    if (!to_system(address, system)) return IoResult::failed(ENAMETOOLONG);
    // Not made again: what was interrupted goes on by itself, as if it were in progress.
    if (::connect(fd, system.get(), system.size) == 0) return {};
    return IoResult::failed(errno == EINTR ? EINPROGRESS : errno);
}

IoResult SystemSockets::receive(int fd, std::span<std::byte> buffer) {
    return retried([&] { return ::read(fd, buffer.data(), buffer.size()); });
}

IoResult SystemSockets::send(int fd, std::span<const std::byte> data) {
    const IoResult result = retried([&] { return ::send(fd, data.data(), data.size(), MSG_NOSIGNAL); });
    return result.error == ENOTSOCK ? write_without_signal(fd, data) : result;
}

IoResult SystemSockets::receive_from(int fd, std::span<std::byte> buffer, Address* from) {
    SystemAddress system;
    const IoResult result = retried(
        [&] { return ::recvfrom(fd, buffer.data(), buffer.size(), 0, system.get(), &system.size); });
    if (result.is_ok() && from != nullptr) *from = from_system(system);
    return result;
}

IoResult SystemSockets::send_to(int fd, std::span<const std::byte> data, const Address& address) {
    SystemAddress system;
    if (!to_system(address, system)) return IoResult::failed(ENAMETOOLONG);
    return retried(
        [&] { return ::sendto(fd, data.data(), data.size(), MSG_NOSIGNAL, system.get(), system.size); });
}

IoResult SystemSockets::shutdown(int fd, Half half) {
    const int how = half == Half::receiving ? SHUT_RD : half == Half::sending ? SHUT_WR : SHUT_RDWR;
    return retried([&] { return ::shutdown(fd, how); });
}

IoResult SystemSockets::take_error(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    const IoResult result = retried([&] { return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size); });
    return result.is_ok() ? IoResult{error, 0} : result;
}

IoResult SystemSockets::local_address(int fd, Address& address) {
    SystemAddress system;
    const IoResult result = retried([&] { return ::getsockname(fd, system.get(), &system.size); });
    if (result.is_ok()) address = from_system(system);
    return result;
}

IoResult SystemSockets::peer_address(int fd, Address& address) {
    SystemAddress system;
    const IoResult result = retried([&] { return ::getpeername(fd, system.get(), &system.size); });
    if (result.is_ok()) address = from_system(system);
    return result;
}

IoResult SystemSockets::set_option(int fd, SocketOption option, int value) {
    const SystemOption system = to_system(option);
    if (option == SocketOption::reset_on_close) {
        struct linger linger {};
        linger.l_onoff = value != 0 ? 1 : 0;
        return retried([&] { return ::setsockopt(fd, system.level, system.name, &linger, sizeof linger); });
    }
    return retried([&] { return ::setsockopt(fd, system.level, system.name, &value, sizeof value); });
}

IoResult SystemSockets::get_option(int fd, SocketOption option) {
    const SystemOption system = to_system(option);
    if (option == SocketOption::reset_on_close) {
        struct linger linger {};
        socklen_t size = sizeof linger;
        const IoResult result = retried([&] { return ::getsockopt(fd, system.level, system.name, &linger, &size); });
        return result.is_ok() ? IoResult{linger.l_onoff != 0 && linger.l_linger == 0 ? 1 : 0, 0} : result;
    }
    int value = 0;
    socklen_t size = sizeof value;
    const IoResult result = retried([&] { return ::getsockopt(fd, system.level, system.name, &value, &size); });
    return result.is_ok() ? IoResult{value, 0} : result;
}

IoResult SystemSockets::unlink(const Address& address) {
    return retried([&] { return ::unlink(address.path().c_str()); });
}

}  // namespace mishap
