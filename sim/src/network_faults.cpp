// Partitions, and hosts that crash.
#include <algorithm>

#include <mishap/sim/network.hpp>

namespace mishap {

namespace {

std::uint32_t number(HostId host) { return static_cast<std::uint32_t>(host); }

}  // namespace

bool Network::does_pass(std::uint32_t from, std::uint32_t to) {
    return hosts_[to].is_up && !is_partitioned(HostId{from}, HostId{to});
}

bool Network::is_partitioned(HostId from, HostId to) const {
    return number(from) < links_.size() && number(to) < links_[number(from)].size() &&
           links_[number(from)][number(to)].is_partitioned;
}

void Network::partition(HostId a, HostId b) {
    partition_one_way(a, b);
    partition_one_way(b, a);
}

void Network::partition_one_way(HostId from, HostId to) {
    get(from);
    get(to);
    link_state(number(from), number(to)).is_partitioned = true;
}

void Network::partition_group(std::span<const HostId> group) {
    for (const HostId inside : group) {
        for (std::uint32_t other = 0; other < host_count_; ++other) {
            if (std::find(group.begin(), group.end(), HostId{other}) == group.end()) partition(inside, HostId{other});
        }
    }
}

void Network::heal(HostId a, HostId b) {
    get(a);
    get(b);
    link_state(number(a), number(b)).is_partitioned = false;
    link_state(number(b), number(a)).is_partitioned = false;
}

void Network::heal_all() {
    for (auto& row : links_) {
        for (Link& link : row) link.is_partitioned = false;
    }
}

void Network::crash(HostId host) {
    get(host).is_up = false;
    for (std::size_t fd = 0; fd < socket_count_; ++fd) {
        Socket& socket = sockets_[fd];
        if (socket.use == Socket::Use::none || socket.host != number(host)) continue;
        if (socket.use == Socket::Use::datagram) {
            for (; !socket.queue.empty(); socket.queue.pop()) free_packet(socket.queue.front());
        } else if (socket.state == Socket::State::listening) {
            close_listener(socket);
        } else if (socket.state == Socket::State::connecting) {
            free_connection(socket.connection);
        } else if (socket.state == Socket::State::connected) {
            leave_to_connection(socket);
            close_side(socket.connection, socket.side, false);
        }
        release(socket);
        drop_descriptor(static_cast<int>(fd));
    }
    bindings_.forget_waiting(number(host));
}

void Network::restart(HostId host) { get(host).is_up = true; }

}  // namespace mishap
