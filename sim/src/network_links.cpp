// What carries messages, and how long that takes.
#include <algorithm>
#include <array>

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
    // What a host answers by itself is nobody's step, so that nobody could be asked.
    if (event_ns_ >= 0 || !world_.choices().is_asking()) return 0;
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
        Link& state = link_state(from, to);
        if (state.cell.key == 0) {
            state.cell.key = detail::child_key(detail::outside_key, hash_text("link"), (std::uint64_t{from} << 32U) | to);
        }
        if (event_ns_ < 0) touch(state.cell, Access::update, "send");
        std::int64_t& busy_until_ns = state.busy_until_ns;
        // Rounded up, so that a message takes time on any link that is not infinitely fast.
        const std::uint64_t span = (bytes * 1'000'000'000U + link.bytes_per_second - 1) / link.bytes_per_second;
        departure_ns = busy_until_ns = std::max(departure_ns, busy_until_ns) + static_cast<std::int64_t>(span);
    }
    std::int64_t delay_ns = link.delay_min.count();
    if (link.delay_max != link.delay_min) {
        // The longest is among those offered; a range of few values offers each of them.
        const std::int64_t range = (link.delay_max - link.delay_min).count();
        const auto last_class = static_cast<std::uint32_t>(std::min<std::int64_t>(range, 7));
        const std::uint32_t taken = decide("network delay", {}, last_class + 1);
        delay_ns += taken == last_class ? range : range / last_class * taken;
        has_sampled_amounts_ = has_sampled_amounts_ || range > last_class;
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

}  // namespace mishap
