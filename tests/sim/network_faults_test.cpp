// What goes wrong on the way: partitions, bad links, hosts that crash.
#include <mishap/sim/network.hpp>

#include <chrono>
#include <tuple>

#include "sim/network_world.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

TEST_CASE("what a partition loses is sent again when it has healed") {
    NetworkWorld net;
    const HostId there = net.network.add_host("there");
    const auto [client, server] = net.connected(HostId::local, there);
    net.network.partition(HostId::local, there);
    REQUIRE(net.send(client, "a") == "1");
    REQUIRE(net.send(server, "b") == "1");
    net.wait(500ms);
    REQUIRE(net.receive(server) == "EAGAIN");
    REQUIRE(net.receive(client) == "EAGAIN");
    net.network.heal(HostId::local, there);
    net.wait(90ms);
    REQUIRE(net.receive(server) == "EAGAIN");  // sent again after 0.2 s and 0.4 s more
    net.wait(20ms);
    REQUIRE(net.receive(server) == "'a'");
    REQUIRE(net.receive(client) == "'b'");
}

TEST_CASE("what is on its way when a partition begins is lost as well") {
    NetworkWorld net;
    const HostId there = net.network.add_host("there");
    const auto [client, server] = net.connected(HostId::local, there);
    REQUIRE(net.send(client, "a") == "1");
    net.wait(999us);
    net.network.partition(HostId::local, there);
    net.wait(1us);
    net.network.heal_all();
    REQUIRE(net.receive(server) == "EAGAIN");
    net.wait(200ms);
    REQUIRE(net.receive(server) == "'a'");
}

TEST_CASE("a partition that does not heal ends a connection for the side that sends") {
    NetworkWorld net;
    const HostId there = net.network.add_host("there");
    const auto [client, server] = net.connected(HostId::local, there);
    net.network.partition(HostId::local, there);
    REQUIRE(net.send(client, "a") == "1");
    net.settle();
    REQUIRE(net.now() > 900s);  // Linux: 924.6 s at the least
    REQUIRE(net.now() < 930s);
    REQUIRE(net.readiness(client) == "rw");
    REQUIRE(net.receive(client) == "ETIMEDOUT");
    REQUIRE(net.receive(client) == "''");
    REQUIRE(net.send(client, "x") == "EPIPE");
    REQUIRE(net.receive(server) == "EAGAIN");  // it does not know
    net.network.heal_all();
    REQUIRE(net.send(server, "y") == "1");
    net.settle();
    REQUIRE(net.receive(server) == "ECONNRESET");
}

TEST_CASE("a one-way partition loses what goes one way") {
    NetworkWorld net;
    const HostId there = net.network.add_host("there");
    const auto [client, server] = net.connected(HostId::local, there);
    net.network.partition_one_way(HostId::local, there);
    REQUIRE(net.network.is_partitioned(HostId::local, there));
    REQUIRE_FALSE(net.network.is_partitioned(there, HostId::local));
    REQUIRE(net.send(client, "a") == "1");
    REQUIRE(net.send(server, "b") == "1");
    net.wait(10ms);
    REQUIRE(net.receive(client) == "'b'");
    REQUIRE(net.receive(server) == "EAGAIN");
    const int late = net.open();
    REQUIRE(net.connect(late, net.network.addresses(there)[0].with_port(1)) == "EINPROGRESS");
    net.wait(5s);
    REQUIRE(net.error(late) == "0");
    net.network.heal_all();
    net.wait(5s);
    REQUIRE(net.error(late) == "ECONNREFUSED");
}

TEST_CASE("a group is cut off from the others, and not from itself") {
    NetworkWorld net;
    const HostId a = net.network.add_host("a");
    const HostId b = net.network.add_host("b");
    const HostId c = net.network.add_host("c");
    const std::vector<HostId> group{a, b};
    net.network.partition_group(group);
    for (const auto& [from, to, is_cut] : {std::tuple{a, b, false}, {b, a, false}, {a, c, true}, {c, b, true},
                                          {HostId::local, a, true}, {HostId::local, c, false}, {a, a, false}}) {
        REQUIRE(net.network.is_partitioned(from, to) == is_cut);
    }
    net.network.heal_all();
    REQUIRE_FALSE(net.network.is_partitioned(a, c));
}

TEST_CASE("a piece of a stream that is lost comes later, and what follows it waits") {
    Answers answers({1, 0});
    NetworkWorld net;
    const HostId there = net.network.add_host("there");
    const auto [client, server] = net.connected(HostId::local, there);
    net.world.choices().begin_run(&answers);
    LinkProfile profile;
    profile.loss_ppm = 10;
    net.network.set_link(HostId::local, there, profile);
    REQUIRE(net.send(client, "a") == "1");
    net.wait(1ms);
    REQUIRE(net.send(client, "b") == "1");
    REQUIRE(net.receive(server) == "EAGAIN");
    net.wait(199ms);
    REQUIRE(net.receive(server) == "EAGAIN");
    net.wait(1ms);
    REQUIRE(net.receive(server) == "'ab'");
    REQUIRE(answers.classes == std::vector<std::uint32_t>{2, 2});
}

TEST_CASE("a link may give and take less than it could: a byte, or half") {
    Answers answers({1, 2, 1, 2, 0});
    NetworkWorld net;
    const HostId there = net.network.add_host("there");
    const auto [client, server] = net.connected(HostId::local, there);
    net.world.choices().begin_run(&answers);
    LinkProfile profile;
    profile.partial_ppm = 10;
    net.network.set_link_one_way(HostId::local, there, profile);
    REQUIRE(net.send(client, "0123456") == "1");
    REQUIRE(net.send(client, "123456") == "3");
    net.settle();
    REQUIRE(net.receive(server) == "'0'");
    REQUIRE(net.receive(server) == "'12'");
    REQUIRE(net.receive(server) == "'3'");  // one byte is not divided, and nothing asked
    REQUIRE(answers.classes == std::vector<std::uint32_t>{3, 3, 3, 3});
    REQUIRE(net.send(client, "45") == "2");
}

