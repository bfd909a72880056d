// What can be called on a descriptor, and who does it.
#include <algorithm>
#include <cerrno>
#include <utility>

#include <mishap/sim/network.hpp>
#include <mishap/sim/world.hpp>

namespace mishap {

namespace {

constexpr std::size_t pipe_bytes = 65'536;       // Linux, pipe(7)
constexpr std::size_t local_bytes = 208 * 1024;  // Linux, net.core.wmem_default

}  // namespace

IoResult Network::open(Family family, SocketKind kind) {
    const bool is_stream = kind == SocketKind::stream;
    if (family == Family::unix_path && !is_stream) return IoResult::failed(EPROTONOSUPPORT);
    const int fd = make_socket(is_stream ? Socket::Use::stream : Socket::Use::datagram, family);
    update(fd);
    return {fd, 0};
}

IoResult Network::open_pair(int (&fds)[2]) {
    for (int& fd : fds) fd = make_socket(Socket::Use::stream, Family::unix_path);
    join(fds[0], fds[1], Connection::Kind::local, local_bytes);
    return {};
}

IoResult Network::open_pipe(int (&fds)[2]) {
    fds[0] = make_socket(Socket::Use::pipe_read, Family::unix_path);
    fds[1] = make_socket(Socket::Use::pipe_write, Family::unix_path);
    join(fds[1], fds[0], Connection::Kind::pipe, pipe_bytes);
    return {};
}

IoResult Network::close(int fd) {
    Socket* const socket = find(fd);
    if (socket == nullptr) return IoResult::failed(EBADF);
    touch(descriptors_, Access::update, "close");
    touch(socket->cell, Access::write, "close");
    if (socket->use == Socket::Use::datagram) {
        for (; !socket->queue.empty(); socket->queue.pop()) free_packet(socket->queue.front());
    } else if (socket->state == Socket::State::listening) {
        close_listener(*socket);
    } else if (socket->state == Socket::State::connecting) {
        free_connection(socket->connection);
    } else if (socket->state == Socket::State::connected) {
        for (detail::Flow& flow : connections_[socket->connection].flows) touch(flow.cell, Access::write, "close");
        leave_to_connection(*socket);
        close_side(socket->connection, socket->side, socket->option(SocketOption::reset_on_close) != 0);
    }
    release(*socket);
    drop_descriptor(fd);
    return {};
}

IoResult Network::receive(int fd, std::span<std::byte> buffer) {
    Socket* const socket = find(fd);
    if (socket == nullptr || socket->use == Socket::Use::pipe_write) return IoResult::failed(EBADF);
    if (socket->use == Socket::Use::datagram) return receive_datagram(fd, buffer, nullptr);
    return receive_stream(*socket, buffer);
}

IoResult Network::send(int fd, std::span<const std::byte> data) {
    Socket* const socket = find(fd);
    if (socket == nullptr || socket->use == Socket::Use::pipe_read) return IoResult::failed(EBADF);
    if (socket->use == Socket::Use::datagram) return send_datagram(fd, data, nullptr);
    return send_stream(*socket, data);
}

IoResult Network::receive_from(int fd, std::span<std::byte> buffer, Address* from) {
    IoResult failure;
    Socket* const socket = find_socket(fd, failure);
    if (socket == nullptr) return failure;
    if (socket->use == Socket::Use::datagram) return receive_datagram(fd, buffer, from);
    if (from != nullptr) *from = socket->peer;
    return receive_stream(*socket, buffer);
}

IoResult Network::send_to(int fd, std::span<const std::byte> data, const Address& address) {
    IoResult failure;
    Socket* const socket = find_socket(fd, failure);
    if (socket == nullptr) return failure;
    if (socket->use == Socket::Use::datagram) return send_datagram(fd, data, &address);
    return socket->state == Socket::State::connected ? IoResult::failed(EISCONN) : send_stream(*socket, data);
}

IoResult Network::shutdown(int fd, Half half) {
    IoResult failure;
    Socket* const socket = find_socket(fd, failure);
    if (socket == nullptr) return failure;
    const bool is_connected = socket->state == Socket::State::connected;
    touch(socket->cell, Access::write, "shutdown");
    if (socket->use == Socket::Use::stream) {
        return is_connected ? shutdown_stream(*socket, half) : IoResult::failed(ENOTCONN);
    }
    // Of datagrams Linux stops sending although it says that there is no connection, and reports the socket readable although
    // reading goes on saying that nothing has arrived.
    socket->stopped_reading = socket->stopped_reading || half != Half::sending;
    socket->stopped_sending = socket->stopped_sending || half != Half::receiving;
    update(fd);
    return is_connected ? IoResult{} : IoResult::failed(ENOTCONN);
}

IoResult Network::take_error(int fd) {
    IoResult failure;
    Socket* const socket = find_socket(fd, failure);
    if (socket == nullptr) return failure;
    int* error = &socket->error;
    if (socket->use == Socket::Use::stream && socket->state == Socket::State::connected) {
        error = &connections_[socket->connection].sides[socket->side].error;
    }
    touch(socket->cell, *error != 0 ? Access::write : Access::read, "take_error");
    const int taken = std::exchange(*error, 0);
    update(fd);
    return {taken, 0};
}

IoResult Network::local_address(int fd, Address& address) {
    IoResult failure;
    const Socket* const socket = find_socket(fd, failure);
    if (socket != nullptr) address = socket->local;
    return failure;
}

IoResult Network::peer_address(int fd, Address& address) {
    IoResult failure;
    const Socket* const socket = find_socket(fd, failure);
    if (socket == nullptr) return failure;
    if (socket->state != Socket::State::connected ||
        (socket->use == Socket::Use::stream && connections_[socket->connection].sides[socket->side].is_reset)) {
        return IoResult::failed(ENOTCONN);
    }
    address = socket->peer;
    return {};
}

IoResult Network::set_option(int fd, SocketOption option, int value) {
    IoResult failure;
    Socket* const socket = find_socket(fd, failure);
    if (socket == nullptr) return failure;
    const bool is_size = option == SocketOption::send_buffer_bytes || option == SocketOption::receive_buffer_bytes;
    socket->options[static_cast<std::size_t>(option)] = is_size ? std::max(value, 1) : static_cast<int>(value != 0);
    if (socket->binding != detail::no_binding) {
        bindings_[socket->binding].reuse_address = socket->option(SocketOption::reuse_address) != 0;
        bindings_[socket->binding].reuse_port = socket->option(SocketOption::reuse_port) != 0;
    }
    return {};
}

IoResult Network::get_option(int fd, SocketOption option) {
    IoResult failure;
    const Socket* const socket = find_socket(fd, failure);
    if (socket == nullptr) return failure;
    const int value = socket->option(option);
    const LinkProfile& link = profile(socket->host, socket->host);
    switch (option) {
        case SocketOption::ip6_only: return {1, 0};
        case SocketOption::send_buffer_bytes:
            return {value != 0 ? value : static_cast<std::int64_t>(link.send_buffer_bytes), 0};
        case SocketOption::receive_buffer_bytes:
            return {value != 0 ? value : static_cast<std::int64_t>(link.receive_buffer_bytes), 0};
        default: return {value, 0};
    }
}

}  // namespace mishap
