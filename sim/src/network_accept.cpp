// How a listener gets its connections, and connections their two ends.
#include <cerrno>

#include <mishap/sim/network.hpp>
#include <mishap/sim/world.hpp>

namespace mishap {

using detail::Side;

std::uint32_t Network::make_connection(Connection::Kind kind) {
    auto index = static_cast<std::uint32_t>(connection_count_);
    if (free_connections_.empty()) {
        if (connections_.size() == connection_count_) connections_.emplace_back();
        ++connection_count_;
    } else {
        index = free_connections_.back();
        free_connections_.pop_back();
    }
    Connection& connection = connections_[index];
    connection.serial = ++serials_;
    connection.kind = kind;
    connection.is_asking = connection.was_reset = false;
    connection.attempts = 0;
    connection.listener_fd = -1;
    connection.listener_serial = 0;
    connection.sides = {};
    for (detail::Flow& flow : connection.flows) {
        flow.clear();
        identify(flow.cell, "flow");
    }
    return index;
}

void Network::free_connection(std::uint32_t index) {
    connections_[index].serial = 0;
    free_connections_.push_back(index);
}

void Network::attach(int fd, std::uint32_t index, std::uint8_t side) {
    Socket& socket = *find(fd);
    Side& held = connections_[index].sides[side];
    socket.connection = index;
    socket.side = side;
    held.held = Side::Held::open;
    held.fd = fd;
    held.host = socket.host;
}

void Network::join(int first_fd, int second_fd, Connection::Kind kind, std::size_t room) {
    const std::uint32_t index = make_connection(kind);
    for (detail::Flow& flow : connections_[index].flows) flow.room = static_cast<std::uint32_t>(room);
    attach(first_fd, index, 0);
    attach(second_fd, index, 1);
    for (const int fd : {first_fd, second_fd}) {
        find(fd)->state = Socket::State::connected;
        find(fd)->peer = Address::unix_path("");
        update(fd);
    }
}

/// Sets how far each side may be ahead of the other.
void Network::set_rooms(Connection& connection, const Socket& connecting, const Socket& listening) {
    const LinkProfile& link = profile(connecting.host, listening.host);
    const auto room = [&link](const Socket& sender, const Socket& receiver) {
        const int sending = sender.option(SocketOption::send_buffer_bytes);
        const int receiving = receiver.option(SocketOption::receive_buffer_bytes);
        return (sending != 0 ? static_cast<std::uint32_t>(sending) : link.send_buffer_bytes) +
               (receiving != 0 ? static_cast<std::uint32_t>(receiving) : link.receive_buffer_bytes);
    };
    connection.flows[0].room = room(connecting, listening);
    connection.flows[1].room = room(listening, connecting);
}

IoResult Network::connect_path(int fd, const Address& address) {
    Socket& socket = *find(fd);
    touch(hosts_[socket.host].ports, Access::read, "connect");
    if (bindings_.first(socket.host, SocketKind::stream, address) == detail::no_binding) return IoResult::failed(ENOENT);
    const int listener_fd = find_listener(socket.host, address);
    if (listener_fd < 0) return IoResult::failed(ECONNREFUSED);
    Socket& listener = *find(listener_fd);
    touch(listener.cell, Access::write, "connect");
    if (listener.queue.size() > listener.backlog) return IoResult::failed(EAGAIN);
    // Looked at last, as in Linux.
    if (socket.state == Socket::State::connected) return IoResult::failed(EISCONN);
    if (socket.state != Socket::State::fresh) return IoResult::failed(EINVAL);
    const std::uint32_t index = make_connection(Connection::Kind::local);
    Connection& connection = connections_[index];
    set_rooms(connection, socket, listener);
    attach(fd, index, 0);
    connection.sides[0].address = socket.local;
    connection.sides[1].address = listener.local;
    connection.sides[1].host = socket.host;
    socket.state = Socket::State::connected;
    socket.peer = listener.local;
    listener.queue.push(index);
    update(fd);
    update(listener_fd);
    return {};
}

bool Network::has_room_to_accept(const Connection& connection) {
    const Socket* const listener = find(connection.listener_fd);
    return listener == nullptr || listener->serial != connection.listener_serial ||
           listener->queue.size() <= listener->backlog;
}

void Network::arrive_opened(std::uint32_t index) {
    Connection& connection = connections_[index];
    Socket* const listener = find(connection.listener_fd);
    if (listener != nullptr && listener->serial == connection.listener_serial) {
        listener->queue.push(index);
        update(connection.listener_fd);
    } else {
        close_side(index, 1, true);
    }
}

IoResult Network::accept(int fd, Address* peer) {
    IoResult failure;
    Socket* const listener = find_socket(fd, failure);
    if (listener == nullptr) return failure;
    if (listener->use == Socket::Use::datagram) return IoResult::failed(EOPNOTSUPP);
    if (listener->state != Socket::State::listening) return IoResult::failed(EINVAL);
    if (listener->queue.empty()) {
        touch(listener->cell, Access::read, "accept");
        return IoResult::failed(EAGAIN);
    }
    touch(listener->cell, Access::write, "accept");
    const std::uint32_t index = listener->queue.front();
    listener->queue.pop();
    update(fd);
    const int accepted_fd = make_socket(Socket::Use::stream, listener->family);
    Socket& accepted = *find(accepted_fd);
    Connection& connection = connections_[index];
    accepted.options = listener->options;
    accepted.host = listener->host;
    accepted.local = connection.sides[1].address;
    accepted.peer = connection.sides[0].address;
    accepted.state = Socket::State::connected;
    attach(accepted_fd, index, 1);
    if (connection.kind == Connection::Kind::stream) {
        detail::Binding binding;
        binding.host = accepted.host;
        binding.address = accepted.local;
        binding.fd = accepted_fd;
        binding.reuse_address = accepted.option(SocketOption::reuse_address) != 0;
        binding.reuse_port = accepted.option(SocketOption::reuse_port) != 0;
        accepted.binding = connection.sides[1].binding = bindings_.add(binding);
        accepted.is_bound = true;
    }
    update(accepted_fd);
    if (peer != nullptr) *peer = accepted.peer;
    return {accepted_fd, 0};
}

void Network::close_listener(Socket& socket) {
    for (; !socket.queue.empty(); socket.queue.pop()) close_side(socket.queue.front(), 1, true);
}

}  // namespace mishap
