#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <mishap/sim/address.hpp>
#include <mishap/sim/detail/bulk_ring.hpp>
#include <mishap/sim/tracked.hpp>

namespace mishap::detail {

/// A piece of a stream on its way, or one of the signs that travel in order with the bytes.
struct Segment {
    enum class Kind : std::uint8_t {
        data,
        opened,  // the connecting side knows that it is connected: it can be accepted
        end,     // no more will be sent (FIN)
        reset    // nothing counts any more (RST)
    };

    std::int64_t arrival_ns = 0;
    std::uint32_t bytes = 0;
    Kind kind = Kind::data;
};

/// One direction of a connection.
///
/// The bytes lie in one ring from being sent to being read: first those that have arrived, then those in flight. So a byte is
/// copied in and out and nothing else, and order needs no numbers. Only the first piece in flight has an event: none can
/// overtake it.
struct Flow {
    Tracked cell;
    BulkRing<std::byte> bytes;
    BulkRing<Segment> in_flight;
    std::size_t arrived = 0;  // and not yet read

    // Counts of bytes since the beginning. What the sender knows to be read lags behind what is.
    std::uint64_t sent = 0;
    std::uint64_t read = 0;
    std::uint64_t told = 0;   // the last count that was sent back
    std::uint64_t known = 0;  // the last that has come back
    std::uint32_t room = 0;   // how many bytes the sender may be ahead of `known`

    std::int64_t last_arrival_ns = 0;
    std::uint32_t attempts = 0;  // to deliver the first piece in flight
    bool is_scheduled = false;
    bool is_telling = false;

    std::size_t space() const {
        const std::uint64_t used = sent - known;
        return used < room ? static_cast<std::size_t>(room - used) : 0;
    }
    /// Forgets what is in flight.
    void cut() {
        in_flight.clear();
        bytes.truncate(arrived);
    }
    void clear() {
        cell = {};
        bytes.clear();
        in_flight.clear();
        arrived = 0;
        sent = read = told = known = 0;
        room = 0;
        last_arrival_ns = 0;
        attempts = 0;
        is_scheduled = is_telling = false;
    }
};

/// What one end of a connection knows, whether or not a descriptor still belongs to it.
struct Side {
    enum class Held : std::uint8_t {
        not_yet,  // the connection was not accepted
        open,
        gone  // closed, or its host crashed
    };

    Held held = Held::not_yet;
    int fd = -1;
    std::uint32_t host = 0;
    std::uint32_t binding = 0xffff'ffffU;  // what it occupies of the host's ports
    Address address;
    int error = 0;                 // to be told once
    bool has_ended = false;        // it has sent its end
    bool sees_end = false;         // the peer's end has arrived
    bool is_reset = false;         // by the peer, or because the peer does not answer
    bool has_reset = false;        // it has reset the peer, or has none to be reset by
    bool stopped_reading = false;  // shut down for receiving
    bool ended_first = false;      // before it saw the peer's end
    bool has_crashed = false;      // with its host
};

/// Two sides and the flows between them; side 0 has connected, side 1 has accepted. Of a pipe side 0 writes.
struct Connection {
    enum class Kind : std::uint8_t { stream, local, pipe };

    std::uint64_t serial = 0;  // 0: nobody uses this slot
    Kind kind = Kind::stream;
    bool is_asking = false;  // not connected yet
    bool was_reset = false;
    std::uint32_t attempts = 0;  // to ask
    int listener_fd = -1;
    std::uint64_t listener_serial = 0;
    std::array<Side, 2> sides;
    std::array<Flow, 2> flows;  // flows[i] goes from side i to the other

    /// The three kinds differ in whether what is sent has to travel.
    bool is_immediate() const { return kind != Kind::stream; }
};

}  // namespace mishap::detail
