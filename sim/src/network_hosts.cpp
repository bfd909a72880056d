// Hosts and their addresses.
#include <array>

#include <fmt/format.h>
#include <mishap/sim/errors.hpp>
#include <mishap/sim/hash.hpp>
#include <mishap/sim/network.hpp>
#include <mishap/sim/path.hpp>
#include <mishap/sim/world.hpp>

namespace mishap {

namespace {

std::uint32_t number(HostId host) { return static_cast<std::uint32_t>(host); }

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

}  // namespace mishap
