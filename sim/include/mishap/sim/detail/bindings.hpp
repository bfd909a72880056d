#pragma once

#include <cstdint>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>
#include <mishap/sim/detail/network_socket.hpp>

namespace mishap::detail {

/// An address of a host that a socket, a connection or only the time after one occupies.
struct Binding {
    std::uint32_t host = 0;
    SocketKind kind = SocketKind::stream;
    Address address;
    int fd = -1;  // -1: closed; a connection may go on, a path stays
    bool reuse_address = false;
    bool reuse_port = false;
    bool is_waiting = false;     // after a connection that was closed from here, until then:
    std::int64_t until_ns = 0;
    std::uint32_t next = no_binding;  // of the same host, kind, family and port
};

/// Which addresses of which hosts are in use.
class Bindings {
public:
    /// As long as a port stays occupied by a connection closed from its side: Linux's TIME-WAIT.
    static constexpr std::int64_t wait_ns = 60'000'000'000;

    std::uint32_t add(const Binding& binding);
    void remove(std::uint32_t index);
    /// Keeps it occupied for a while, without a socket.
    void wait(std::uint32_t index, std::int64_t now_ns);
    /// Removes those whose time is up.
    void expire(std::int64_t now_ns);
    /// Frees what only waits on a host.
    void forget_waiting(std::uint32_t host);
    void clear();

    Binding& operator[](std::uint32_t index) { return bindings_[index]; }
    /// Returns the first of those that share a port (or a path); the rest follow by `next`.
    std::uint32_t first(std::uint32_t host, SocketKind kind, const Address& address) const;
    /// Changes an address, but not its port.
    void set_address(std::uint32_t index, const Address& address) { bindings_[index].address = address; }

    /// Returns a port of `host` from the range for connecting sockets that nobody uses; 0 when there is none.
    std::uint16_t free_port(std::uint32_t host, SocketKind kind, Family family);

private:
    struct Waiting {
        std::uint32_t index = 0;
    };

    static std::uint64_t key(std::uint32_t host, SocketKind kind, const Address& address);

    std::vector<Binding> bindings_;
    std::vector<std::uint32_t> free_;
    boost::unordered_flat_map<std::uint64_t, std::uint32_t> first_;  // looked up only
    boost::unordered_flat_map<std::uint64_t, std::uint16_t> next_port_;
    BulkRing<Waiting> waiting_;  // in the order in which their time is up
};

}  // namespace mishap::detail
