// How connections begin, and which addresses they take.
#include <mishap/sim/network.hpp>

#include <chrono>

#include <mishap/sim/errors.hpp>

#include "sim/network_world.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

TEST_CASE("a connection is in progress until the answer is back, and can be accepted half a round trip later") {
    NetworkWorld net;
    const HostId server = net.network.add_host("server");
    net.network.set_current_host(server);
    Address address = net.network.addresses(server)[0].with_port(80);
    const int listener = net.listen(address);
    net.network.set_current_host(HostId::local);
    const int client = net.open();
    REQUIRE(net.readiness(client) == "rw");  // hung up, as Linux says of a socket without a connection
    REQUIRE(net.connect(client, address) == "EINPROGRESS");
    REQUIRE(net.connect(client, address) == "EALREADY");
    REQUIRE(net.send(client, "x") == "EAGAIN");
    REQUIRE(net.receive(client) == "EAGAIN");
    net.wait(2ms - 1ns);
    REQUIRE(net.readiness(client).empty());
    net.wait(1ns);
    REQUIRE(net.readiness(client) == "w");
    REQUIRE(net.connect(client, address) == "0");
    REQUIRE(net.connect(client, address) == "EISCONN");
    int accepted = -1;
    net.wait(1ms - 1ns);
    REQUIRE(net.readiness(listener).empty());
    REQUIRE(net.accept(listener, accepted) == "EAGAIN");
    net.wait(1ns);
    REQUIRE(net.readiness(listener) == "r");
    Address peer;
    REQUIRE(net.accept(listener, accepted, &peer) == "0");
    Address local;
    REQUIRE(net.network.local_address(client, local).is_ok());
    REQUIRE(peer == local);
    REQUIRE(local.text() == "10.0.0.1:32768");
    REQUIRE(net.network.peer_address(client, peer).is_ok());
    REQUIRE(peer == address);
    REQUIRE(net.readiness(listener).empty());
}

TEST_CASE("a connection to a port where nobody listens is refused, and the next attempt may succeed") {
    NetworkWorld net;
    Address address = Address::loopback(Family::ip4, 80);
    const int client = net.open();
    REQUIRE(net.connect(client, address) == "EINPROGRESS");
    net.settle();
    REQUIRE(net.readiness(client) == "rw");
    REQUIRE(net.error(client) == "ECONNREFUSED");
    REQUIRE(net.error(client) == "0");
    REQUIRE(net.receive(client) == "''");
    REQUIRE(net.send(client, "x") == "EPIPE");
    REQUIRE(net.connect(client, address) == "EINPROGRESS");
    net.settle();
    REQUIRE(net.connect(client, address) == "ECONNREFUSED");  // told by the call, as by take_error
    net.listen(address);
    REQUIRE(net.connect(client, address) == "EINPROGRESS");
    net.settle();
    REQUIRE(net.connect(client, address) == "0");
}

TEST_CASE("a host that nobody has is unreachable, one that is down does not answer") {
    NetworkWorld net;
    const HostId server = net.network.add_host("server");
    net.network.crash(server);
    const int first = net.open();
    const int second = net.open();
    REQUIRE(net.connect(first, *Address::parse("192.0.2.1", 80)) == "EINPROGRESS");
    REQUIRE(net.connect(second, net.network.addresses(server)[0].with_port(80)) == "EINPROGRESS");
    net.wait(1s);
    REQUIRE(net.error(first) == "EHOSTUNREACH");
    REQUIRE(net.error(second) == "0");
    net.settle();
    REQUIRE(net.error(second) == "ETIMEDOUT");
    REQUIRE(net.now() == 127s + 1ms);
}

