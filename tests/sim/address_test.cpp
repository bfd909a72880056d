#include <mishap/sim/address.hpp>

#include <vector>

#include "support/catch.hpp"

using namespace mishap;

namespace {

std::string rewritten(const char* text) {
    const auto address = Address::parse(text);
    return address ? address->host() : "none";
}

}  // namespace

TEST_CASE("an IPv4 address is four decimal numbers") {
    const auto address = Address::parse("10.0.200.1", 80);
    REQUIRE(address.has_value());
    REQUIRE(*address == Address::ip4({10, 0, 200, 1}, 80));
    REQUIRE(address->text() == "10.0.200.1:80");
    for (const char* const text : {"", "10.0.0", "10.0.0.1.2", "10.0.0.256", "10.0.0.01", "1 .0.0.1", "10.0.0.1 ", "-1.0.0.1",
                                   "10..0.1", "localhost", "0x7f.0.0.1", "1000.0.0.1"}) {
        INFO(text);
        REQUIRE_FALSE(Address::parse(text).has_value());
    }
}

TEST_CASE("an IPv6 address is read in every form and written in the shortest") {
    REQUIRE(rewritten("::") == "::");
    REQUIRE(rewritten("::1") == "::1");
    REQUIRE(rewritten("1::") == "1::");
    REQUIRE(rewritten("2001:DB8:0:0:1:0:0:1") == "2001:db8::1:0:0:1");
    REQUIRE(rewritten("2001:db8:0:1:1:1:1:1") == "2001:db8:0:1:1:1:1:1");
    REQUIRE(rewritten("0:0:0:0:0:0:0:1") == "::1");
    REQUIRE(rewritten("fe80::0204:61ff") == "fe80::204:61ff");
    REQUIRE(rewritten("1:0:0:2:0:0:0:3") == "1:0:0:2::3");
    REQUIRE(rewritten("::ffff:192.0.2.1") == "::ffff:192.0.2.1");
    REQUIRE(rewritten("::ffff:c000:201") == "::ffff:192.0.2.1");
    REQUIRE(rewritten("64:ff9b::10.0.0.1") == "64:ff9b::a00:1");
    for (const char* const text : {":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::",
                                   "::g", "1:", ":1", "10.0.0.1::", "::10.0.0.1:1", "::1%lo"}) {
        INFO(text);
        REQUIRE_FALSE(Address::parse(text).has_value());
    }
    REQUIRE(Address::parse("::1", 443)->text() == "[::1]:443");
}

TEST_CASE("addresses are ordered by family, port and bytes, and equal ones have equal keys") {
    const std::vector<Address> addresses{Address::ip4({10, 0, 0, 1}, 80), Address::ip4({10, 0, 0, 2}, 80),
                                         Address::ip4({10, 0, 0, 1}, 81), *Address::parse("::1", 80),
                                         Address::unix_path(""), Address::unix_path("/run/x")};
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        for (std::size_t j = 0; j < addresses.size(); ++j) {
            REQUIRE((addresses[i] < addresses[j]) == (i < j));
            REQUIRE((addresses[i].key() == addresses[j].key()) == (i == j));
        }
    }
    REQUIRE(addresses[0].with_port(81) == addresses[2]);
    REQUIRE(addresses[0].key() == Address::parse("10.0.0.1", 80)->key());
}

TEST_CASE("the key of an address is the same on every machine") {
    REQUIRE(Address::parse("127.0.0.1", 80)->key() == Address::loopback(Family::ip4, 80).key());
    REQUIRE(Address::unix_path("/run/x").text() == "unix:/run/x");
    REQUIRE(Address::loopback(Family::ip4, 80).key() == 0x12cc2c1b22ca3c5U);
}

TEST_CASE("the whole of 127.0.0.0/8 is loopback, and an unbound address is any") {
    REQUIRE(Address::parse("127.9.9.9")->is_loopback());
    REQUIRE(Address::loopback(Family::ip6).is_loopback());
    REQUIRE_FALSE(Address::parse("128.0.0.1")->is_loopback());
    REQUIRE_FALSE(Address::parse("::2")->is_loopback());
    REQUIRE(Address().is_any());
    REQUIRE(Address::any(Family::ip6, 8).is_any());
    REQUIRE_FALSE(Address::loopback(Family::ip6).is_any());
    REQUIRE_FALSE(Address::unix_path("/x").is_any());
}
