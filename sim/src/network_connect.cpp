// How connections begin.
#include <cerrno>
#include <utility>

#include <mishap/sim/network.hpp>
#include <mishap/sim/world.hpp>

namespace mishap {

namespace {

using detail::Side;

constexpr std::int64_t ask_again_ns = 1'000'000'000;  // RFC 6298, section 2.1
constexpr std::uint32_t asks_max = 7;                 // Linux, net.ipv4.tcp_syn_retries is 6

}  // namespace

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

IoResult Network::connect(int fd, const Address& address) {
    IoResult failure;
    Socket* const socket = find_socket(fd, failure);
    if (socket == nullptr) return failure;
    if (address.family() != socket->family) return IoResult::failed(EAFNOSUPPORT);
    touch(socket->cell, Access::write, "connect");
    if (socket->use == Socket::Use::datagram) return connect_datagram(*socket, fd, address);
    if (socket->family == Family::unix_path) return connect_path(fd, address);
    switch (socket->state) {
        case Socket::State::listening: return IoResult::failed(EISCONN);
        case Socket::State::connecting: return IoResult::failed(EALREADY);
        case Socket::State::connected:
            if (!std::exchange(socket->connect_is_untold, false)) return IoResult::failed(EISCONN);
            return take(connections_[socket->connection].sides[socket->side].error);
        case Socket::State::fresh: break;
    }
    if (socket->error != 0) {
        const IoResult result = take(socket->error);
        update(fd);
        return result;
    }
    return connect_stream(fd, address);
}

IoResult Network::connect_stream(int fd, const Address& address) {
    Socket& socket = *find(fd);
    const Address target = address.is_any() ? Address::loopback(address.family(), address.port()) : address;
    const auto host = route(socket.host, target);
    const Address source = source_address(socket.host, target);
    if (!socket.is_bound) {
        if (!occupy(fd, source).is_ok()) return IoResult::failed(EADDRNOTAVAIL);
        socket.is_bound_by_connect = true;
    } else if (socket.local.is_any()) {
        socket.local = source.with_port(socket.local.port());
        bindings_.set_address(socket.binding, socket.local);
    }
    socket.peer = target;
    const std::uint32_t index = make_connection(Connection::Kind::stream);
    attach(fd, index, 0);
    Connection& connection = connections_[index];
    connection.is_asking = true;
    connection.sides[0].address = socket.local;
    connection.sides[0].binding = socket.binding;
    connection.sides[1].address = target;
    connection.sides[1].host = host.value_or(socket.host);
    socket.state = Socket::State::connecting;
    socket.has_failed = false;
    update(fd);
    if (host) {
        ask(index);
    } else {
        answer(index, EHOSTUNREACH, now_ns() + default_link_.delay_min.count());
    }
    return IoResult::failed(EINPROGRESS);
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

void Network::ask(std::uint32_t index) {
    const Connection& connection = connections_[index];
    const std::uint32_t from = connection.sides[0].host;
    const std::uint32_t to = connection.sides[1].host;
    const std::int64_t arrival = arrival_ns(from, to, 0);
    if (does_happen("request lost", profile(from, to).loss_ppm)) {
        ask_again(index);
        return;
    }
    events_.push({.time_ns = arrival,
                  .kind = detail::NetworkEvent::Kind::connect_asks,
                  .index = index,
                  .serial = connection.serial});
}

void Network::answer(std::uint32_t index, int error, std::int64_t time_ns) {
    events_.push({.time_ns = time_ns,
                  .kind = detail::NetworkEvent::Kind::connect_answered,
                  .error = error,
                  .index = index,
                  .serial = connections_[index].serial});
}

/// Asks once more after a while, for the request or its answer was lost; or gives up.
void Network::ask_again(std::uint32_t index) {
    Connection& connection = connections_[index];
    const std::int64_t wait_ns = ask_again_ns << connection.attempts;
    if (++connection.attempts == asks_max) {
        answer(index, ETIMEDOUT, now_ns() + wait_ns);
    } else {
        events_.push({.time_ns = now_ns() + wait_ns,
                      .kind = detail::NetworkEvent::Kind::connect_asks,
                      .index = index,
                      .serial = connection.serial});
    }
}

void Network::on_asked(std::uint32_t index) {
    Connection& connection = connections_[index];
    const std::uint32_t from = connection.sides[0].host;
    const std::uint32_t to = connection.sides[1].host;
    if (!does_pass(from, to)) {
        ask_again(index);
        return;
    }
    const int listener_fd = find_listener(to, connection.sides[1].address);
    if (listener_fd < 0) {
        answer(index, ECONNREFUSED, arrival_ns(to, from, 0));
        return;
    }
    const Socket& listener = *find(listener_fd);
    if (listener.queue.size() > listener.backlog) {  // as Linux does: one more than the backlog, then silence
        ask_again(index);
        return;
    }
    connection.listener_fd = listener_fd;
    connection.listener_serial = listener.serial;
    set_rooms(connection, *find(connection.sides[0].fd), listener);
    answer(index, 0, arrival_ns(to, from, 0));
}

void Network::on_answered(std::uint32_t index, int error) {
    Connection& connection = connections_[index];
    const int fd = connection.sides[0].fd;
    Socket& socket = *find(fd);
    const bool was_sent = error == 0 || error == ECONNREFUSED;
    if (was_sent && !does_pass(connection.sides[1].host, connection.sides[0].host)) {
        ask_again(index);
        return;
    }
    connection.is_asking = false;
    if (error == 0) {
        socket.state = Socket::State::connected;
        socket.connect_is_untold = true;
        push(index, 0, Segment::Kind::opened, 0);
    } else {
        free_connection(index);
        socket.state = Socket::State::fresh;
        socket.connection = detail::no_connection;
        socket.error = error;
        socket.has_failed = true;
        if (socket.is_bound_by_connect) {
            bindings_.remove(socket.binding);
            socket.binding = detail::no_binding;
            socket.is_bound = socket.is_bound_by_connect = false;
            socket.local = Address::any(socket.family);
        }
    }
    update(fd);
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
