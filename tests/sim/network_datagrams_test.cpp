#include <mishap/sim/network.hpp>

#include <chrono>

#include "sim/network_world.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

/// A receiver on a host of its own and a sender on the local one.
struct TwoHosts : NetworkWorld {
    explicit TwoHosts(Strategy* strategy = nullptr) : NetworkWorld(strategy) {
        there = network.add_host("there");
        to = network.addresses(there)[0].with_port(53);
        network.set_current_host(there);
        receiver = open(Family::ip4, SocketKind::datagram);
        REQUIRE(bind(receiver, to) == "0");
        network.set_current_host(HostId::local);
        sender = open(Family::ip4, SocketKind::datagram);
    }
    HostId there{};
    Address to;
    int receiver = -1;
    int sender = -1;
};

}  // namespace

TEST_CASE("a datagram arrives whole, after the delay, with the address to answer to") {
    TwoHosts net;
    REQUIRE(net.readiness(net.sender) == "w");
    REQUIRE(net.send_to(net.sender, "question", net.to) == "8");
    REQUIRE(net.send_to(net.sender, "", net.to) == "0");
    net.wait(1ms - 1ns);
    REQUIRE(net.receive(net.receiver) == "EAGAIN");
    net.wait(1ns);
    REQUIRE(net.readiness(net.receiver) == "rw");
    Address from;
    REQUIRE(net.receive_from(net.receiver, from) == "'question'");
    REQUIRE(from.text() == "10.0.0.1:32768");
    REQUIRE(net.receive_from(net.receiver, from) == "''");  // an empty one is one, too
    REQUIRE(net.receive_from(net.receiver, from) == "EAGAIN");
    REQUIRE(net.readiness(net.receiver) == "w");
    REQUIRE(net.send_to(net.receiver, "answer", from) == "6");
    net.settle();
    REQUIRE(net.receive(net.sender) == "'answer'");
}

TEST_CASE("what of a datagram does not fit the buffer is lost") {
    TwoHosts net;
    REQUIRE(net.send_to(net.sender, "0123456789", net.to) == "10");
    REQUIRE(net.send_to(net.sender, "next", net.to) == "4");
    net.settle();
    REQUIRE(net.receive(net.receiver, 4) == "'0123'");
    REQUIRE(net.receive(net.receiver) == "'next'");
}

