#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mishap/sim/detail/bindings.hpp>
#include <mishap/sim/detail/connection.hpp>
#include <mishap/sim/detail/network_event.hpp>
#include <mishap/sim/detail/network_socket.hpp>
#include <mishap/sim/entity.hpp>
#include <mishap/sim/link_profile.hpp>
#include <mishap/sim/sockets.hpp>

namespace mishap {

class FakeSelector;
class World;

/// A host of the simulated network. Every program begins on `local`.
enum class HostId : std::uint32_t { local = 0 };

/// Simulates hosts, the links between them, and sockets and pipes on them, in virtual time.
///
/// What is sent is on its way at once; nothing arrives but in `deliver_until`, which whoever moves the clock calls. The readiness
/// of descriptors is pushed to the fake selector. What belongs to one host (pipes, Unix sockets) arrives at once, as in a kernel.
///
/// Streams follow TCP as a program can see it: a connection takes one and a half round trips; what a link or a partition loses is
/// sent again after 0.2 s, doubling, and given up with ETIMEDOUT after 15 attempts (about a quarter of an hour); a request to
/// connect after 1 s, doubling, and 7 attempts. A full queue of connections drops requests. IPv6 sockets take no IPv4.
class Network final : public Sockets {
public:
    Network(World& world, FakeSelector& selector);
    ~Network() override;

    /// Makes the network as it was made: one host, calm links, nothing open. Keeps the memory. The selector is reset apart.
    void reset();

    // ---- time --------------------------------------------------------------------------------------------------

    /// Returns when the next thing happens; `detail::NetworkEvents::never` when nothing is on its way.
    std::int64_t next_event_ns() const { return events_.next_ns(); }
    /// Lets everything happen that is due by `now_ns`, in order of time, then of sending. Returns whether anything was.
    bool deliver_until(std::int64_t now_ns);
    /// Returns whether a delay of this run was drawn from a range that has more values than were offered: then no search of the
    /// program may claim to have made all of its runs.
    bool has_sampled_amounts() const { return has_sampled_amounts_; }

    // ---- hosts and links ---------------------------------------------------------------------------------------

    /// Adds a host. Without addresses it gets one of each family, 10.0.0.0/8 and fd00::/8, by its number; `local` has 10.0.0.1
    /// and fd00::1. Each host has the loopback addresses, too.
    /// Throws:    UsageError if an address is another host's already, a path, or one that means every host or itself.
    HostId add_host(std::string_view name, std::span<const Address> addresses = {});
    std::size_t hosts() const { return host_count_; }
    const std::string& name(HostId host) const { return get(host).name; }
    const std::vector<Address>& addresses(HostId host) const { return get(host).addresses; }
    std::optional<HostId> find_host(const Address& address) const;

    /// The host on which sockets are opened from now on: that of the running entity.
    HostId current_host() const { return current_; }
    void set_current_host(HostId host);

    /// Sets what carries messages between two hosts, both ways or one, from now on; what is on its way stays so. A host's link to
    /// itself is its loopback.
    void set_link(HostId a, HostId b, const LinkProfile& profile);
    void set_link_one_way(HostId from, HostId to, const LinkProfile& profile);
    /// As `set_link`, of all pairs of different hosts that were given none.
    void set_default_link(const LinkProfile& profile);
    const LinkProfile& link(HostId from, HostId to) const;

    // ---- faults ------------------------------------------------------------------------------------------------

    /// Loses everything between two hosts, both ways or one, what is on its way as well.
    void partition(HostId a, HostId b);
    void partition_one_way(HostId from, HostId to);
    /// Loses everything between the hosts of `group` and all others.
    void partition_group(std::span<const HostId> group);
    void heal(HostId a, HostId b);
    void heal_all();
    bool is_partitioned(HostId from, HostId to) const;

    /// Ends a host: its descriptors are closed and nobody is told; what arrives is lost. Paths stay.
    void crash(HostId host);
    /// Starts it again: connections of which it knows nothing any more are reset when the peer sends.
    void restart(HostId host);
    bool is_up(HostId host) const { return get(host).is_up; }

    // ---- sockets -----------------------------------------------------------------------------------------------

    /// Unix sockets are streams; a datagram one is refused with EPROTONOSUPPORT.
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

private:
    struct Host {
        std::string name;
        std::vector<Address> addresses;
        bool is_up = true;
        detail::Tracked ports;
    };
    struct Link {
        LinkProfile profile;
        bool has_profile = false;
        bool is_partitioned = false;
        std::int64_t busy_until_ns = 0;
        detail::Tracked cell;  // of who sends first, where that takes time
    };
    using Connection = detail::Connection;
    using Segment = detail::Segment;
    using Socket = detail::Socket;

    // network.cpp
    Socket* find(int fd);
    Socket* find_socket(int fd, IoResult& failure);
    int make_socket(Socket::Use use, Family family);
    void drop_descriptor(int fd);
    void update(int fd);
    IoResult take(int& error);
    void identify(detail::Tracked& cell, const char* kind);
    void touch(detail::Tracked& cell, Access access, const char* operation);
    void touch_target(std::uint32_t host, int fd, const char* operation);
    std::int64_t now_ns() const;

