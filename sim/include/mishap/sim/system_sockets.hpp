#pragma once

#include <mishap/sim/sockets.hpp>

namespace mishap {

/// Sockets and pipes of the operating system, to be used with `EpollSelector`. Calls that a signal interrupts are made again.
class SystemSockets final : public Sockets {
public:
    IoResult open(Family family, SocketKind kind) override;
    IoResult open_pair(int (&fds)[2]) override;
    IoResult open_pipe(int (&fds)[2]) override;
    IoResult close(int fd) override;
    IoResult bind(int fd, const Address& address) override;
    IoResult listen(int fd, int backlog) override;
    IoResult accept(int fd, Address* peer) override;
    IoResult connect(int fd, const Address& address) override;
    IoResult receive(int fd, std::span<std::byte> buffer) override;
    IoResult send(int fd, std::span<const std::byte> data) override;
    IoResult receive_from(int fd, std::span<std::byte> buffer, Address* from) override;
    IoResult send_to(int fd, std::span<const std::byte> data, const Address& address) override;
    IoResult shutdown(int fd, Half half) override;
    IoResult take_error(int fd) override;
    IoResult local_address(int fd, Address& address) override;
    IoResult peer_address(int fd, Address& address) override;
    IoResult set_option(int fd, SocketOption option, int value) override;
    IoResult get_option(int fd, SocketOption option) override;
    IoResult unlink(const Address& address) override;
};

}  // namespace mishap
