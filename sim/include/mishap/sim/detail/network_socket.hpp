#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <mishap/sim/detail/bulk_ring.hpp>
#include <mishap/sim/sockets.hpp>
#include <mishap/sim/tracked.hpp>

namespace mishap::detail {

inline constexpr std::uint32_t no_connection = 0xffff'ffffU;
inline constexpr std::uint32_t no_binding = 0xffff'ffffU;
inline constexpr std::size_t socket_options = static_cast<std::size_t>(SocketOption::reset_on_close) + 1;

/// What a virtual descriptor stands for. The slot of a number is used again, with the memory of its queue.
struct Socket {
    enum class Use : std::uint8_t { none, stream, datagram, pipe_read, pipe_write };
    enum class State : std::uint8_t { fresh, listening, connecting, connected };

    std::uint64_t serial = 0;  // the how-manieth to be opened
    Use use = Use::none;
    State state = State::fresh;
    Family family = Family::ip4;
    std::uint32_t binding = no_binding;
    bool is_bound = false;
    bool is_bound_by_connect = false;
    bool stopped_reading = false;  // shut down, for datagrams
    bool stopped_sending = false;
    bool connect_is_untold = false;  // connected, and no call of connect has said so
    bool has_failed = false;         // the last attempt to connect
    std::uint32_t host = 0;
    Address local;
    Address peer;                  // of what is connected
    int error = 0;                 // to be told once
    std::array<int, socket_options> options{};
    std::uint32_t connection = no_connection;
    std::uint8_t side = 0;
    std::uint32_t backlog = 0;
    BulkRing<std::uint32_t> queue;     // of a listener: connections to accept; for datagrams: packets
    std::size_t queued_bytes = 0;  // of datagrams
    Tracked cell;                  // of the queue and the state

    int option(SocketOption name) const { return options[static_cast<std::size_t>(name)]; }
    void clear() {
        serial = 0;
        use = Use::none;
        state = State::fresh;
        binding = no_binding;
        is_bound = is_bound_by_connect = stopped_reading = stopped_sending = connect_is_untold = has_failed = false;
        local = peer = {};
        error = 0;
        options = {};
        connection = no_connection;
        side = 0;
        backlog = 0;
        queue.clear();
        queued_bytes = 0;
    }
};

/// A datagram on its way or in a queue.
struct Packet {
    std::uint64_t serial = 0;
    Address from;
    Address to;
    std::uint32_t from_host = 0;
    std::uint32_t to_host = 0;
    int from_fd = -1;  // who sent it, to be told when nobody is there
    std::uint64_t from_serial = 0;
    std::vector<std::byte> bytes;
};

}  // namespace mishap::detail
