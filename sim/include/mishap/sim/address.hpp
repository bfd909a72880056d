#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mishap {

/// Which kind of address a socket has.
enum class Family : std::uint8_t { ip4, ip6, unix_path };

/// Names an end of communication: an IP address and a port, or a path in the file system of a host.
///
/// A value, the same in the simulated world and the real one. Scopes of link-local IPv6 addresses are not kept.
class Address {
public:
    using Bytes = std::array<std::uint8_t, 16>;

    /// Makes the address of every interface, port 0: what an unbound socket has.
    Address() = default;

    static Address ip4(std::array<std::uint8_t, 4> bytes, std::uint16_t port);
    static Address ip6(const Bytes& bytes, std::uint16_t port);
    /// An empty path is the address of a socket without a name, such as those of a socket pair.
    static Address unix_path(std::string_view path);

    /// Returns 0.0.0.0 or ::, which stand for every address of a host; for paths, the empty one.
    static Address any(Family family, std::uint16_t port = 0);
    /// Returns 127.0.0.1 or ::1.
    static Address loopback(Family family, std::uint16_t port = 0);

    /// Reads an address as people write it: `10.0.0.1`, `::1`, `::ffff:10.0.0.1`. Nothing if `host` is neither IPv4 (four
    /// decimal numbers) nor IPv6 (RFC 4291, section 2.2); a name is for the resolver.
    static std::optional<Address> parse(std::string_view host, std::uint16_t port = 0);

    Family family() const { return family_; }
    /// Of an IPv4 address the first four count, and the others are zero.
    const Bytes& bytes() const { return bytes_; }
    std::uint16_t port() const { return port_; }
    const std::string& path() const { return path_; }

    bool is_any() const { return bytes_ == Bytes{} && path_.empty(); }
    bool is_loopback() const;
    Address with_port(std::uint16_t port) const;

    /// Returns the address without its port in its shortest form (RFC 5952), or the path.
    std::string host() const;
    /// Returns `10.0.0.1:80`, `[::1]:80` or `unix:/run/x`.
    std::string text() const;
    /// Returns a hash that is the same on all machines.
    std::uint64_t key() const;

    friend auto operator<=>(const Address& a, const Address& b) = default;

private:
    Family family_ = Family::ip4;
    std::uint16_t port_ = 0;
    Bytes bytes_{};
    std::string path_;
};

}  // namespace mishap
