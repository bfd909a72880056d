// Any operation on any descriptor at any time, on bad links, between hosts that crash: what must hold all the same.
#include <mishap/sim/network.hpp>

#include <algorithm>
#include <array>
#include <chrono>

#include <mishap/sim/hash.hpp>
#include <mishap/sim/prng.hpp>
#include <mishap/sim/random_walk.hpp>

#include "sim/network_world.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

class Chaos {
public:
    Chaos(NetworkWorld& net, std::uint64_t seed) : net_(net), prng_(seed) {
        hosts_ = {HostId::local, net.network.add_host("a"), net.network.add_host("b")};
        LinkProfile bad;
        bad.delay_max = 4ms;
        bad.loss_ppm = bad.duplication_ppm = bad.reordering_ppm = bad.partial_ppm = 100'000;
        bad.send_buffer_bytes = bad.receive_buffer_bytes = 64;
        net.network.set_default_link(bad);
        bad.bytes_per_second = 50'000;
        net.network.set_link(hosts_[0], hosts_[1], bad);
        for (int i = 0; i < 3; ++i) {  // so that something goes on from the beginning
            const auto pair = net.connected(hosts_[below(3)], hosts_[below(3)]);
            fds_.insert(fds_.end(), {pair.client, pair.server});
        }
    }

