// What goes through connections, and how they end.
#include <mishap/sim/network.hpp>

#include <chrono>

#include "sim/network_world.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

TEST_CASE("bytes arrive in order, after the delay, in whatever pieces they are read") {
    NetworkWorld net;
    const auto [client, server] = net.connected(HostId::local, net.network.add_host("server"));
    REQUIRE(net.send(client, "abc") == "3");
    net.wait(300us);
    REQUIRE(net.send(client, "def") == "3");
    REQUIRE(net.receive(server) == "EAGAIN");
    net.wait(700us);
    REQUIRE(net.readiness(server) == "rw");
    REQUIRE(net.receive(server, 2) == "'ab'");
    REQUIRE(net.receive(server) == "'c'");
    REQUIRE(net.receive(server) == "EAGAIN");
    REQUIRE(net.readiness(server) == "w");
    net.wait(300us);
    REQUIRE(net.receive(server) == "'def'");
    REQUIRE(net.send(server, "back") == "4");
    net.settle();
    REQUIRE(net.receive(client) == "'back'");
}

TEST_CASE("a stream stays in order although delays differ") {
    Answers falling({7, 6, 5});
    NetworkWorld net;
    const HostId server_host = net.network.add_host("server");
    const auto [client, server] = net.connected(HostId::local, server_host);
    net.world.choices().begin_run(&falling);
    LinkProfile profile;
    profile.delay_max = 71ms;
    net.network.set_link(HostId::local, server_host, profile);
    const std::chrono::nanoseconds start = net.now();
    for (const char* const text : {"a", "b", "c"}) REQUIRE(net.send(client, text) == "1");
    REQUIRE(falling.classes == std::vector<std::uint32_t>{8, 8, 8});
    net.settle();
    REQUIRE(net.now() - start == 71ms);  // the second would have been faster
    REQUIRE(net.receive(server) == "'abc'");
}

TEST_CASE("hosts reach each other by IPv6 as by IPv4") {
    NetworkWorld net;
    const HostId there = net.network.add_host("there");
    Address address = net.network.addresses(there)[1].with_port(80);
    net.network.set_current_host(there);
    const int listener = net.listen(address);
    net.network.set_current_host(HostId::local);
    const int client = net.open(Family::ip6);
    REQUIRE(net.connect(client, address) == "EINPROGRESS");
    net.settle();
    int server = -1;
    Address peer;
    REQUIRE(net.accept(listener, server, &peer) == "0");
    REQUIRE(peer.text() == "[fd00::1]:32768");
    REQUIRE(net.send(client, "six") == "3");
    net.settle();
    REQUIRE(net.receive(server) == "'six'");
}

TEST_CASE("a sender gets as far ahead as the two buffers are large, and on when half is read") {
    NetworkWorld net;
    const HostId server_host = net.network.add_host("server");
    LinkProfile profile;
    profile.send_buffer_bytes = 6;
    profile.receive_buffer_bytes = 4;
    net.network.set_link(HostId::local, server_host, profile);
    const auto [client, server] = net.connected(HostId::local, server_host);
    REQUIRE(net.send(client, "0123456789abc") == "10");
    REQUIRE(net.send(client, "a") == "EAGAIN");
    REQUIRE(net.readiness(client).empty());
    net.settle();
    REQUIRE(net.receive(server, 4) == "'0123'");
    net.settle();
    REQUIRE(net.send(client, "a") == "EAGAIN");
    REQUIRE(net.receive(server, 1) == "'4'");
    REQUIRE(net.send(client, "a") == "EAGAIN");  // it is not known yet
    net.settle();
    REQUIRE(net.readiness(client) == "w");
    REQUIRE(net.send(client, "abcdefg") == "5");
    net.settle();
    REQUIRE(net.receive(server) == "'56789abcde'");
}

TEST_CASE("buffers of a socket come before those of the link") {
    NetworkWorld net;
    Address address = Address::loopback(Family::ip4, 80);
    const int listener = net.open();
    REQUIRE(net.network.set_option(listener, SocketOption::receive_buffer_bytes, 5).is_ok());
    REQUIRE(net.bind(listener, address) == "0");
    REQUIRE(net.network.listen(listener, 1).is_ok());
    const int client = net.open();
    REQUIRE(net.network.set_option(client, SocketOption::send_buffer_bytes, 3).is_ok());
    REQUIRE(net.network.get_option(client, SocketOption::send_buffer_bytes).count == 3);
    REQUIRE(net.connect(client, address) == "EINPROGRESS");
    net.settle();
    REQUIRE(net.send(client, "0123456789") == "8");
}