TEST_CASE("a datagram that is too large for the link is refused whole") {
    TwoHosts net;
    REQUIRE(net.send_to(net.sender, std::string(65'508, 'x'), net.to) == "EMSGSIZE");
    REQUIRE(net.send_to(net.sender, std::string(65'507, 'x'), net.to) == "65507");
    LinkProfile profile;
    profile.datagram_bytes_max = 5;
    net.network.set_link(HostId::local, net.there, profile);
    REQUIRE(net.send_to(net.sender, "123456", net.to) == "EMSGSIZE");
    REQUIRE(net.send_to(net.sender, "12345", net.to) == "5");
}

TEST_CASE("a datagram needs somewhere to go") {
    TwoHosts net;
    REQUIRE(net.send(net.sender, "x") == "EDESTADDRREQ");
    REQUIRE(net.send_to(net.sender, "x", net.to.with_port(0)) == "EINVAL");
    REQUIRE(net.shutdown(net.sender) == "ENOTCONN");
    REQUIRE(net.network.listen(net.sender, 1).error == EOPNOTSUPP);
}

TEST_CASE("a socket with one peer hears nobody else") {
    TwoHosts net;
    REQUIRE(net.connect(net.sender, net.to) == "0");
    Address local;
    REQUIRE(net.network.local_address(net.sender, local).is_ok());
    REQUIRE(local.text() == "10.0.0.1:32768");
    net.network.set_current_host(net.there);
    const int stranger = net.open(Family::ip4, SocketKind::datagram);
    REQUIRE(net.send_to(stranger, "stranger", local) == "8");
    REQUIRE(net.send(net.sender, "x") == "1");
    net.settle();
    REQUIRE(net.receive(net.sender) == "EAGAIN");
    REQUIRE(net.send_to(net.receiver, "peer", local) == "4");
    net.settle();
    REQUIRE(net.receive(net.sender) == "'peer'");
}

TEST_CASE("only a socket with one peer is told that nobody is there, by its next operation") {
    TwoHosts net;
    REQUIRE(net.network.close(net.receiver).is_ok());
    REQUIRE(net.send_to(net.sender, "x", net.to) == "1");
    net.settle();
    REQUIRE(net.error(net.sender) == "0");
    REQUIRE(net.connect(net.sender, net.to) == "0");
    REQUIRE(net.send(net.sender, "x") == "1");
    net.wait(2ms - 1ns);
    REQUIRE(net.readiness(net.sender) == "w");
    net.wait(1ns);
    REQUIRE(net.readiness(net.sender) == "rw");
    REQUIRE(net.receive(net.sender) == "ECONNREFUSED");
    REQUIRE(net.receive(net.sender) == "EAGAIN");
    REQUIRE(net.send(net.sender, "x") == "1");
    net.settle();
    REQUIRE(net.send(net.sender, "y") == "ECONNREFUSED");

    const int lost = net.open(Family::ip4, SocketKind::datagram);
    REQUIRE(net.connect(lost, *Address::parse("192.0.2.1", 53)) == "0");
    REQUIRE(net.send(lost, "x") == "1");
    net.settle();
    REQUIRE(net.error(lost) == "EHOSTUNREACH");
}

TEST_CASE("what a receiver has no room for is lost without a word") {
    TwoHosts net;
    REQUIRE(net.network.set_option(net.receiver, SocketOption::receive_buffer_bytes, 8).is_ok());
    for (const char* const text : {"0123456789", "a", "b"}) REQUIRE(net.send_to(net.sender, text, net.to) != "0");
    net.settle();
    REQUIRE(net.receive(net.receiver) == "'0123456789'");  // one fits always
    REQUIRE(net.receive(net.receiver) == "EAGAIN");
    for (const char* const text : {"0123", "4567", "8"}) REQUIRE(net.send_to(net.sender, text, net.to) != "0");
    net.settle();
    REQUIRE(net.receive(net.receiver) == "'0123'");
    REQUIRE(net.receive(net.receiver) == "'4567'");
    REQUIRE(net.receive(net.receiver) == "EAGAIN");
}

TEST_CASE("datagrams of a bad link are lost, doubled and overtaken, each by a choice of its own") {
    LinkProfile profile;
    const auto received = [&profile](std::vector<std::uint32_t> given, std::size_t questions) {
        Answers answers(std::move(given));
        TwoHosts net(&answers);
        net.network.set_link(HostId::local, net.there, profile);
        for (const char* const text : {"a", "b", "c"}) REQUIRE(net.send_to(net.sender, text, net.to) == "1");
        net.settle();
        REQUIRE(answers.classes == std::vector<std::uint32_t>(questions, 2));
        std::string all;
        for (std::string one = net.receive(net.receiver); one != "EAGAIN"; one = net.receive(net.receiver)) all += one[1];
        return all;
    };
    SECTION("calmly nothing is asked") { REQUIRE(received({}, 0) == "abc"); }
    SECTION("lost") {
        profile.loss_ppm = 1'000;
        REQUIRE(received({0, 1, 0}, 3) == "ac");
    }
    SECTION("doubled") {
        profile.duplication_ppm = 1'000;
        REQUIRE(received({0, 1, 0}, 3) == "abbc");
    }
    SECTION("overtaken") {
        profile.reordering_ppm = 1'000;
        REQUIRE(received({1, 0, 0}, 3) == "bca");
    }
    SECTION("not even the worst link loses anything when the answers are calm") {
        profile.loss_ppm = 1'000'000;
        REQUIRE(received({}, 3) == "abc");
    }
}

TEST_CASE("a datagram socket that is shut down sends no more") {
    TwoHosts net;
    REQUIRE(net.connect(net.sender, net.to) == "0");
    REQUIRE(net.shutdown(net.sender, Half::both) == "0");
    REQUIRE(net.send(net.sender, "x") == "EPIPE");
    REQUIRE(net.receive(net.sender) == "EAGAIN");
}

TEST_CASE("a datagram finds the socket of its address before the one of every address") {
    NetworkWorld net;
    const int every = net.open(Family::ip4, SocketKind::datagram);
    REQUIRE(net.network.set_option(every, SocketOption::reuse_address, 1).is_ok());
    REQUIRE(net.bind(every, Address::any(Family::ip4, 53)) == "0");
    const int one = net.open(Family::ip4, SocketKind::datagram);
    REQUIRE(net.bind(one, Address::loopback(Family::ip4, 53)) == "EADDRINUSE");
    REQUIRE(net.network.set_option(one, SocketOption::reuse_address, 1).is_ok());
    REQUIRE(net.bind(one, Address::loopback(Family::ip4, 53)) == "0");
    const int sender = net.open(Family::ip4, SocketKind::datagram);
    REQUIRE(net.send_to(sender, "one", Address::loopback(Family::ip4, 53)) == "3");
    REQUIRE(net.send_to(sender, "every", net.network.addresses(HostId::local)[0].with_port(53)) == "5");
    net.settle();
    REQUIRE(net.receive(one) == "'one'");
    REQUIRE(net.receive(one) == "EAGAIN");
    REQUIRE(net.receive(every) == "'every'");
}