    void step() {
        switch (below(16)) {
            case 0: open(); break;
            case 1: fds_.empty() ? open() : close(below(fds_.size())); break;
            case 2: told(net_.network.bind(any_fd(), any_address())); break;
            case 3: told(net_.network.listen(any_fd(), static_cast<int>(below(3)))); break;
            case 4:
            case 5: told(net_.network.connect(any_fd(), any_address())); break;
            case 6: told(net_.network.set_option(any_fd(), SocketOption::reuse_address, 1)); break;
            case 7: told(net_.network.shutdown(any_fd(), static_cast<Half>(below(3)))); break;
            case 8: fault(); break;
            case 9: net_.wait(std::chrono::microseconds(below(100) == 0 ? 400'000'000 : below(5'000))); break;
            case 10: told(net_.network.send_to(any_fd(), bytes_of("datagram"), any_address())); break;
            case 11: told(net_.network.take_error(any_fd())); break;
            default: use(any_fd());
        }
    }

    /// Closes everything, and demands that nothing is left.
    void finish() {
        net_.network.heal_all();
        for (const HostId host : hosts_) net_.network.restart(host);
        while (!fds_.empty()) close(fds_.size() - 1);
        net_.settle();
        net_.wait(61s);
        for (const HostId host : hosts_) {
            net_.network.set_current_host(host);
            for (std::uint16_t port = 1; port <= ports; ++port) {
                for (const SocketKind kind : {SocketKind::stream, SocketKind::datagram}) {
                    const int fd = net_.open(Family::ip4, kind);
                    REQUIRE(net_.bind(fd, Address::any(Family::ip4, port)) == "0");
                    REQUIRE(net_.network.close(fd).is_ok());
                }
            }
        }
    }

    std::uint64_t log = 0;  // of all that was told
    std::array<int, 200> errors{};

private:
    static constexpr std::uint16_t ports = 4;

    std::uint32_t below(std::size_t bound) { return prng_.below(static_cast<std::uint32_t>(bound)); }
    int any_fd() { return fds_.empty() ? 99 : fds_[below(fds_.size())]; }

    Address any_address() {
        const HostId host = hosts_[below(3)];
        const auto port = static_cast<std::uint16_t>(1 + below(ports));
        switch (below(4)) {
            case 0: return Address::loopback(Family::ip4, port);
            case 1: return Address::unix_path(port % 2 == 0 ? "/run/x" : "/run/y");
            default: return net_.network.addresses(host)[0].with_port(port);
        }
    }

    void told(const IoResult& result) {
        log = mix(log, static_cast<std::uint64_t>(result.count) * 1'000 + static_cast<std::uint64_t>(result.error));
        REQUIRE(result.error >= 0);
        REQUIRE(static_cast<std::size_t>(result.error) < errors.size());
        ++errors[static_cast<std::size_t>(result.error)];
    }

    void open() {
        net_.network.set_current_host(hosts_[below(3)]);
        int fds[2];
        if (fds_.size() > 40) {
            close(below(fds_.size()));
        } else if (below(6) == 0) {
            told(below(2) == 0 ? net_.network.open_pair(fds) : net_.network.open_pipe(fds));
            fds_.insert(fds_.end(), {fds[0], fds[1]});
        } else {
            const Family family = below(4) == 0 ? Family::unix_path : Family::ip4;
            const bool is_stream = family == Family::unix_path || below(3) != 0;
            fds_.push_back(net_.open(family, is_stream ? SocketKind::stream : SocketKind::datagram));
        }
    }

    void close(std::size_t at) {
        // Of a host that crashed the descriptors are closed, and perhaps somebody else's by now.
        told(net_.network.close(fds_[at]));
        fds_.erase(fds_.begin() + static_cast<std::ptrdiff_t>(at));
    }

    void fault() {
        const HostId host = hosts_[below(3)];
        switch (below(8)) {
            case 0: net_.network.partition(host, hosts_[below(3)]); break;
            case 1: net_.network.partition_one_way(host, hosts_[below(3)]); break;
            case 2:
                if (below(10) == 0) {
                    net_.network.crash(host);
                    std::erase_if(fds_, [this](int fd) { return net_.network.take_error(fd).error == EBADF; });
                }
                break;
            case 3: net_.network.restart(host); break;
            default: net_.network.heal_all();
        }
        log = mix(log, fds_.size());
    }

    /// Does what can be done, and demands that it was reported: readable is what gives no EAGAIN.
    void use(int fd) {
        if (fds_.empty()) return;
        const std::string ready = net_.readiness(fd);
        Address peer;
        const IoResult accepted = net_.network.accept(fd, &peer);
        if (accepted.is_ok()) fds_.push_back(static_cast<int>(accepted.count));
        if (accepted.is_ok() || accepted.error == EAGAIN) {
            REQUIRE((accepted.error == EAGAIN) == ready.empty());
            told(accepted);
            return;
        }
        if (below(2) == 0) {
            std::array<std::byte, 100> buffer{};
            const IoResult received = net_.network.receive(fd, std::span(buffer).first(1 + below(100)));
            // Of a datagram socket that was shut down Linux says that it is readable, and then EAGAIN.
            if (received.error == EAGAIN) REQUIRE((ready.find('r') == std::string::npos || is_datagram(fd)));
            if (received.is_ok()) REQUIRE(ready.find('r') != std::string::npos);
            told(received);
            log = mix(log, hash_bytes(buffer.data(), buffer.size()));
        } else {
            const std::string text(below(90), static_cast<char>('a' + below(26)));
            const IoResult sent = net_.network.send(fd, bytes_of(text));
            if (sent.error == EAGAIN) REQUIRE(ready.find('w') == std::string::npos);
            if (sent.is_ok() && !text.empty()) REQUIRE((ready.find('w') != std::string::npos || is_pipe(fd)));
            told(sent);
        }
    }
    bool is_datagram(int fd) { return net_.network.accept(fd, nullptr).error == EOPNOTSUPP; }
    // A pipe with room for a small message only is not reported, as in Linux.
    bool is_pipe(int fd) { return net_.network.accept(fd, nullptr).error == ENOTSOCK; }

    NetworkWorld& net_;
    Prng prng_;
    std::vector<HostId> hosts_;
    std::vector<int> fds_;
};

}  // namespace

TEST_CASE("whatever is done, readiness is true, nothing is left in the end, and a reset network repeats it all") {
    std::array<int, 200> errors{};
    NetworkWorld net;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        INFO("seed " << seed);
        std::uint64_t logs[2];
        for (std::uint64_t& log : logs) {
            RandomWalk walk(seed);
            REQUIRE(walk.begin_run({}));
            net.begin_run(&walk);
            Chaos chaos(net, seed);
            for (int i = 0; i < 1'000; ++i) chaos.step();
            chaos.finish();
            log = chaos.log;
            for (std::size_t i = 0; i < errors.size(); ++i) errors[i] += chaos.errors[i];
        }
        REQUIRE(logs[0] == logs[1]);
    }
    for (const int error : {0, EAGAIN, EADDRINUSE, EADDRNOTAVAIL, EALREADY, ECONNREFUSED, ECONNRESET, EINPROGRESS, EINVAL, EISCONN,
                            ENOENT, ENOTCONN, ENOTSOCK, EPIPE}) {
        INFO(error_name(error));
        CHECK(errors[static_cast<std::size_t>(error)] > 10);
    }
}