TEST_CASE("a half that is shut down is read to its end, and the other half goes on") {
    NetworkWorld net;
    const auto [client, server] = net.connected(HostId::local, net.network.add_host("server"));
    REQUIRE(net.send(client, "last") == "4");
    REQUIRE(net.shutdown(client) == "0");
    REQUIRE(net.send(client, "more") == "EPIPE");
    net.settle();
    REQUIRE(net.receive(server, 2) == "'la'");
    REQUIRE(net.receive(server) == "'st'");
    REQUIRE(net.receive(server) == "''");
    REQUIRE(net.receive(server) == "''");
    REQUIRE(net.readiness(server) == "rw");
    REQUIRE(net.send(server, "answer") == "6");
    net.settle();
    REQUIRE(net.receive(client) == "'answer'");
    REQUIRE(net.receive(client) == "EAGAIN");
    REQUIRE(net.shutdown(client, Half::receiving) == "0");
    REQUIRE(net.receive(client) == "''");
}

TEST_CASE("a closed connection ends after what was sent before") {
    NetworkWorld net;
    const auto [client, server] = net.connected(HostId::local, net.network.add_host("server"));
    REQUIRE(net.send(client, "bye") == "3");
    REQUIRE(net.network.close(client).is_ok());
    REQUIRE(net.receive(client) == "EBADF");
    net.settle();
    REQUIRE(net.receive(server) == "'bye'");
    REQUIRE(net.receive(server) == "''");
    REQUIRE(net.error(server) == "0");
}

TEST_CASE("what is sent to a closed connection comes back as a reset: once an error, then a broken pipe") {
    NetworkWorld net;
    const auto [client, server] = net.connected(HostId::local, net.network.add_host("server"));
    REQUIRE(net.network.close(server).is_ok());
    REQUIRE(net.send(client, "a") == "1");  // the end has not arrived
    net.wait(1ms);
    REQUIRE(net.receive(client) == "''");
    REQUIRE(net.send(client, "b") == "1");
    net.settle();
    REQUIRE(net.send(client, "c") == "EPIPE");  // after the peer's end a reset is no news: Linux says EPIPE
    REQUIRE(net.receive(client) == "''");
    REQUIRE(net.shutdown(client) == "ENOTCONN");
    Address peer;
    REQUIRE(net.network.peer_address(client, peer).error == ENOTCONN);
}

TEST_CASE("a connection that is closed with bytes unread is reset, after what it had sent") {
    NetworkWorld net;
    const auto [client, server] = net.connected(HostId::local, net.network.add_host("server"));
    REQUIRE(net.send(client, "unread") == "6");
    net.settle();
    REQUIRE(net.send(server, "bye") == "3");
    REQUIRE(net.network.close(server).is_ok());
    net.settle();
    REQUIRE(net.readiness(client) == "rw");
    REQUIRE(net.receive(client) == "'bye'");
    SECTION("reading tells it once") {
        REQUIRE(net.receive(client) == "ECONNRESET");
        REQUIRE(net.receive(client) == "''");
        REQUIRE(net.send(client, "x") == "EPIPE");
    }
    SECTION("writing tells it once") {
        REQUIRE(net.send(client, "x") == "ECONNRESET");
        REQUIRE(net.send(client, "x") == "EPIPE");
        REQUIRE(net.receive(client) == "''");
    }
    SECTION("so does the error that waits") {
        REQUIRE(net.error(client) == "ECONNRESET");
        REQUIRE(net.receive(client) == "''");
    }
}

TEST_CASE("a socket that resets on close does so, and leaves no time to wait") {
    NetworkWorld net;
    const auto [client, server] = net.connected(HostId::local, net.network.add_host("server"));
    Address local;
    REQUIRE(net.network.local_address(client, local).is_ok());
    REQUIRE(net.network.set_option(client, SocketOption::reset_on_close, 1).is_ok());
    REQUIRE(net.network.close(client).is_ok());
    net.settle();
    REQUIRE(net.receive(server) == "ECONNRESET");
    REQUIRE(net.network.close(server).is_ok());
    REQUIRE(net.bind(net.open(), local) == "0");
}

TEST_CASE("a link of so many bytes a second takes its time for each of them") {
    NetworkWorld net;
    const HostId server_host = net.network.add_host("server");
    const auto [client, server] = net.connected(HostId::local, server_host);
    LinkProfile profile;
    profile.bytes_per_second = 1'000;
    net.network.set_link(HostId::local, server_host, profile);
    REQUIRE(net.send(client, "0123456789") == "10");
    REQUIRE(net.send(client, "0123456789") == "10");
    net.wait(11ms - 1ns);
    REQUIRE(net.receive(server) == "EAGAIN");
    net.wait(1ns);
    REQUIRE(net.receive(server) == "'0123456789'");
    net.wait(10ms);
    REQUIRE(net.receive(server) == "'0123456789'");
}

