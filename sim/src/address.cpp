#include <mishap/sim/address.hpp>

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <mishap/sim/hash.hpp>

namespace mishap {

namespace {

using Bytes = Address::Bytes;

/// Reads all of `text` as a number of at most `digits_max` digits that is at most `number_max`.
std::optional<std::uint32_t> read_number(std::string_view text, int base, std::size_t digits_max,
                                         std::uint32_t number_max) {
    std::uint32_t number = 0;
    const char* const end = text.data() + text.size();
    if (text.empty() || text.size() > digits_max) return std::nullopt;
    const auto [stopped, error] = std::from_chars(text.data(), end, number, base);
    if (error != std::errc{} || stopped != end || number > number_max) return std::nullopt;
    return number;
}

std::optional<std::array<std::uint8_t, 4>> read_ip4(std::string_view text) {
    std::array<std::uint8_t, 4> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const std::size_t dot = i + 1 < bytes.size() ? text.find('.') : text.size();
        if (dot == std::string_view::npos) return std::nullopt;
        const auto number = read_number(text.substr(0, dot), 10, 3, 255);
        // A leading zero means octal to some readers and nothing to others, so it is refused, as inet_pton does.
        if (!number || (dot > 1 && text[0] == '0')) return std::nullopt;
        bytes[i] = static_cast<std::uint8_t>(*number);
        text.remove_prefix(std::min(dot + 1, text.size()));
    }
    return bytes;
}

/// Reads groups separated by colons into `bytes` and returns how many bytes they are; nothing if they are none.
std::optional<std::size_t> read_groups(std::string_view text, Bytes& bytes) {
    std::size_t count = 0;
    while (!text.empty()) {
        const std::size_t colon = text.find(':');
        const std::string_view group = text.substr(0, colon);
        const bool is_last = colon == std::string_view::npos;
        if (is_last && group.find('.') != std::string_view::npos) {
            const auto ip4 = read_ip4(group);
            if (!ip4 || count + 4 > bytes.size()) return std::nullopt;
            std::copy(ip4->begin(), ip4->end(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
            return count + 4;
        }
        const auto number = read_number(group, 16, 4, 0xffff);
        if (!number || count + 2 > bytes.size()) return std::nullopt;
        bytes[count++] = static_cast<std::uint8_t>(*number >> 8U);
        bytes[count++] = static_cast<std::uint8_t>(*number & 0xffU);
        if (is_last) return count;
        text.remove_prefix(colon + 1);
        if (text.empty()) return std::nullopt;  // ended in a colon
    }
    return count;
}

std::optional<Bytes> read_ip6(std::string_view text) {
    Bytes front{};
    const std::size_t gap = text.find("::");
    if (gap == std::string_view::npos) {
        const auto count = read_groups(text, front);
        return count == front.size() ? std::optional(front) : std::nullopt;
    }
    Bytes back{};
    const std::string_view before = text.substr(0, gap);
    const auto front_count = before.find('.') == std::string_view::npos ? read_groups(before, front) : std::nullopt;
    const auto back_count = read_groups(text.substr(gap + 2), back);
    // The gap stands for at least one group.
    if (!front_count || !back_count || *front_count + *back_count > front.size() - 2) return std::nullopt;
    std::copy_n(back.begin(), *back_count, front.end() - static_cast<std::ptrdiff_t>(*back_count));
    return front;
}

std::string write_ip6(const Bytes& bytes) {
    std::array<unsigned, 8> groups{};
    for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = bytes[2 * i] * 256U + bytes[2 * i + 1];
    if (std::all_of(groups.begin(), groups.begin() + 5, [](unsigned group) { return group == 0; }) &&
        groups[5] == 0xffff) {
        return fmt::format("::ffff:{}.{}.{}.{}", bytes[12], bytes[13], bytes[14], bytes[15]);
    }
    // The longest run of zeros becomes the gap, the first of several, but never a single group.
    std::size_t gap = 0;
    std::size_t gap_size = 1;
    for (std::size_t i = 0; i < groups.size();) {
        std::size_t end = i;
        while (end < groups.size() && groups[end] == 0) ++end;
        if (end - i > gap_size) {
            gap = i;
            gap_size = end - i;
        }
        i = std::max(end, i + 1);
    }
    std::string text;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        if (gap_size > 1 && i == gap) {
            text += "::";
            i += gap_size - 1;
            continue;
        }
        if (!text.empty() && text.back() != ':') text += ':';
        text += fmt::format("{:x}", groups[i]);
    }
    return text;
}

}  // namespace

Address Address::ip4(std::array<std::uint8_t, 4> bytes, std::uint16_t port) {
    Address address;
    std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
    address.port_ = port;
    return address;
}

Address Address::ip6(const Bytes& bytes, std::uint16_t port) {
    Address address;
    address.family_ = Family::ip6;
    address.bytes_ = bytes;
    address.port_ = port;
    return address;
}

Address Address::unix_path(std::string_view path) {
    Address address;
    address.family_ = Family::unix_path;
    address.path_ = path;
    return address;
}

Address Address::any(Family family, std::uint16_t port) {
    Address address;
    address.family_ = family;
    address.port_ = port;
    return address;
}

Address Address::loopback(Family family, std::uint16_t port) {
    Address address = any(family, port);
    if (family == Family::ip4) address.bytes_ = {127, 0, 0, 1};
    if (family == Family::ip6) address.bytes_[15] = 1;
    return address;
}

std::optional<Address> Address::parse(std::string_view host, std::uint16_t port) {
    if (const auto bytes = read_ip4(host)) return ip4(*bytes, port);
    if (host.find(':') == std::string_view::npos) return std::nullopt;
    const auto bytes = read_ip6(host);
    return bytes ? std::optional(ip6(*bytes, port)) : std::nullopt;
}

bool Address::is_loopback() const {
    return family_ == Family::ip4 ? bytes_[0] == 127 : family_ == Family::ip6 && bytes_ == loopback(Family::ip6).bytes_;
}

Address Address::with_port(std::uint16_t port) const {
    Address address = *this;
    address.port_ = port;
    return address;
}

std::string Address::host() const {
    switch (family_) {
        case Family::ip4: return fmt::format("{}.{}.{}.{}", bytes_[0], bytes_[1], bytes_[2], bytes_[3]);
        case Family::ip6: return write_ip6(bytes_);
        case Family::unix_path: break;
    }
    return path_;
}

std::string Address::text() const {
    switch (family_) {
        case Family::ip4: return fmt::format("{}:{}", host(), port_);
        case Family::ip6: return fmt::format("[{}]:{}", host(), port_);
        case Family::unix_path: break;
    }
    return "unix:" + path_;
}

std::uint64_t Address::key() const {
    const std::uint64_t head = mix(static_cast<std::uint64_t>(family_), port_);
    return mix(head, family_ == Family::unix_path ? hash_text(path_) : hash_bytes(bytes_.data(), bytes_.size()));
}

}  // namespace mishap
