#include <mishap/sim/network.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <mishap/sim/errors.hpp>
#include <mishap/sim/fake_selector.hpp>
#include <mishap/sim/hash.hpp>
#include <mishap/sim/path.hpp>
#include <mishap/sim/world.hpp>

namespace mishap {

Network::Network(World& world, FakeSelector& selector)
    : world_(world), selector_(selector) {
    reset();
}

Network::~Network() = default;

void Network::reset() {
    events_.clear();
    event_ns_ = -1;
    has_sampled_amounts_ = false;
    for (std::size_t fd = 0; fd < socket_count_; ++fd) sockets_[fd].clear();
    for (std::size_t i = 0; i < connection_count_; ++i) connections_[i].serial = 0;
    for (auto& row : links_) row.clear();
    socket_count_ = connection_count_ = packet_count_ = host_count_ = 0;
    free_connections_.clear();
    free_packets_.clear();
    bindings_.clear();
    host_of_.clear();
    ordinals_.clear();
    serials_ = 0;
    default_link_ = LinkProfile{};
    loopback_ = LinkProfile::within_host();
    descriptors_ = {detail::child_key(detail::outside_key, hash_text("descriptors"), 0), 0, 0};
    current_ = add_host("local");
}

Network::Socket* Network::find(int fd) {
    const auto index = static_cast<std::size_t>(fd);
    return fd >= 0 && index < socket_count_ && sockets_[index].use != Socket::Use::none ? &sockets_[index] : nullptr;
}

Network::Socket* Network::find_socket(int fd, IoResult& failure) {
    Socket* const socket = find(fd);
    const bool is_socket =
        socket != nullptr && (socket->use == Socket::Use::stream || socket->use == Socket::Use::datagram);
    if (!is_socket) failure = IoResult::failed(socket == nullptr ? EBADF : ENOTSOCK);
    return is_socket ? socket : nullptr;
}

int Network::make_socket(Socket::Use use, Family family) {
    touch(descriptors_, Access::update, "open");
    const int fd = selector_.open();
    const auto index = static_cast<std::size_t>(fd);
    while (sockets_.size() <= index) sockets_.emplace_back();
    socket_count_ = std::max(socket_count_, index + 1);
    Socket& socket = sockets_[index];
    socket.clear();
    socket.serial = ++serials_;
    socket.use = use;
    socket.family = family;
    socket.host = static_cast<std::uint32_t>(current_);
    socket.local = Address::any(family);
    identify(socket.cell, "socket");
    return fd;
}

void Network::drop_descriptor(int fd) {
    sockets_[static_cast<std::size_t>(fd)].clear();
    selector_.close(fd);
}

void Network::update(int fd) {
    if (fd < 0) return;
    const Socket& socket = sockets_[static_cast<std::size_t>(fd)];
    if (socket.use == Socket::Use::datagram) {
        selector_.set_readable(fd, !socket.queue.empty() || socket.error != 0 || socket.stopped_reading);
        selector_.set_writable(fd, true);
        return;
    }
    switch (socket.state) {
        case Socket::State::fresh:  // Linux reports a stream socket without a connection as hung up
            selector_.set_readable(fd, true);
            selector_.set_writable(fd, true);
            break;
        case Socket::State::listening:
            selector_.set_readable(fd, !socket.queue.empty());
            selector_.set_writable(fd, false);
            break;
        case Socket::State::connecting:
            selector_.set_readable(fd, false);
            selector_.set_writable(fd, false);
            break;
        case Socket::State::connected: update_stream(fd, socket); break;
    }
}

IoResult Network::take(int& error) { return IoResult::failed(std::exchange(error, 0)); }

void Network::identify(detail::Tracked& cell, const char* kind) {
    const std::uint64_t creator = world_.running().entity;
    const std::uint64_t kind_hash = hash_text(kind);
    const std::uint32_t ordinal = ++ordinals_[mix(creator, kind_hash)];
    cell = {detail::child_key(creator, kind_hash, ordinal), 0, 0};
    if (world_.is_observing()) {
        world_.names().put(cell.key, creator, fmt::format("{}#{}", kind, ordinal));
    }
}

void Network::touch(detail::Tracked& cell, Access access, const char* operation) {
    world_.touch(cell, access, operation);
}

/// Touches what is sent to: of two who send to one socket, the order is the order of arrival. Who is there later may depend on
/// who occupies the address by then.
void Network::touch_target(std::uint32_t host, int fd, const char* operation) {
    if (Socket* const socket = find(fd)) {
        touch(socket->cell, Access::write, operation);
    } else {
        touch(hosts_[host].ports, Access::update, operation);
    }
}

std::int64_t Network::now_ns() const { return event_ns_ >= 0 ? event_ns_ : world_.now_ns(); }

}  // namespace mishap