TEST_CASE("a delay is drawn from eight of its range, the shortest and the longest among them, or from all of a short one") {
    LinkProfile profile;
    const auto delay_of = [&profile](std::uint32_t answer, std::uint32_t classes, bool is_sampled) {
        Answers answers({answer});
        NetworkWorld net;
        const HostId there = net.network.add_host("there");
        const NetworkWorld::Pair pair = net.connected(HostId::local, there);
        net.world.choices().begin_run(&answers);
        net.network.set_link(HostId::local, there, profile);
        const std::chrono::nanoseconds start = net.now();
        REQUIRE(net.send(pair.client, "a") == "1");
        REQUIRE(answers.classes == std::vector<std::uint32_t>{classes});
        REQUIRE(net.network.has_sampled_amounts() == is_sampled);
        net.settle();
        REQUIRE(net.receive(pair.server) == "'a'");
        return net.now() - start;
    };
    profile.delay_max = 1ms + 100ns;
    REQUIRE(delay_of(0, 8, true) == 1ms);
    REQUIRE(delay_of(1, 8, true) == 1ms + 14ns);
    REQUIRE(delay_of(7, 8, true) == 1ms + 100ns);
    profile.delay_max = 1ms + 2ns;
    REQUIRE(delay_of(0, 3, false) == 1ms);
    REQUIRE(delay_of(1, 3, false) == 1ms + 1ns);
    REQUIRE(delay_of(2, 3, false) == 1ms + 2ns);
}

TEST_CASE("a link that gets worse is so for what is sent from then on") {
    NetworkWorld net;
    const HostId there = net.network.add_host("there");
    const auto [client, server] = net.connected(HostId::local, there);
    REQUIRE(net.send(client, "a") == "1");
    LinkProfile profile;
    profile.delay_min = profile.delay_max = 50ms;
    net.network.set_link(HostId::local, there, profile);
    REQUIRE(net.network.link(there, HostId::local) == profile);
    REQUIRE(net.send(client, "b") == "1");
    net.wait(1ms);
    REQUIRE(net.receive(server) == "'a'");
    net.wait(49ms);
    REQUIRE(net.receive(server) == "'b'");
}

TEST_CASE("a host that crashes is silent, and when it is back knows nothing of its connections") {
    NetworkWorld net;
    const HostId there = net.network.add_host("there");
    const auto [client, server] = net.connected(HostId::local, there);
    const auto [idle, idle_server] = net.connected(HostId::local, there);
    REQUIRE(net.send(server, "last words") == "10");
    net.network.crash(there);
    REQUIRE_FALSE(net.network.is_up(there));
    REQUIRE(net.receive(server) == "EBADF");
    net.wait(1s);
    REQUIRE(net.receive(client) == "'last words'");
    REQUIRE(net.receive(client) == "EAGAIN");
    REQUIRE(net.send(client, "a") == "1");
    net.wait(1s);
    REQUIRE(net.receive(client) == "EAGAIN");
    net.network.restart(there);
    net.wait(1s);
    REQUIRE(net.receive(client) == "ECONNRESET");
    REQUIRE(net.receive(idle) == "EAGAIN");  // it has not asked
    REQUIRE(net.send(idle, "b") == "1");
    net.settle();
    REQUIRE(net.receive(idle) == "ECONNRESET");
}

TEST_CASE("a host that is back can have its addresses again at once, and its paths are where they were") {
    NetworkWorld net;
    const HostId there = net.network.add_host("there");
    net.network.set_current_host(there);
    Address address = net.network.addresses(there)[0].with_port(80);
    Address path = Address::unix_path("/run/x");
    const int listener = net.listen(address);
    net.listen(path);
    net.network.set_current_host(HostId::local);
    const int client = net.open();
    REQUIRE(net.connect(client, address) == "EINPROGRESS");
    net.settle();
    int server = -1;
    REQUIRE(net.accept(listener, server) == "0");
    net.network.crash(there);
    net.network.restart(there);
    net.network.set_current_host(there);
    REQUIRE(net.bind(net.open(), address) == "0");
    const int local = net.open(Family::unix_path);
    REQUIRE(net.connect(local, path) == "ECONNREFUSED");
    REQUIRE(net.bind(local, path) == "EADDRINUSE");
}

TEST_CASE("datagrams to a host that is down, or beyond a partition, are gone") {
    NetworkWorld net;
    const HostId there = net.network.add_host("there");
    net.network.set_current_host(there);
    const Address to = net.network.addresses(there)[0].with_port(53);
    int receiver = net.open(Family::ip4, SocketKind::datagram);
    REQUIRE(net.bind(receiver, to) == "0");
    net.network.set_current_host(HostId::local);
    const int sender = net.open(Family::ip4, SocketKind::datagram);
    REQUIRE(net.connect(sender, to) == "0");
    net.network.partition_one_way(HostId::local, there);
    REQUIRE(net.send(sender, "a") == "1");
    net.settle();
    net.network.heal_all();
    net.settle();
    REQUIRE(net.receive(receiver) == "EAGAIN");
    net.network.crash(there);
    REQUIRE(net.send(sender, "b") == "1");
    net.settle();
    REQUIRE(net.error(sender) == "0");  // nobody says that nobody is there
    net.network.restart(there);
    REQUIRE(net.send(sender, "c") == "1");
    net.settle();
    REQUIRE(net.error(sender) == "ECONNREFUSED");
}
