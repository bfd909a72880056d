// Connected streams, as the program sees them: reading, writing, ending.
#include <algorithm>
#include <cerrno>

#include <mishap/sim/fake_selector.hpp>
#include <mishap/sim/network.hpp>
#include <mishap/sim/world.hpp>

namespace mishap {

namespace {

using detail::Flow;
using detail::Side;

constexpr std::size_t atomic_bytes = 4096;  // PIPE_BUF of Linux

std::uint8_t other(std::uint8_t side) { return static_cast<std::uint8_t>(1 - side); }

/// Nothing that is sent to it will be read, and the sender is told so at once, as within one kernel.
bool is_deaf(const detail::Connection& connection, const Side& peer) {
    return connection.is_immediate() && (peer.held == Side::Held::gone || peer.stopped_reading);
}

}  // namespace

IoResult Network::receive_stream(Socket& socket, std::span<std::byte> buffer) {
    if (socket.state != Socket::State::connected) {
        if (socket.error != 0) return take(socket.error);
        touch(socket.cell, Access::read, "receive");
        if (socket.state == Socket::State::connecting) return IoResult::failed(EAGAIN);
        if (socket.has_failed) return {};
        return IoResult::failed(socket.family == Family::unix_path ? EINVAL : ENOTCONN);
    }
    Connection& connection = connections_[socket.connection];
    Side& me = connection.sides[socket.side];
    Flow& flow = connection.flows[other(socket.side)];
    if (buffer.empty()) return {};
    if (flow.arrived == 0) {
        touch(flow.cell, Access::read, "receive");
        if (connection.kind == Connection::Kind::stream && me.sees_end) return {};
        if (me.error != 0) {
            const IoResult result = take(me.error);
            update(me.fd);
            return result;
        }
        return me.sees_end || me.is_reset || me.stopped_reading ? IoResult{} : IoResult::failed(EAGAIN);
    }
    touch(flow.cell, Access::write, "receive");
    const std::size_t count =
        partial(connection.sides[other(socket.side)].host, me.host, std::min(buffer.size(), flow.arrived));
    flow.bytes.take(buffer.first(count));
    flow.arrived -= count;
    flow.read += count;
    if (flow.arrived == 0) update(me.fd);
    tell_read(socket.connection, other(socket.side));
    return {static_cast<std::int64_t>(count), 0};
}

IoResult Network::send_stream(Socket& socket, std::span<const std::byte> data) {
    if (socket.state != Socket::State::connected) {
        if (socket.error != 0) return take(socket.error);
        touch(socket.cell, Access::read, "send");
        if (socket.state == Socket::State::connecting) return IoResult::failed(EAGAIN);
        return IoResult::failed(socket.family == Family::unix_path ? ENOTCONN : EPIPE);
    }
    Connection& connection = connections_[socket.connection];
    Side& me = connection.sides[socket.side];
    const Side& peer = connection.sides[other(socket.side)];
    Flow& flow = connection.flows[socket.side];
    if (!connection.is_immediate() && me.error != 0) {
        touch(flow.cell, Access::write, "send");
        const IoResult result = take(me.error);
        update(me.fd);
        return result;
    }
    if (me.is_reset || me.has_ended || is_deaf(connection, peer)) {
        touch(flow.cell, Access::read, "send");
        return IoResult::failed(EPIPE);
    }
    if (data.empty()) return {};
    const std::size_t space = flow.space();
    const bool is_atomic = connection.kind == Connection::Kind::pipe && data.size() <= atomic_bytes;
    if (space < (is_atomic ? data.size() : 1)) {
        touch(flow.cell, Access::read, "send");
        return IoResult::failed(EAGAIN);
    }
    touch(flow.cell, Access::write, "send");
    std::size_t count = std::min(data.size(), space);
    if (!is_atomic) count = partial(me.host, peer.host, count);
    flow.bytes.append(data.first(count));
    flow.sent += count;
    if (flow.space() == 0 || connection.kind == Connection::Kind::pipe) update(me.fd);
    if (connection.is_immediate()) {
        const bool was_empty = flow.arrived == 0;
        flow.arrived += count;
        if (was_empty) update(peer.fd);
    } else {
        push(socket.connection, socket.side, Segment::Kind::data, static_cast<std::uint32_t>(count));
    }
    return {static_cast<std::int64_t>(count), 0};
}

IoResult Network::shutdown_stream(Socket& socket, Half half) {
    Connection& connection = connections_[socket.connection];
    Side& me = connection.sides[socket.side];
    Side& peer = connection.sides[other(socket.side)];
    if (me.is_reset) return IoResult::failed(ENOTCONN);
    if (half != Half::receiving) {
        touch(connection.flows[socket.side].cell, Access::write, "shutdown");
        end_sending(socket.connection, socket.side);
    }
    if (half != Half::sending) {
        touch(connection.flows[other(socket.side)].cell, Access::write, "shutdown");
        me.stopped_reading = true;
        if (connection.is_immediate()) update(peer.fd);
    }
    update(me.fd);
    return {};
}

void Network::update_stream(int fd, const Socket& socket) {
    const Connection& connection = connections_[socket.connection];
    const Side& me = connection.sides[socket.side];
    const Side& peer = connection.sides[other(socket.side)];
    const Flow& in = connection.flows[other(socket.side)];
    const Flow& out = connection.flows[socket.side];
    const bool is_over = me.is_reset || me.error != 0;
    // An error, and for reading ends of pipes the end, are reported as whatever was asked for.
    switch (socket.use) {
        case Socket::Use::pipe_read:
            selector_.set_readable(fd, in.arrived != 0 || me.sees_end);
            selector_.set_writable(fd, me.sees_end);
            break;
        case Socket::Use::pipe_write:
            selector_.set_readable(fd, is_deaf(connection, peer));
            selector_.set_writable(fd, out.space() >= atomic_bytes || is_deaf(connection, peer));
            break;
        default:
            selector_.set_readable(fd, in.arrived != 0 || me.sees_end || me.stopped_reading || is_over);
            selector_.set_writable(fd, out.space() != 0 || me.has_ended || is_deaf(connection, peer) || is_over);
    }
}

void Network::end_sending(std::uint32_t index, std::uint8_t side) {
    Connection& connection = connections_[index];
    Side& me = connection.sides[side];
    Side& peer = connection.sides[other(side)];
    if (me.has_ended) return;
    me.has_ended = true;
    me.ended_first = !me.sees_end;
    if (connection.is_immediate()) {
        peer.sees_end = true;
        update(peer.fd);
    } else {
        push(index, side, Segment::Kind::end, 0);
    }
}

void Network::close_side(std::uint32_t index, std::uint8_t side, bool is_abrupt) {
    Connection& connection = connections_[index];
    Side& me = connection.sides[side];
    Side& peer = connection.sides[other(side)];
    Flow& in = connection.flows[other(side)];
    const bool has_unread = in.arrived != 0;
    me.held = Side::Held::gone;
    me.fd = -1;
    me.has_crashed = !hosts_[me.host].is_up;
    if (connection.is_immediate()) {
        if (has_unread && connection.kind == Connection::Kind::local) peer.error = ECONNRESET;
        if (is_abrupt) peer.error = ECONNRESET;  // a connection that nobody accepted
        peer.sees_end = true;
        update(peer.fd);
    } else if (!me.is_reset && !me.has_crashed) {
        if (has_unread || is_abrupt) {
            reset_peer(index, side);
        } else {
            end_sending(index, side);
        }
    }
    in.bytes.drop(in.arrived);
    in.arrived = 0;
    if (me.has_crashed && me.binding != detail::no_binding) {
        bindings_.remove(me.binding);
        me.binding = detail::no_binding;
    }
    release_if_done(index);
}

void Network::reset_peer(std::uint32_t index, std::uint8_t side) {
    Connection& connection = connections_[index];
    Side& me = connection.sides[side];
    if (me.has_reset) return;
    me.has_reset = true;
    connection.was_reset = true;
    push(index, side, Segment::Kind::reset, 0);
}

void Network::release_if_done(std::uint32_t index) {
    Connection& connection = connections_[index];
    if (connection.sides[0].held != Side::Held::gone || connection.sides[1].held != Side::Held::gone) return;
    // What is still on its way can change nothing that anybody sees.
    for (const Side& side : connection.sides) {
        if (side.binding == detail::no_binding) continue;
        if (side.ended_first && !connection.was_reset && !side.has_crashed) {
            bindings_.wait(side.binding, now_ns());
        } else {
            bindings_.remove(side.binding);
        }
    }
    free_connection(index);
}

}  // namespace mishap