    // network_hosts.cpp
    Host& get(HostId host);
    const Host& get(HostId host) const;
    void init_host(std::uint32_t number, std::string_view name);
    // network_links.cpp, network_faults.cpp
    Link& link_state(std::uint32_t from, std::uint32_t to);
    bool does_pass(std::uint32_t from, std::uint32_t to);
    const LinkProfile& profile(std::uint32_t from, std::uint32_t to) const;
    std::uint32_t decide(const char* what, std::span<const std::uint32_t> weights, std::uint32_t classes);
    bool does_happen(const char* what, std::uint32_t ppm);
    /// Returns when something that is sent now arrives, if it does.
    std::int64_t arrival_ns(std::uint32_t from, std::uint32_t to, std::size_t bytes);
    std::size_t partial(std::uint32_t from, std::uint32_t to, std::size_t count);

    // network_addresses.cpp
    std::optional<std::uint32_t> route(std::uint32_t from, const Address& to) const;
    Address source_address(std::uint32_t host, const Address& to) const;
    IoResult occupy(int fd, const Address& address);
    enum class Holders : std::uint8_t { all, listeners };
    bool is_occupied(const Socket& socket, const Address& address, Holders holders);
    void release(Socket& socket);
    void leave_to_connection(Socket& socket);
    int find_listener(std::uint32_t host, const Address& address);
    int find_receiver(std::uint32_t host, const Address& to, const Address& from);

    // network_connect.cpp, network_accept.cpp
    std::uint32_t make_connection(Connection::Kind kind);
    void free_connection(std::uint32_t index);
    void attach(int fd, std::uint32_t index, std::uint8_t side);
    void join(int first_fd, int second_fd, Connection::Kind kind, std::size_t room);
    IoResult connect_stream(int fd, const Address& address);
    IoResult connect_path(int fd, const Address& address);
    void set_rooms(Connection& connection, const Socket& connecting, const Socket& listening);
    void ask(std::uint32_t index);
    void answer(std::uint32_t index, int error, std::int64_t time_ns);
    void ask_again(std::uint32_t index);
    void on_asked(std::uint32_t index);
    void on_answered(std::uint32_t index, int error);
    bool has_room_to_accept(const Connection& connection);
    void close_listener(Socket& socket);

    // network_streams.cpp
    IoResult receive_stream(Socket& socket, std::span<std::byte> buffer);
    IoResult send_stream(Socket& socket, std::span<const std::byte> data);
    IoResult shutdown_stream(Socket& socket, Half half);
    void update_stream(int fd, const Socket& socket);
    void close_side(std::uint32_t index, std::uint8_t side, bool is_abrupt);
    void end_sending(std::uint32_t index, std::uint8_t side);
    void reset_peer(std::uint32_t index, std::uint8_t side);
    void release_if_done(std::uint32_t index);

    // network_delivery.cpp
    void push(std::uint32_t index, std::uint8_t direction, Segment::Kind kind, std::uint32_t bytes);
    void schedule_flow(std::uint32_t index, std::uint8_t direction);
    void deliver_flow(std::uint32_t index, std::uint8_t direction);
    void send_again(std::uint32_t index, std::uint8_t direction);
    void arrive(std::uint32_t index, std::uint8_t direction, const Segment& segment);
    void arrive_opened(std::uint32_t index);
    void tell_read(std::uint32_t index, std::uint8_t direction);
    void on_told(std::uint32_t index, std::uint8_t direction);
    void happen(const detail::NetworkEvent& event);

    // network_datagrams.cpp
    IoResult connect_datagram(Socket& socket, int fd, const Address& address);
    IoResult send_datagram(int fd, std::span<const std::byte> data, const Address* address);
    IoResult receive_datagram(int fd, std::span<std::byte> buffer, Address* from);
    void send_packet(int fd, std::uint32_t to_host, const Address& to, std::span<const std::byte> data);
    void on_packet(std::uint32_t index);
    void refuse_datagram(int fd, std::uint64_t serial, int error, std::int64_t time_ns);
    void free_packet(std::uint32_t index);

    World& world_;
    FakeSelector& selector_;
    detail::NetworkEvents events_;
    std::int64_t event_ns_ = -1;  // of what is happening; -1 outside of `deliver_until`
    HostId current_ = HostId::local;
    bool has_sampled_amounts_ = false;

    // Slots stay where they are, with their memory; the counts say how many of them this run has used.
    std::deque<Host> hosts_;
    std::size_t host_count_ = 0;
    boost::unordered_flat_map<std::uint64_t, std::uint32_t> host_of_;  // by key of an address; looked up only
    std::vector<std::vector<Link>> links_;  // [from][to]
    LinkProfile default_link_;
    LinkProfile loopback_ = LinkProfile::within_host();
    std::deque<Socket> sockets_;  // by descriptor
    std::size_t socket_count_ = 0;
    std::deque<Connection> connections_;
    std::size_t connection_count_ = 0;
    std::vector<std::uint32_t> free_connections_;
    std::deque<detail::Packet> packets_;
    std::size_t packet_count_ = 0;
    std::vector<std::uint32_t> free_packets_;
    detail::Bindings bindings_;
    std::uint64_t serials_ = 0;

    detail::Tracked descriptors_;  // who opens first gets the lower number
    boost::unordered_flat_map<std::uint64_t, std::uint32_t> ordinals_;  // of objects, by creator and kind; looked up only
};

}  // namespace mishap
