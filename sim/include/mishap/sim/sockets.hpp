#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <mishap/sim/address.hpp>

namespace mishap {

/// What an operation on a descriptor did: a count (of bytes, or a descriptor), or the errno value that says why it did nothing.
struct IoResult {
    std::int64_t count = 0;
    int error = 0;

    bool is_ok() const { return error == 0; }
    static IoResult failed(int error) { return {0, error}; }
    friend bool operator==(const IoResult&, const IoResult&) = default;
};

enum class SocketKind : std::uint8_t { stream, datagram };

/// Which half of a connection `Sockets::shutdown` ends.
enum class Half : std::uint8_t { receiving, sending, both };

enum class SocketOption : std::uint8_t {
    reuse_address,        // SO_REUSEADDR
    reuse_port,           // SO_REUSEPORT
    broadcast,            // SO_BROADCAST
    keep_alive,           // SO_KEEPALIVE
    no_delay,             // TCP_NODELAY
    ip6_only,             // IPV6_V6ONLY
    send_buffer_bytes,    // SO_SNDBUF
    receive_buffer_bytes, // SO_RCVBUF
    reset_on_close        // SO_LINGER with a time of zero: what was not sent is dropped, and the peer told so
};

/// The seam under transports and streams: non-blocking sockets and pipes, of the operating system or simulated.
///
/// No function waits, and none throws for what the outside does: the result says it with an errno value. The rules are those of
/// POSIX.1-2017 (system interfaces, section 2.10, and the page of each function); where POSIX leaves a choice, those of Linux.
/// Descriptors are non-blocking, closed on exec, and are numbers of the selector of the same world. On what is no open
/// descriptor every function fails with EBADF, and the functions for sockets on a pipe with ENOTSOCK.
class Sockets {
public:
    Sockets() = default;
    Sockets(const Sockets&) = delete;
    Sockets& operator=(const Sockets&) = delete;
    virtual ~Sockets() = default;

    /// Opens a socket; counts its descriptor. EMFILE when there are too many.
    /// Source: POSIX socket().
    virtual IoResult open(Family family, SocketKind kind) = 0;

    /// Opens two Unix stream sockets that are connected with each other.
    /// Source: POSIX socketpair().
    virtual IoResult open_pair(int (&fds)[2]) = 0;

    /// Opens a pipe: what is written to `fds[1]` is read from `fds[0]`.
    /// Source: POSIX pipe().
    virtual IoResult open_pipe(int (&fds)[2]) = 0;

    /// Closes a descriptor; its number is free at once. A connection ends in order, what was sent before arrives; but it is reset
    /// if received bytes were not read, or with `reset_on_close`.
    /// Source: POSIX close(); RFC 1122, section 4.2.2.13, for the reset.
    virtual IoResult close(int fd) = 0;

    /// Gives a socket its address; port 0 is any free one. EADDRINUSE if it is taken (also for a while after a connection was
    /// closed from this side, unless `reuse_address` was set), EADDRNOTAVAIL if the host does not have it, EINVAL if the socket
    /// has one already. A path stays in the file system until `unlink`.
    /// Source: POSIX bind(); RFC 9293, section 3.6.1, TIME-WAIT.
    virtual IoResult bind(int fd, const Address& address) = 0;

    /// Lets a stream socket receive connections, of which `backlog` wait to be accepted. It becomes readable when one does.
    /// Source: POSIX listen().
    virtual IoResult listen(int fd, int backlog) = 0;

    /// Takes the first connection that waits; counts its descriptor. EAGAIN when none does. `peer`, if not null, gets its address.
    /// Source: POSIX accept().
    virtual IoResult accept(int fd, Address* peer) = 0;

    /// Begins to connect. EINPROGRESS: the socket becomes writable when that has ended, and `take_error` says how (ECONNREFUSED,
    /// ETIMEDOUT, EHOSTUNREACH, ...); EALREADY before that. A second call after it returns what `take_error` would, or EISCONN.
    /// A Unix socket is connected at once, or not: ECONNREFUSED, ENOENT, EAGAIN (its queue is full). Of a datagram socket it sets
    /// the only peer.
    /// Source: POSIX connect().
    virtual IoResult connect(int fd, const Address& address) = 0;

    /// Reads what has arrived, at most `buffer`: at least one byte, or 0 at the end of the stream. EAGAIN when nothing has
    /// arrived. ECONNRESET once when the peer has reset the connection, after what had arrived before. Of a datagram socket one
    /// message; what is beyond the buffer is lost.
    /// Source: POSIX recv(), read().
    virtual IoResult receive(int fd, std::span<std::byte> buffer) = 0;

    /// Sends a part of `data`, as much as there is room for; EAGAIN when there is none. Never raises SIGPIPE. EPIPE when the
    /// connection is over, or its sending half; before that ECONNRESET once, if it was reset. A datagram is sent whole or, when
    /// it is too large, not at all: EMSGSIZE. To a pipe, up to 4096 bytes are written whole or not at all.
    /// Source: POSIX send(), write().
    virtual IoResult send(int fd, std::span<const std::byte> data) = 0;

    /// As `receive`; `from`, if not null, gets the sender's address.
    /// Source: POSIX recvfrom().
    virtual IoResult receive_from(int fd, std::span<std::byte> buffer, Address* from) = 0;

    /// Sends a datagram to `address`.
    /// Source: POSIX sendto().
    virtual IoResult send_to(int fd, std::span<const std::byte> data, const Address& address) = 0;

    /// Ends a half of a connection: the peer reads to the end and finds it; one's own reading finds it at once, after what has
    /// arrived. ENOTCONN on a socket that is not connected.
    /// Source: POSIX shutdown().
    virtual IoResult shutdown(int fd, Half half) = 0;

    /// Counts the error that waits to be told (an errno value, or 0), and forgets it.
    /// Source: POSIX getsockopt(), SO_ERROR.
    virtual IoResult take_error(int fd) = 0;

    virtual IoResult local_address(int fd, Address& address) = 0;
    /// ENOTCONN on a socket that has no peer, or none any more.
    virtual IoResult peer_address(int fd, Address& address) = 0;

    virtual IoResult set_option(int fd, SocketOption option, int value) = 0;
    /// Counts the value.
    virtual IoResult get_option(int fd, SocketOption option) = 0;

    /// Removes the path that a Unix socket was bound to. ENOENT if there is none.
    /// Source: POSIX unlink().
    virtual IoResult unlink(const Address& address) = 0;
};

}  // namespace mishap
