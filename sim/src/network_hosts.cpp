// Hosts, links, and what goes wrong with them.
#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>
#include <mishap/sim/errors.hpp>
#include <mishap/sim/hash.hpp>
#include <mishap/sim/network.hpp>
#include <mishap/sim/path.hpp>
#include <mishap/sim/world.hpp>

namespace mishap {

namespace {

std::uint32_t number(HostId host) { return static_cast<std::uint32_t>(host); }

constexpr std::uint32_t million = 1'000'000;

void check(const LinkProfile& profile) {
    if (profile.delay_min.count() < 0 || profile.delay_max < profile.delay_min) {
        throw UsageError("a link's delays are lengths of time, delay_min at most delay_max");
    }
    if (std::max({profile.loss_ppm, profile.duplication_ppm, profile.reordering_ppm, profile.partial_ppm}) > million) {
        throw UsageError("odds in parts per million are at most 1'000'000");
    }
    if (profile.send_buffer_bytes == 0 || profile.receive_buffer_bytes == 0) {
        throw UsageError("a link's buffers hold at least one byte");
    }
}

}  // namespace

// ---- hosts -----------------------------------------------------------------------------------------------------------

Network::Host& Network::get(HostId host) {
    if (number(host) >= host_count_) {
        throw UsageError(fmt::format("there is no host {}; add_host() gives the numbers, anew in each run", number(host)));
    }
    return hosts_[number(host)];
}

const Network::Host& Network::get(HostId host) const { return const_cast<Network*>(this)->get(host); }

void Network::init_host(std::uint32_t host, std::string_view name) {
    if (hosts_.size() <= host) hosts_.emplace_back();
    Host& added = hosts_[host];
    added.name = name;
    added.addresses.clear();
    added.is_up = true;
    added.ports = {detail::child_key(detail::outside_key, hash_text("ports"), host), 0, 0};
    if (world_.is_observing()) {
        world_.names().put(added.ports.key, detail::outside_key, path_segment("ports of " + added.name));
    }
}

HostId Network::add_host(std::string_view name, std::span<const Address> addresses) {
    const auto host = static_cast<std::uint32_t>(host_count_);
    const std::uint32_t n = host + 1;
    Address::Bytes ip6{0xfd};
    for (std::size_t i = 0; i < 4; ++i) ip6[15 - i] = static_cast<std::uint8_t>(n >> (8 * i));
    const std::array<Address, 2> given{Address::ip4({10, ip6[13], ip6[14], ip6[15]}, 0), Address::ip6(ip6, 0)};
    if (addresses.empty()) addresses = given;
    for (const Address& address : addresses) {
        if (address.family() == Family::unix_path || address.is_any() || address.is_loopback()) {
            throw UsageError(fmt::format("{} cannot be the address of a host; give one by which others reach it",
                                         address.host()));
        }
        if (find_host(address)) {
            throw UsageError(fmt::format("{} is the address of another host already", address.host()));
        }
    }
    init_host(host, name);
    for (const Address& address : addresses) {
        hosts_[host].addresses.push_back(address.with_port(0));
        host_of_.emplace(address.with_port(0).key(), host);
    }
    ++host_count_;
    return HostId{host};
}

std::optional<HostId> Network::find_host(const Address& address) const {
    const auto place = host_of_.find(address.with_port(0).key());
    return place != host_of_.end() ? std::optional(HostId{place->second}) : std::nullopt;
}

void Network::set_current_host(HostId host) {
    get(host);
    current_ = host;
}

// ---- links -----------------------------------------------------------------------------------------------------------

Network::Link& Network::link_state(std::uint32_t from, std::uint32_t to) {
    if (links_.size() <= from) links_.resize(from + 1);
    if (links_[from].size() <= to) links_[from].resize(to + 1);
    return links_[from][to];
}

const LinkProfile& Network::profile(std::uint32_t from, std::uint32_t to) const {
    if (from < links_.size() && to < links_[from].size() && links_[from][to].has_profile) {
        return links_[from][to].profile;
    }
    return from == to ? loopback_ : default_link_;
}

void Network::set_link(HostId a, HostId b, const LinkProfile& profile) {
    set_link_one_way(a, b, profile);
    set_link_one_way(b, a, profile);
}

void Network::set_link_one_way(HostId from, HostId to, const LinkProfile& profile) {
    get(from);
    get(to);
    check(profile);
    Link& link = link_state(number(from), number(to));
    link.profile = profile;
    link.has_profile = true;
}

void Network::set_default_link(const LinkProfile& profile) {
    check(profile);
    default_link_ = profile;
}

const LinkProfile& Network::link(HostId from, HostId to) const { return profile(number(from), number(to)); }

std::uint32_t Network::decide(const char* what, std::span<const std::uint32_t> weights, std::uint32_t classes) {
    if (!world_.choices().is_asking()) return 0;
    const std::uint64_t label = hash_text(what);
    if (world_.is_observing()) world_.names().put(label, detail::outside_key, what);
    const std::uint32_t taken = world_.choices().decide(ChoiceKind::fault, classes, weights, world_.running(), label);
    world_.digest().fold(taken);
    world_.observe_answer(taken);
    if (world_.is_tracing() && taken != 0) {
        world_.tell({.kind = TraceEventKind::mishap, .object = label, .value = taken, .what = what});
    }
    return taken;
}

bool Network::does_happen(const char* what, std::uint32_t ppm) {
    if (ppm == 0) return false;
    const std::array<std::uint32_t, 2> weights = {million - ppm, ppm};
    return decide(what, weights, 2) != 0;
}

std::int64_t Network::arrival_ns(std::uint32_t from, std::uint32_t to, std::size_t bytes) {
    const LinkProfile& link = profile(from, to);
    std::int64_t departure_ns = now_ns();
    if (link.bytes_per_second != 0) {
        std::int64_t& busy_until_ns = link_state(from, to).busy_until_ns;
        // Rounded up, so that a message takes time on any link that is not infinitely fast.
        const std::uint64_t span = (bytes * 1'000'000'000U + link.bytes_per_second - 1) / link.bytes_per_second;
        departure_ns = busy_until_ns = std::max(departure_ns, busy_until_ns) + static_cast<std::int64_t>(span);
    }
    std::int64_t delay_ns = link.delay_min.count();
    if (link.delay_max != link.delay_min) {
        constexpr std::int64_t last_class = 7;
        delay_ns += (link.delay_max - link.delay_min).count() / last_class * decide("network delay", {}, last_class + 1);
    }
    return departure_ns + delay_ns;
}

std::size_t Network::partial(std::uint32_t from, std::uint32_t to, std::size_t count) {
    const std::uint32_t ppm = profile(from, to).partial_ppm;
    if (ppm == 0 || count < 2) return count;
    const std::array<std::uint32_t, 3> weights = {million - ppm, ppm - ppm / 2, ppm / 2};
    switch (decide("partial transfer", weights, 3)) {
        case 1: return 1;
        case 2: return (count + 1) / 2;
        default: return count;
    }
}

// ---- faults ----------------------------------------------------------------------------------------------------------

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
