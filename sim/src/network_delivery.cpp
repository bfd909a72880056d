// What happens on the way: events, pieces of streams, and what is sent again.
#include <algorithm>
#include <cerrno>

#include <mishap/sim/fake_selector.hpp>
#include <mishap/sim/network.hpp>
#include <mishap/sim/world.hpp>

namespace mishap {

namespace {

using detail::Flow;
using detail::NetworkEvent;
using detail::Side;

// The least time after which Linux sends again (TCP_RTO_MIN), the most (RFC 6298, section 2.5), and how often
// (net.ipv4.tcp_retries2).
constexpr std::int64_t send_again_min_ns = 200'000'000;
constexpr std::int64_t send_again_max_ns = 120'000'000'000;
constexpr std::uint32_t attempts_max = 15;

std::int64_t wait_ns(std::uint32_t attempts) { return std::min(send_again_min_ns << attempts, send_again_max_ns); }

}  // namespace

bool Network::deliver_until(std::int64_t now_ns) {
    bool is_any = false;
    while (events_.next_ns() <= now_ns) {
        const NetworkEvent event = events_.pop();
        event_ns_ = event.time_ns;
        happen(event);
        is_any = true;
    }
    event_ns_ = -1;
    return is_any;
}

void Network::happen(const NetworkEvent& event) {
    if (event.kind == NetworkEvent::Kind::datagram) {
        on_packet(event.index);
    } else if (event.kind == NetworkEvent::Kind::datagram_refused) {
        Socket* const socket = find(static_cast<int>(event.index));
        if (socket == nullptr || socket->serial != event.serial) return;
        socket->error = event.error;
        update(static_cast<int>(event.index));
    } else if (connections_[event.index].serial == event.serial) {
        switch (event.kind) {
            case NetworkEvent::Kind::connect_asks: on_asked(event.index); break;
            case NetworkEvent::Kind::connect_answered: on_answered(event.index, event.error); break;
            case NetworkEvent::Kind::flow: deliver_flow(event.index, event.direction); break;
            default: on_told(event.index, event.direction); break;
        }
    }
}

void Network::push(std::uint32_t index, std::uint8_t direction, Segment::Kind kind, std::uint32_t bytes) {
    Connection& connection = connections_[index];
    Flow& flow = connection.flows[direction];
    const std::uint32_t from = connection.sides[direction].host;
    const std::uint32_t to = connection.sides[1U - direction].host;
    std::int64_t arrival = arrival_ns(from, to, bytes);
    if (does_happen("segment lost", profile(from, to).loss_ppm)) arrival += send_again_min_ns;
    arrival = flow.last_arrival_ns = std::max(arrival, flow.last_arrival_ns);
    if (!flow.in_flight.empty() && kind == Segment::Kind::data) {
        Segment& last = flow.in_flight.back();
        if (last.kind == kind && last.arrival_ns == arrival) {
            last.bytes += bytes;
            return;
        }
    }
    flow.in_flight.push({arrival, bytes, kind});
    if (!flow.is_scheduled) schedule_flow(index, direction);
}

void Network::schedule_flow(std::uint32_t index, std::uint8_t direction) {
    Connection& connection = connections_[index];
    Flow& flow = connection.flows[direction];
    flow.is_scheduled = true;
    events_.push({.time_ns = std::max(flow.in_flight.front().arrival_ns, now_ns()),
                  .kind = NetworkEvent::Kind::flow,
                  .direction = direction,
                  .index = index,
                  .serial = connection.serial});
}

void Network::deliver_flow(std::uint32_t index, std::uint8_t direction) {
    Connection& connection = connections_[index];
    const std::uint64_t serial = connection.serial;
    Flow& flow = connection.flows[direction];
    flow.is_scheduled = false;
    while (!flow.in_flight.empty() && flow.in_flight.front().arrival_ns <= now_ns()) {
        const Segment segment = flow.in_flight.front();
        if (flow.attempts > attempts_max ||  // the time after the last attempt is over
            !does_pass(connection.sides[direction].host, connection.sides[1U - direction].host) ||
            (segment.kind == Segment::Kind::opened && !has_room_to_accept(connection))) {
            send_again(index, direction);
            if (connection.serial != serial || flow.in_flight.empty()) return;
            break;
        }
        flow.in_flight.pop();
        flow.attempts = 0;
        arrive(index, direction, segment);
        if (connection.serial != serial) return;
    }
    if (!flow.in_flight.empty() && !flow.is_scheduled) schedule_flow(index, direction);
}

/// Takes the first piece for lost: it is sent again later, if its sender is still there, but not for ever.
void Network::send_again(std::uint32_t index, std::uint8_t direction) {
    Connection& connection = connections_[index];
    Flow& flow = connection.flows[direction];
    Side& sender = connection.sides[direction];
    if (!sender.has_crashed && flow.attempts <= attempts_max) {
        flow.in_flight.front().arrival_ns = now_ns() + wait_ns(flow.attempts++);
        return;
    }
    flow.cut();
    flow.attempts = 0;
    if (sender.has_crashed) return;
    connection.was_reset = sender.is_reset = true;
    sender.error = ETIMEDOUT;
    update(sender.fd);
}

void Network::arrive(std::uint32_t index, std::uint8_t direction, const Segment& segment) {
    Connection& connection = connections_[index];
    const auto to = static_cast<std::uint8_t>(1 - direction);
    Side& me = connection.sides[to];
    Flow& flow = connection.flows[direction];
    const bool is_gone = me.held == Side::Held::gone;
    switch (segment.kind) {
        case Segment::Kind::opened: arrive_opened(index); break;
        case Segment::Kind::data:
            if (is_gone || me.is_reset) {
                flow.cut();
                reset_peer(index, to);
            } else {
                flow.arrived += segment.bytes;
                update(me.fd);
            }
            break;
        case Segment::Kind::end:
            me.sees_end = true;
            if (me.has_crashed) reset_peer(index, to);
            update(me.fd);
            break;
        case Segment::Kind::reset:
            connection.was_reset = true;
            connection.flows[to].cut();
            if (is_gone || me.is_reset) break;
            me.error = me.sees_end ? EPIPE : ECONNRESET;  // Linux, tcp_reset()
            me.is_reset = true;
            update(me.fd);
            break;
    }
}

/// Lets the sender know that there is room again: at once within a host, else when half of it is free, as receivers do
/// (RFC 9293, section 3.8.6.2.2), so that small messages cost nothing more.
void Network::tell_read(std::uint32_t index, std::uint8_t direction) {
    Connection& connection = connections_[index];
    Flow& flow = connection.flows[direction];
    const Side& sender = connection.sides[direction];
    if (connection.is_immediate()) {
        const bool was_full = flow.space() == 0;
        flow.known = flow.read;
        if (was_full || connection.kind == Connection::Kind::pipe) update(sender.fd);
        return;
    }
    if (flow.is_telling || flow.read - flow.told < std::max(flow.room / 2, 1U)) return;
    flow.is_telling = true;
    flow.told = flow.read;
    events_.push({.time_ns = now_ns() + profile(connection.sides[1U - direction].host, sender.host).delay_min.count(),
                  .kind = NetworkEvent::Kind::window,
                  .direction = direction,
                  .index = index,
                  .serial = connection.serial});
}

void Network::on_told(std::uint32_t index, std::uint8_t direction) {
    Connection& connection = connections_[index];
    Flow& flow = connection.flows[direction];
    const Side& sender = connection.sides[direction];
    flow.is_telling = false;
    if (!does_pass(connection.sides[1U - direction].host, sender.host)) {
        flow.is_telling = true;
        events_.push({.time_ns = now_ns() + send_again_min_ns,
                      .kind = NetworkEvent::Kind::window,
                      .direction = direction,
                      .index = index,
                      .serial = connection.serial});
        return;
    }
    flow.known = flow.told;
    update(sender.fd);
    tell_read(index, direction);  // what was read in the meantime
}

}  // namespace mishap
