// Datagrams: whole or not at all, in any order, once or twice or never.
#include <algorithm>
#include <cerrno>

#include <mishap/sim/fake_selector.hpp>
#include <mishap/sim/network.hpp>
#include <mishap/sim/world.hpp>

namespace mishap {

IoResult Network::connect_datagram(Socket& socket, int fd, const Address& address) {
    const Address target = address.is_any() ? Address::loopback(address.family(), address.port()) : address;
    const Address source = source_address(socket.host, target);
    if (!socket.is_bound) {
        const IoResult bound = occupy(fd, source);
        if (!bound.is_ok()) return IoResult::failed(EADDRNOTAVAIL);
    } else if (socket.local.is_any()) {
        socket.local = source.with_port(socket.local.port());
        bindings_.set_address(socket.binding, socket.local);
    }
    socket.peer = target;
    socket.state = Socket::State::connected;
    update(fd);
    return {};
}

IoResult Network::send_datagram(int fd, std::span<const std::byte> data, const Address* address) {
    Socket& socket = *find(fd);
    touch(socket.cell, Access::write, "send");
    if (socket.error != 0) {
        const IoResult result = take(socket.error);
        update(fd);
        return result;
    }
    if (socket.stopped_sending) return IoResult::failed(EPIPE);
    if (address == nullptr && socket.state != Socket::State::connected) return IoResult::failed(EDESTADDRREQ);
    if (address != nullptr && address->family() != socket.family) return IoResult::failed(EAFNOSUPPORT);
    Address to = address != nullptr ? *address : socket.peer;
    if (to.port() == 0) return IoResult::failed(EINVAL);
    if (to.is_any()) to = Address::loopback(to.family(), to.port());
    if (!socket.is_bound) {
        const IoResult bound = occupy(fd, Address::any(socket.family));
        if (!bound.is_ok()) return IoResult::failed(EAGAIN);
    }
    const auto host = route(socket.host, to);
    if (data.size() > profile(socket.host, host.value_or(socket.host)).datagram_bytes_max) {
        return IoResult::failed(EMSGSIZE);
    }
    if (host) touch_target(*host, find_receiver(*host, to, socket.local), "send");
    if (!host) {
        refuse_datagram(fd, socket.serial, EHOSTUNREACH, now_ns() + default_link_.delay_min.count());
    } else if (!does_happen("datagram lost", profile(socket.host, *host).loss_ppm)) {
        send_packet(fd, *host, to, data);
        if (does_happen("datagram duplicated", profile(socket.host, *host).duplication_ppm)) {
            send_packet(fd, *host, to, data);
        }
    }
    return {static_cast<std::int64_t>(data.size()), 0};
}

void Network::send_packet(int fd, std::uint32_t to_host, const Address& to, std::span<const std::byte> data) {
    const Socket& socket = *find(fd);
    auto index = static_cast<std::uint32_t>(packet_count_);
    if (free_packets_.empty()) {
        if (packets_.size() == packet_count_) packets_.emplace_back();
        ++packet_count_;
    } else {
        index = free_packets_.back();
        free_packets_.pop_back();
    }
    detail::Packet& packet = packets_[index];
    packet.from = socket.local.is_any() ? source_address(socket.host, to).with_port(socket.local.port()) : socket.local;
    packet.to = to;
    packet.from_host = socket.host;
    packet.to_host = to_host;
    packet.from_fd = fd;
    packet.from_serial = socket.serial;
    packet.bytes.assign(data.begin(), data.end());
    std::int64_t arrival = arrival_ns(socket.host, to_host, data.size());
    if (does_happen("datagram held back", profile(socket.host, to_host).reordering_ppm)) {
        arrival += std::max<std::int64_t>(arrival - now_ns(), 1);
    }
    events_.push({.time_ns = arrival, .kind = detail::NetworkEvent::Kind::datagram, .index = index});
}

void Network::on_packet(std::uint32_t index) {
    const detail::Packet& packet = packets_[index];
    if (!does_pass(packet.from_host, packet.to_host)) {
        free_packet(index);
        return;
    }
    const int fd = find_receiver(packet.to_host, packet.to, packet.from);
    if (fd < 0) {
        if (does_pass(packet.to_host, packet.from_host)) {
            const std::int64_t delay_ns = profile(packet.to_host, packet.from_host).delay_min.count();
            refuse_datagram(packet.from_fd, packet.from_serial, ECONNREFUSED, now_ns() + delay_ns);
        }
        free_packet(index);
        return;
    }
    Socket& socket = *find(fd);
    const int given = socket.option(SocketOption::receive_buffer_bytes);
    const std::size_t room = given != 0 ? static_cast<std::size_t>(given)
                                        : profile(packet.from_host, packet.to_host).receive_buffer_bytes;
    // One fits always, as in Linux; the rest is lost without a word.
    if (!socket.queue.empty() && socket.queued_bytes + packet.bytes.size() > room) {
        free_packet(index);
        return;
    }
    socket.queue.push(index);
    socket.queued_bytes += packet.bytes.size();
    update(fd);
}

/// Tells a sender that nobody was there; only one that has a single peer can know which datagram is meant, and is told.
void Network::refuse_datagram(int fd, std::uint64_t serial, int error, std::int64_t time_ns) {
    const Socket* const socket = find(fd);
    if (socket == nullptr || socket->serial != serial || socket->state != Socket::State::connected) return;
    events_.push({.time_ns = time_ns,
                  .kind = detail::NetworkEvent::Kind::datagram_refused,
                  .error = error,
                  .index = static_cast<std::uint32_t>(fd),
                  .serial = serial});
}

IoResult Network::receive_datagram(int fd, std::span<std::byte> buffer, Address* from) {
    Socket& socket = *find(fd);
    if (socket.error != 0) {
        touch(socket.cell, Access::write, "receive");
        const IoResult result = take(socket.error);
        update(fd);
        return result;
    }
    if (socket.queue.empty()) {
        touch(socket.cell, Access::read, "receive");
        return IoResult::failed(EAGAIN);
    }
    touch(socket.cell, Access::write, "receive");
    const std::uint32_t index = socket.queue.front();
    socket.queue.pop();
    const detail::Packet& packet = packets_[index];
    socket.queued_bytes -= packet.bytes.size();
    const std::size_t count = std::min(buffer.size(), packet.bytes.size());
    std::copy_n(packet.bytes.begin(), count, buffer.begin());
    if (from != nullptr) *from = packet.from;
    free_packet(index);
    update(fd);
    return {static_cast<std::int64_t>(count), 0};
}

void Network::free_packet(std::uint32_t index) { free_packets_.push_back(index); }

}  // namespace mishap
