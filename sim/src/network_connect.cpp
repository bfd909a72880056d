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
        touch_target(*host, find_listener(*host, target), "connect");
        ask(index);
    } else {
        answer(index, EHOSTUNREACH, now_ns() + default_link_.delay_min.count());
    }
    return IoResult::failed(EINPROGRESS);
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

}  // namespace mishap