TEST_CASE("Unix sockets are found by their path, which stays until it is removed") {
    NetworkWorld net;
    Address path = Address::unix_path("/run/x");
    const int client = net.open(Family::unix_path);
    REQUIRE(net.connect(client, path) == "ENOENT");
    int listener = net.listen(path, 0);
    REQUIRE(net.connect(client, path) == "0");
    REQUIRE(net.connect(net.open(Family::unix_path), path) == "EAGAIN");  // the queue is full
    REQUIRE(net.send(client, "hello") == "5");
    int server = -1;
    Address peer;
    REQUIRE(net.accept(listener, server, &peer) == "0");
    REQUIRE(peer == Address::unix_path(""));
    REQUIRE(net.receive(server) == "'hello'");  // at once
    REQUIRE(net.connect(client, path) == "EISCONN");
    REQUIRE(net.network.next_event_ns() == detail::NetworkEvents::never);
    REQUIRE(net.network.close(listener).is_ok());
    REQUIRE(net.connect(net.open(Family::unix_path), path) == "ECONNREFUSED");
    listener = net.open(Family::unix_path);
    REQUIRE(net.bind(listener, path) == "EADDRINUSE");
    REQUIRE(net.network.unlink(path).is_ok());
    REQUIRE(net.network.unlink(path).error == ENOENT);
    REQUIRE(net.bind(listener, path) == "0");
    const HostId other = net.network.add_host("other");
    net.network.set_current_host(other);
    REQUIRE(net.connect(net.open(Family::unix_path), path) == "ENOENT");  // each host has its own files
}

TEST_CASE("the two ends of a socket pair read each other's bytes, and see each other go") {
    NetworkWorld net;
    int fds[2];
    REQUIRE(net.network.open_pair(fds).is_ok());
    REQUIRE(net.readiness(fds[0]) == "w");
    REQUIRE(net.send(fds[0], "ping") == "4");
    REQUIRE(net.receive(fds[1]) == "'ping'");
    REQUIRE(net.send(fds[1], "pong") == "4");
    SECTION("with everything read") {
        REQUIRE(net.receive(fds[0]) == "'pong'");
        REQUIRE(net.network.close(fds[0]).is_ok());
        REQUIRE(net.receive(fds[1]) == "''");
    }
    SECTION("with bytes unread") {
        REQUIRE(net.network.close(fds[0]).is_ok());
        REQUIRE(net.receive(fds[1]) == "ECONNRESET");
        REQUIRE(net.receive(fds[1]) == "''");
    }
    REQUIRE(net.readiness(fds[1]) == "rw");
    REQUIRE(net.send(fds[1], "x") == "EPIPE");
}

TEST_CASE("a pipe has two ends that do different things") {
    NetworkWorld net;
    int fds[2];
    REQUIRE(net.network.open_pipe(fds).is_ok());
    REQUIRE(net.send(fds[0], "x") == "EBADF");
    REQUIRE(net.receive(fds[1]) == "EBADF");
    REQUIRE(net.readiness(fds[0]).empty());
    REQUIRE(net.readiness(fds[1]) == "w");
    REQUIRE(net.network.shutdown(fds[1], Half::both).error == ENOTSOCK);
    REQUIRE(net.send(fds[1], "abc") == "3");
    SECTION("what is written is read to the end, and then the end is reported as whatever was asked for") {
        REQUIRE(net.network.close(fds[1]).is_ok());
        REQUIRE(net.receive(fds[0]) == "'abc'");
        REQUIRE(net.receive(fds[0]) == "''");
        REQUIRE(net.readiness(fds[0]) == "rw");
    }
    SECTION("without a reader it is broken") {
        REQUIRE(net.network.close(fds[0]).is_ok());
        REQUIRE(net.readiness(fds[1]) == "rw");
        REQUIRE(net.send(fds[1], "x") == "EPIPE");
    }
    SECTION("a small message is written whole or not at all, a large one in part") {
        const std::string large(70'000, 'x');
        REQUIRE(net.send(fds[1], large.substr(0, 65'433)) == "65433");
        REQUIRE(net.readiness(fds[1]).empty());
        REQUIRE(net.send(fds[1], large.substr(0, 101)) == "EAGAIN");
        REQUIRE(net.send(fds[1], large.substr(0, 4'097)) == "100");
        REQUIRE(net.receive(fds[0], 4'096).size() == 4'096 + 2);
        REQUIRE(net.readiness(fds[1]) == "w");
    }
}

TEST_CASE("a reset network is like a new one, and what was on its way never arrives") {
    NetworkWorld net;
    const auto story = [&net] {
        std::string text;
        const auto [client, server] = net.connected(HostId::local, net.network.add_host("server"));
        text += std::to_string(client) + " " + std::to_string(server) + " " + net.send(client, "abc");
        net.settle();
        Address local;
        REQUIRE(net.network.local_address(client, local).is_ok());
        text += net.receive(server, 1) + local.text() + std::to_string(net.now().count());
        REQUIRE(net.send(server, "lost") == "4");
        return text;
    };
    const std::string first = story();
    for (int i = 0; i < 3; ++i) {
        net.begin_run(nullptr);
        REQUIRE(net.network.hosts() == 1);
        REQUIRE(net.network.next_event_ns() == detail::NetworkEvents::never);
        REQUIRE(story() == first);
    }
}
