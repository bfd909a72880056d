// What steps that use the network touch: it decides which of them count as independent.
#include <mishap/sim/network.hpp>

#include <algorithm>

#include "sim/network_world.hpp"

using namespace mishap;
using namespace mishap::test;

namespace {

struct WantsSteps final : Strategy {
    const char* name() const override { return "wants steps"; }
    Needs needs() const override { return {.steps = true, .footprints = true}; }
    bool begin_run(const RunInfo&) override { return true; }
    std::uint32_t pick(const Question&) override { return 0; }
};

template <class Operation>
std::vector<Touch> touches_of(NetworkWorld& net, Operation operation) {
    net.world.clear_step();
    operation();
    return net.world.footprint();
}

bool are_dependent(const std::vector<Touch>& one, const std::vector<Touch>& other) {
    return std::any_of(one.begin(), one.end(), [&other](const Touch& a) {
        return std::any_of(other.begin(), other.end(), [&a](const Touch& b) {
            return a.object == b.object && (a.access != Access::read || b.access != Access::read);
        });
    });
}

}  // namespace

TEST_CASE("each direction of a connection is an object of its own in the footprint of a step") {
    WantsSteps footprints;
    NetworkWorld net(&footprints);
    const NetworkWorld::Pair pair = net.connected();
    const auto touched = [&net](auto operation) {
        net.world.clear_step();
        operation();
        REQUIRE(net.world.footprint().size() == 1);
        return net.world.footprint()[0];
    };
    const Touch sent = touched([&] { REQUIRE(net.send(pair.client, "a") == "1"); });
    net.settle();
    const Touch answered = touched([&] { REQUIRE(net.send(pair.server, "b") == "1"); });
    const Touch received = touched([&] { REQUIRE(net.receive(pair.server) == "'a'"); });
    const Touch looked = touched([&] { REQUIRE(net.receive(pair.server) == "EAGAIN"); });
    REQUIRE(sent.access == Access::write);
    REQUIRE(sent.object == received.object);
    REQUIRE(sent.object != answered.object);
    REQUIRE(received.access == Access::write);
    REQUIRE(looked.object == sent.object);
    REQUIRE(looked.access == Access::read);

    net.begin_run(&footprints);
    const NetworkWorld::Pair again = net.connected();
    REQUIRE(touched([&] { REQUIRE(net.send(again.client, "a") == "1"); }).object == sent.object);
}

TEST_CASE("who sends to one socket depends on who else does, and on nobody who sends to another") {
    WantsSteps footprints;
    NetworkWorld net(&footprints);
    const Address to = Address::loopback(Family::ip4, 53);
    const int receiver = net.open(Family::ip4, SocketKind::datagram);
    const int other = net.open(Family::ip4, SocketKind::datagram);
    REQUIRE(net.bind(receiver, to) == "0");
    REQUIRE(net.bind(other, to.with_port(54)) == "0");
    std::vector<int> senders;
    for (std::uint16_t port = 1; port <= 3; ++port) {
        senders.push_back(net.open(Family::ip4, SocketKind::datagram));
        REQUIRE(net.bind(senders.back(), to.with_port(port)) == "0");
    }
    const auto first = touches_of(net, [&] { REQUIRE(net.send_to(senders[0], "a", to) == "1"); });
    const auto second = touches_of(net, [&] { REQUIRE(net.send_to(senders[1], "b", to) == "1"); });
    const auto third = touches_of(net, [&] { REQUIRE(net.send_to(senders[2], "c", to.with_port(54)) == "1"); });
    REQUIRE(are_dependent(first, second));
    REQUIRE_FALSE(are_dependent(first, third));
    const auto looking = touches_of(net, [&] { REQUIRE(net.receive(receiver) == "EAGAIN"); });
    REQUIRE(are_dependent(first, looking));
}

TEST_CASE("connections to one listener depend on each other, and so do those that share a slow link") {
    WantsSteps footprints;
    NetworkWorld net(&footprints);
    const HostId a = net.network.add_host("a");
    const HostId b = net.network.add_host("b");
    Address address = net.network.addresses(HostId::local)[0].with_port(80);
    net.listen(address);
    net.network.set_current_host(a);
    const int from_a = net.open();
    net.network.set_current_host(b);
    const int from_b = net.open();
    const auto one = touches_of(net, [&] { REQUIRE(net.connect(from_a, address) == "EINPROGRESS"); });
    const auto two = touches_of(net, [&] { REQUIRE(net.connect(from_b, address) == "EINPROGRESS"); });
    REQUIRE(are_dependent(one, two));

    const NetworkWorld::Pair first = net.connected(HostId::local, a);
    const NetworkWorld::Pair second = net.connected(HostId::local, a);
    const auto sent_by = [&net](int fd) { return touches_of(net, [&net, fd] { REQUIRE(net.send(fd, "x") == "1"); }); };
    REQUIRE_FALSE(are_dependent(sent_by(first.client), sent_by(second.client)));
    LinkProfile slow;
    slow.bytes_per_second = 1'000;
    net.network.set_link(HostId::local, a, slow);
    REQUIRE(are_dependent(sent_by(first.client), sent_by(second.client)));
    REQUIRE_FALSE(are_dependent(sent_by(first.client), sent_by(first.server)));
}

TEST_CASE("who opens or closes a descriptor depends on who else does, for numbers are given out again") {
    WantsSteps footprints;
    NetworkWorld net(&footprints);
    int fd = -1;
    const auto opened = touches_of(net, [&] { fd = net.open(); });
    const auto closed = touches_of(net, [&] { REQUIRE(net.network.close(fd).is_ok()); });
    REQUIRE(are_dependent(opened, opened));
    REQUIRE(are_dependent(opened, closed));
}
