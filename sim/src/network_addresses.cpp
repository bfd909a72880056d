// Which addresses sockets have, and who is found there.
#include <cerrno>

#include <mishap/sim/network.hpp>
#include <mishap/sim/world.hpp>

namespace mishap {

namespace {

using detail::no_binding;

SocketKind kind_of(const detail::Socket& socket) {
    return socket.use == detail::Socket::Use::datagram ? SocketKind::datagram : SocketKind::stream;
}

}  // namespace

std::optional<std::uint32_t> Network::route(std::uint32_t from, const Address& to) const {
    if (to.is_loopback()) return from;
    const auto host = find_host(to);
    return host ? std::optional(static_cast<std::uint32_t>(*host)) : std::nullopt;
}

Address Network::source_address(std::uint32_t host, const Address& to) const {
    if (to.is_loopback()) return Address::loopback(to.family());
    const auto& addresses = hosts_[host].addresses;
    for (const Address& address : addresses) {
        if (address == to.with_port(0)) return address;
    }
    for (const Address& address : addresses) {
        if (address.family() == to.family()) return address;
    }
    return Address::any(to.family());
}

/// Two sockets may share a port if their addresses differ and neither is any; or if both allow it, and neither listens.
bool Network::is_occupied(const Socket& socket, const Address& address, Holders holders) {
    bindings_.expire(now_ns());
    const SocketKind kind = kind_of(socket);
    for (auto i = bindings_.first(socket.host, kind, address); i != no_binding; i = bindings_[i].next) {
        const detail::Binding& other = bindings_[i];
        if (other.address.family() == Family::unix_path) return true;
        if (!other.address.is_any() && !address.is_any() && other.address.bytes() != address.bytes()) continue;
        const Socket* const holder = find(other.fd);
        const bool listens = holder != nullptr && holder->state == Socket::State::listening;
        if (holder == &socket || (holders == Holders::listeners && !listens)) continue;
        if (other.is_waiting && other.until_ns <= now_ns()) continue;
        const bool both_reuse = socket.option(SocketOption::reuse_address) != 0 && other.reuse_address;
        const bool both_share = socket.option(SocketOption::reuse_port) != 0 && other.reuse_port;
        if (!(both_reuse && !listens) && !both_share) return true;
    }
    return false;
}

IoResult Network::occupy(int fd, const Address& address) {
    Socket& socket = *find(fd);
    Address local = address;
    touch(hosts_[socket.host].ports, Access::update, "bind");
    if (address.family() != Family::unix_path && address.port() == 0) {
        bindings_.expire(now_ns());
        const std::uint16_t port = bindings_.free_port(socket.host, kind_of(socket), address.family());
        if (port == 0) return IoResult::failed(EADDRINUSE);
        local = address.with_port(port);
    } else if (is_occupied(socket, address, Holders::all)) {
        return IoResult::failed(EADDRINUSE);
    }
    detail::Binding binding;
    binding.host = socket.host;
    binding.kind = kind_of(socket);
    binding.address = local;
    binding.fd = fd;
    binding.reuse_address = socket.option(SocketOption::reuse_address) != 0;
    binding.reuse_port = socket.option(SocketOption::reuse_port) != 0;
    socket.binding = bindings_.add(binding);
    socket.is_bound = true;
    socket.local = local;
    return {};
}

void Network::release(Socket& socket) {
    if (socket.binding == no_binding) return;
    touch(hosts_[socket.host].ports, Access::update, "release");
    if (socket.family == Family::unix_path) {
        bindings_[socket.binding].fd = -1;  // the path stays
    } else {
        bindings_.remove(socket.binding);
    }
    socket.binding = no_binding;
    socket.is_bound = socket.is_bound_by_connect = false;
}

/// As `release`, for a connection that keeps the address after its descriptor.
void Network::leave_to_connection(Socket& socket) {
    if (socket.binding != no_binding) bindings_[socket.binding].fd = -1;
    socket.binding = no_binding;
}

IoResult Network::bind(int fd, const Address& address) {
    IoResult failure;
    Socket* const socket = find_socket(fd, failure);
    if (socket == nullptr) return failure;
    if (address.family() != socket->family) return IoResult::failed(EAFNOSUPPORT);
    if (socket->is_bound || socket->state != Socket::State::fresh) return IoResult::failed(EINVAL);
    if (address.family() == Family::unix_path) {
        if (address.path().empty()) return IoResult::failed(EINVAL);
        // As long as a path can be for the system, with its zero.
        if (address.path().size() > 107) return IoResult::failed(ENAMETOOLONG);
    } else if (!address.is_any() && route(socket->host, address) != socket->host) {
        return IoResult::failed(EADDRNOTAVAIL);
    }
    touch(socket->cell, Access::write, "bind");
    return occupy(fd, address);
}

IoResult Network::listen(int fd, int backlog) {
    IoResult failure;
    Socket* const socket = find_socket(fd, failure);
    if (socket == nullptr) return failure;
    if (socket->use == Socket::Use::datagram) return IoResult::failed(EOPNOTSUPP);
    const bool listens = socket->state == Socket::State::listening;
    if (!listens && socket->state != Socket::State::fresh) return IoResult::failed(EINVAL);
    if (!socket->is_bound) {
        if (socket->family == Family::unix_path) return IoResult::failed(EINVAL);
        const IoResult bound = occupy(fd, Address::any(socket->family));
        if (!bound.is_ok()) return bound;
    }
    touch(socket->cell, Access::write, "listen");
    touch(hosts_[socket->host].ports, Access::update, "listen");
    // Two that allowed each other to have the address may still not both listen.
    if (!listens && socket->family != Family::unix_path && is_occupied(*socket, socket->local, Holders::listeners)) {
        return IoResult::failed(EADDRINUSE);
    }
    socket->state = Socket::State::listening;
    socket->backlog = backlog < 0 ? 0 : static_cast<std::uint32_t>(backlog);
    update(fd);
    return {};
}

int Network::find_listener(std::uint32_t host, const Address& address) {
    int found = -1;
    for (auto i = bindings_.first(host, SocketKind::stream, address); i != no_binding; i = bindings_[i].next) {
        const detail::Binding& binding = bindings_[i];
        const Socket* const socket = find(binding.fd);
        if (socket == nullptr || socket->state != Socket::State::listening) continue;
        if (address.family() == Family::unix_path || binding.address.bytes() == address.bytes()) return binding.fd;
        if (binding.address.is_any()) found = binding.fd;
    }
    return found;
}

int Network::find_receiver(std::uint32_t host, const Address& to, const Address& from) {
    int found = -1;
    for (auto i = bindings_.first(host, SocketKind::datagram, to); i != no_binding; i = bindings_[i].next) {
        const detail::Binding& binding = bindings_[i];
        const Socket* const socket = find(binding.fd);
        if (socket == nullptr || (!binding.address.is_any() && binding.address.bytes() != to.bytes())) continue;
        if (socket->state == Socket::State::connected) {
            if (socket->peer == from) return binding.fd;
        } else if (found < 0 || !binding.address.is_any()) {
            found = binding.fd;
        }
    }
    return found;
}

IoResult Network::unlink(const Address& address) {
    if (address.family() != Family::unix_path) return IoResult::failed(ENOENT);
    const auto index = bindings_.first(static_cast<std::uint32_t>(current_), SocketKind::stream, address);
    if (index == no_binding) return IoResult::failed(ENOENT);
    touch(hosts_[static_cast<std::uint32_t>(current_)].ports, Access::update, "unlink");
    if (Socket* const socket = find(bindings_[index].fd)) socket->binding = no_binding;
    bindings_.remove(index);
    return {};
}

}  // namespace mishap