TEST_CASE("an address is in use while it is bound, listened on or waited for") {
    NetworkWorld net;
    Address address = Address::loopback(Family::ip4, 80);
    const int listener = net.listen(address);
    REQUIRE(net.bind(net.open(), address) == "EADDRINUSE");
    REQUIRE(net.bind(net.open(), Address::any(Family::ip4, 80)) == "EADDRINUSE");
    REQUIRE(net.bind(net.open(), Address::loopback(Family::ip4, 81)) == "0");
    REQUIRE(net.bind(net.open(), net.network.addresses(HostId::local)[0].with_port(80)) == "0");
    REQUIRE(net.bind(net.open(Family::ip6), Address::any(Family::ip6, 80)) == "0");
    REQUIRE(net.bind(net.open(Family::ip4, SocketKind::datagram), address) == "0");
    REQUIRE(net.bind(listener, address) == "EINVAL");
    REQUIRE(net.bind(net.open(), *Address::parse("192.0.2.1", 80)) == "EADDRNOTAVAIL");

    const int client = net.open();
    REQUIRE(net.connect(client, address) == "EINPROGRESS");
    net.settle();
    int server = -1;
    REQUIRE(net.accept(listener, server) == "0");
    REQUIRE(net.network.close(listener).is_ok());
    REQUIRE(net.bind(net.open(), address) == "EADDRINUSE");  // by the connection
    REQUIRE(net.network.close(server).is_ok());
    net.settle();
    REQUIRE(net.receive(client) == "''");
    REQUIRE(net.network.close(client).is_ok());
    net.settle();
    const int successor = net.open();
    REQUIRE(net.bind(successor, address) == "EADDRINUSE");  // the server closed first, and waits
    net.wait(60s - 1ns - net.now());
    REQUIRE(net.bind(successor, address) == "EADDRINUSE");
    net.wait(1s);
    REQUIRE(net.bind(successor, address) == "0");
}

TEST_CASE("who reuses addresses need not wait, but may not listen twice") {
    NetworkWorld net;
    Address address = Address::loopback(Family::ip4, 80);
    const auto reusing = [&net] {
        const int fd = net.open();
        REQUIRE(net.network.set_option(fd, SocketOption::reuse_address, 1).is_ok());
        return fd;
    };
    const int first = reusing();
    const int second = reusing();
    REQUIRE(net.bind(first, address) == "0");
    REQUIRE(net.bind(second, address) == "0");
    REQUIRE(net.network.listen(first, 1).is_ok());
    REQUIRE(net.network.listen(second, 1).error == EADDRINUSE);
    REQUIRE(net.bind(reusing(), address) == "EADDRINUSE");

    const int client = net.open();
    REQUIRE(net.connect(client, address) == "EINPROGRESS");
    net.settle();
    int server = -1;
    REQUIRE(net.accept(first, server) == "0");
    for (const int fd : {first, second, server, client}) REQUIRE(net.network.close(fd).is_ok());
    REQUIRE(net.bind(net.open(), address) == "EADDRINUSE");
    REQUIRE(net.bind(reusing(), address) == "0");
}

TEST_CASE("ephemeral ports are taken in turn, and run out") {
    NetworkWorld net;
    Address address = Address::loopback(Family::ip4);
    int fd = net.open();
    REQUIRE(net.bind(fd, address) == "0");
    REQUIRE(net.network.local_address(fd, address).is_ok());
    REQUIRE(address.text() == "127.0.0.1:32768");
    REQUIRE(net.network.close(fd).is_ok());
    for (int port = 32'769; port <= 60'999; ++port) REQUIRE(net.bind(net.open(), Address::loopback(Family::ip4)) == "0");
    fd = net.open();
    REQUIRE(net.bind(fd, Address::loopback(Family::ip4)) == "0");
    REQUIRE(net.network.local_address(fd, address).is_ok());
    REQUIRE(address.text() == "127.0.0.1:32768");
    REQUIRE(net.bind(net.open(), Address::loopback(Family::ip4)) == "EADDRINUSE");
    REQUIRE(net.connect(net.open(), Address::loopback(Family::ip4, 80)) == "EADDRNOTAVAIL");
}

TEST_CASE("one connection more than the backlog waits, others ask again until there is room") {
    NetworkWorld net;
    Address address = Address::loopback(Family::ip4, 80);
    const int listener = net.listen(address, 1);
    const int first = net.open();
    const int second = net.open();
    const int third = net.open();
    for (const int fd : {first, second}) REQUIRE(net.connect(fd, address) == "EINPROGRESS");
    net.wait(1ms);
    REQUIRE(net.connect(third, address) == "EINPROGRESS");
    net.wait(1ms);
    REQUIRE(net.readiness(first) == "w");
    REQUIRE(net.readiness(second) == "w");
    REQUIRE(net.readiness(third).empty());
    int accepted = -1;
    REQUIRE(net.accept(listener, accepted) == "0");
    net.wait(900ms);
    REQUIRE(net.readiness(third).empty());
    net.wait(200ms);
    REQUIRE(net.readiness(third) == "w");
}

