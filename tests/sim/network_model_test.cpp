// Random operations on many connections, held against the simplest model of a stream: the bytes sent are those received.
#include <mishap/sim/network.hpp>

#include <chrono>
#include <string>

#include <mishap/sim/hash.hpp>
#include <mishap/sim/prng.hpp>
#include <mishap/sim/random_walk.hpp>

#include "sim/network_world.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

/// One direction, as the program at its ends knows it.
struct Direction {
    int from = -1;
    int to = -1;
    std::string sent;
    std::size_t received = 0;
    bool has_ended = false;
    bool saw_end = false;
};

class Model {
public:
    Model(NetworkWorld& net, std::uint64_t seed) : net_(net), prng_(seed) {
        std::vector<HostId> hosts{HostId::local, net.network.add_host("a"), net.network.add_host("b")};
        for (int i = 0; i < 6; ++i) {
            const auto pair = net.connected(hosts[prng_.below(3)], hosts[prng_.below(3)]);
            add(pair.client, pair.server);
        }
        int fds[2];
        REQUIRE(net.network.open_pair(fds).is_ok());
        add(fds[0], fds[1]);
        LinkProfile bad;
        bad.delay_max = 5ms;
        bad.loss_ppm = bad.partial_ppm = 100'000;
        bad.bytes_per_second = 100'000;
        bad.send_buffer_bytes = bad.receive_buffer_bytes = 200;
        net.network.set_default_link(bad);
        net.network.set_link(HostId::local, HostId::local, bad);
        for (int i = 0; i < 2; ++i) {  // these have the small buffers
            const auto pair = net.connected(hosts[prng_.below(3)], hosts[prng_.below(3)]);
            add(pair.client, pair.server);
        }
    }

    void step() {
        Direction& direction = directions_[prng_.below(static_cast<std::uint32_t>(directions_.size()))];
        switch (prng_.below(8)) {
            case 0:
            case 1:
            case 2: send(direction); break;
            case 3:
            case 4:
            case 5: receive(direction); break;
            case 6: net_.wait(std::chrono::microseconds(prng_.below(2'000))); break;
            default:
                if (prng_.below(100) == 0 && !direction.has_ended) {
                    REQUIRE(net_.shutdown(direction.from) == "0");
                    direction.has_ended = true;
                }
        }
    }

    /// Ends all directions, reads what is left, and demands that it was all that was sent.
    void finish() {
        for (Direction& direction : directions_) {
            if (!direction.has_ended) REQUIRE(net_.shutdown(direction.from) == "0");
            direction.has_ended = true;
        }
        for (Direction& direction : directions_) {
            for (int rounds = 0; !direction.saw_end && rounds < 1'000; ++rounds) {
                net_.wait(1s);
                receive(direction);
            }
            REQUIRE(direction.saw_end);
            REQUIRE(direction.received == direction.sent.size());
            bytes += direction.sent.size();
        }
    }
    std::uint64_t bytes = 0;

private:
    void add(int one, int other) {
        directions_.push_back({.from = one, .to = other});
        directions_.push_back({.from = other, .to = one});
    }

    void send(Direction& direction) {
        std::string text(prng_.below(300), ' ');
        for (char& letter : text) letter = static_cast<char>('a' + prng_.below(26));
        const IoResult result = net_.network.send(direction.from, bytes_of(text));
        if (direction.has_ended) {
            REQUIRE(result.error == EPIPE);
        } else if (result.is_ok()) {
            direction.sent += text.substr(0, static_cast<std::size_t>(result.count));
        } else {
            REQUIRE(result.error == EAGAIN);
            REQUIRE(net_.readiness(direction.from).find('w') == std::string::npos);
        }
    }

    void receive(Direction& direction) {
        const bool is_readable = net_.readiness(direction.to).find('r') != std::string::npos;
        const std::string text = net_.receive(direction.to, 1 + prng_.below(400));
        REQUIRE(is_readable == (text != "EAGAIN"));
        if (!is_readable) return;
        REQUIRE(text.front() == '\'');
        const std::string got = text.substr(1, text.size() - 2);
        REQUIRE(direction.sent.compare(direction.received, got.size(), got) == 0);
        direction.received += got.size();
        if (got.empty()) {
            direction.saw_end = true;
            REQUIRE(direction.has_ended);
            REQUIRE(direction.received == direction.sent.size());
        }
    }

    NetworkWorld& net_;
    Prng prng_;
    std::vector<Direction> directions_;
};

}  // namespace

TEST_CASE("on every link, whatever happens, the bytes received are the bytes sent, in order and to the end") {
    std::uint64_t bytes = 0;
    std::size_t choices = 0;
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        INFO("seed " << seed);
        RandomWalk walk(seed);
        REQUIRE(walk.begin_run({}));
        NetworkWorld net(&walk);
        Model model(net, seed);
        for (int i = 0; i < 1'500; ++i) model.step();
        model.finish();
        bytes += model.bytes;
        choices += net.world.choices().tape().size();
    }
    REQUIRE(bytes > 300'000);
    REQUIRE(choices > 5'000);
}

TEST_CASE("a run of the network is determined by its choices, and told by its digest") {
    const auto digest = [](std::uint64_t seed) {
        RandomWalk walk(seed);
        REQUIRE(walk.begin_run({}));
        NetworkWorld net(&walk);
        Model model(net, 1);
        for (int i = 0; i < 200; ++i) model.step();
        return mix(net.world.digest().value(), static_cast<std::uint64_t>(net.world.now_ns()));
    };
    REQUIRE(digest(1) == digest(1));
    REQUIRE(digest(1) != digest(2));
}
