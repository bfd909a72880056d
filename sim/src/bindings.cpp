#include <mishap/sim/detail/bindings.hpp>

#include <mishap/sim/hash.hpp>

namespace mishap::detail {

namespace {

// Linux's net.ipv4.ip_local_port_range. Taken in turn, for a drawn one would be a choice that means nothing.
constexpr std::uint16_t first_port = 32'768;
constexpr std::uint16_t last_port = 60'999;

}  // namespace

std::uint64_t Bindings::key(std::uint32_t host, SocketKind kind, const Address& address) {
    const std::uint64_t family = static_cast<std::uint64_t>(address.family()) * 2 + static_cast<std::uint64_t>(kind);
    return mix(mix(host, family), address.family() == Family::unix_path ? address.key() : address.port());
}

std::uint32_t Bindings::add(const Binding& binding) {
    auto index = static_cast<std::uint32_t>(bindings_.size());
    if (free_.empty()) {
        bindings_.push_back(binding);
    } else {
        index = free_.back();
        free_.pop_back();
        bindings_[index] = binding;
    }
    const auto [place, is_first] = first_.try_emplace(key(binding.host, binding.kind, binding.address), index);
    bindings_[index].next = is_first ? no_binding : place->second;
    place->second = index;
    return index;
}

void Bindings::remove(std::uint32_t index) {
    const Binding& binding = bindings_[index];
    const auto place = first_.find(key(binding.host, binding.kind, binding.address));
    if (place->second == index && binding.next == no_binding) {
        first_.erase(place);
    } else {
        std::uint32_t* link = &place->second;
        while (*link != index) link = &bindings_[*link].next;
        *link = binding.next;
    }
    bindings_[index].is_waiting = false;
    free_.push_back(index);
}

void Bindings::wait(std::uint32_t index, std::int64_t now_ns) {
    bindings_[index].fd = -1;
    bindings_[index].is_waiting = true;
    bindings_[index].until_ns = now_ns + wait_ns;
    waiting_.push({index});
}

void Bindings::expire(std::int64_t now_ns) {
    while (!waiting_.empty() && bindings_[waiting_.front().index].until_ns <= now_ns) {
        remove(waiting_.front().index);
        waiting_.pop();
    }
}

void Bindings::forget_waiting(std::uint32_t host) {
    for (Binding& binding : bindings_) {
        if (binding.is_waiting && binding.host == host) binding.until_ns = 0;  // `expire` removes it in its turn
    }
}

void Bindings::clear() {
    bindings_.clear();
    free_.clear();
    first_.clear();
    next_port_.clear();
    waiting_.clear();
}

std::uint32_t Bindings::first(std::uint32_t host, SocketKind kind, const Address& address) const {
    const auto place = first_.find(key(host, kind, address));
    return place != first_.end() ? place->second : no_binding;
}

std::uint16_t Bindings::free_port(std::uint32_t host, SocketKind kind, Family family) {
    std::uint16_t& next = next_port_[key(host, kind, Address::any(family))];
    for (int tries = first_port; tries <= last_port; ++tries) {
        const std::uint16_t port = next == 0 ? first_port : next;
        next = port == last_port ? first_port : static_cast<std::uint16_t>(port + 1);
        if (first(host, kind, Address::any(family, port)) == no_binding) return port;
    }
    return 0;
}

}  // namespace mishap::detail