TEST_CASE("a queue that filled up while a connection was made takes it when there is room") {
    NetworkWorld net;
    Address address = Address::loopback(Family::ip4, 80);
    const int listener = net.listen(address, 0);
    const int first = net.open();
    const int second = net.open();
    for (const int fd : {first, second}) REQUIRE(net.connect(fd, address) == "EINPROGRESS");
    net.wait(1ms);
    for (const int fd : {first, second}) REQUIRE(net.readiness(fd) == "w");
    REQUIRE(net.send(second, "early") == "5");
    int accepted = -1;
    REQUIRE(net.accept(listener, accepted) == "0");
    REQUIRE(net.accept(listener, accepted) == "EAGAIN");
    net.settle();
    REQUIRE(net.accept(listener, accepted) == "0");
    REQUIRE(net.receive(accepted) == "'early'");
}

TEST_CASE("connections that a listener leaves are reset") {
    NetworkWorld net;
    Address address = Address::loopback(Family::ip4, 80);
    const int listener = net.listen(address);
    const int waiting = net.open();
    REQUIRE(net.connect(waiting, address) == "EINPROGRESS");
    net.settle();
    const int late = net.open();
    REQUIRE(net.connect(late, address) == "EINPROGRESS");
    net.wait(15us);  // asked, and the answer is on its way
    REQUIRE(net.network.close(listener).is_ok());
    net.settle();
    for (const int fd : {waiting, late}) {
        REQUIRE(net.error(fd) == "ECONNRESET");
        REQUIRE(net.receive(fd) == "''");
    }
}

TEST_CASE("a connection that its maker closes before it is accepted is accepted with what was sent") {
    NetworkWorld net;
    Address address = Address::loopback(Family::ip4, 80);
    const int listener = net.listen(address);
    const int client = net.open();
    REQUIRE(net.connect(client, address) == "EINPROGRESS");
    net.settle();
    REQUIRE(net.send(client, "hello") == "5");
    REQUIRE(net.network.close(client).is_ok());
    net.settle();
    int accepted = -1;
    REQUIRE(net.accept(listener, accepted) == "0");
    REQUIRE(net.receive(accepted) == "'hello'");
    REQUIRE(net.receive(accepted) == "''");
}

TEST_CASE("a connection that is given up while it is in progress is never seen by the listener") {
    NetworkWorld net;
    Address address = Address::loopback(Family::ip4, 80);
    const int listener = net.listen(address);
    const int client = net.open();
    REQUIRE(net.connect(client, address) == "EINPROGRESS");
    net.wait(12us);
    REQUIRE(net.network.close(client).is_ok());
    const int successor = net.open();
    REQUIRE(successor == client);  // the number is somebody else's by now
    net.settle();
    int accepted = -1;
    REQUIRE(net.accept(listener, accepted) == "EAGAIN");
    REQUIRE(net.error(successor) == "0");
}

TEST_CASE("operations on what they are not for say so") {
    NetworkWorld net;
    REQUIRE(net.send(7, "x") == "EBADF");
    REQUIRE(net.network.close(-1).error == EBADF);
    const int fd = net.open();
    int accepted = -1;
    REQUIRE(net.accept(fd, accepted) == "EINVAL");
    REQUIRE(net.shutdown(fd) == "ENOTCONN");
    Address address = Address::loopback(Family::ip4, 80);
    const int listener = net.listen(address);
    REQUIRE(net.connect(listener, address) == "EISCONN");
    REQUIRE(net.receive(listener) == "ENOTCONN");
    REQUIRE(net.send(listener, "x") == "EPIPE");
    REQUIRE_THROWS_AS(net.network.set_current_host(HostId{7}), UsageError);
    REQUIRE_THROWS_AS(net.network.add_host("x", std::vector{Address::loopback(Family::ip4)}), UsageError);
    REQUIRE_THROWS_AS(net.network.add_host("x", net.network.addresses(HostId::local)), UsageError);
    LinkProfile profile;
    profile.delay_max = 0ns;
    REQUIRE_THROWS_AS(net.network.set_default_link(profile), UsageError);
}
