#pragma once

// A simulated network to try operations on, without a loop.

#include <cerrno>
#include <string>
#include <string_view>
#include <vector>

#include <mishap/sim/fake_selector.hpp>
#include <mishap/sim/network.hpp>
#include <mishap/sim/path.hpp>
#include <mishap/sim/strategy.hpp>
#include <mishap/sim/world.hpp>

#include "support/catch.hpp"

namespace mishap::test {

inline std::span<const std::byte> bytes_of(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// Answers the questions of a run with the numbers given, then calmly, and counts them.
struct Answers final : Strategy {
    explicit Answers(std::vector<std::uint32_t> given) : answers(std::move(given)) {}
    const char* name() const override { return "answers"; }
    bool begin_run(const RunInfo&) override { return true; }
    std::uint32_t pick(const Question& question) override {
        REQUIRE(question.kind == ChoiceKind::fault);
        REQUIRE(question.asker == detail::main_key);
        classes.push_back(question.classes);
        return classes.size() <= answers.size() ? answers[classes.size() - 1] : 0;
    }
    std::vector<std::uint32_t> answers;
    std::vector<std::uint32_t> classes;  // of the questions asked
};

/// What an operation did, to be read: its text or count, or the name of its error.
inline std::string error_name(int error) {
    switch (error) {
        case EAGAIN: return "EAGAIN";
        case EADDRINUSE: return "EADDRINUSE";
        case EADDRNOTAVAIL: return "EADDRNOTAVAIL";
        case EALREADY: return "EALREADY";
        case EBADF: return "EBADF";
        case ECONNREFUSED: return "ECONNREFUSED";
        case ECONNRESET: return "ECONNRESET";
        case EDESTADDRREQ: return "EDESTADDRREQ";
        case EHOSTUNREACH: return "EHOSTUNREACH";
        case EINPROGRESS: return "EINPROGRESS";
        case EINVAL: return "EINVAL";
        case EISCONN: return "EISCONN";
        case EMSGSIZE: return "EMSGSIZE";
        case ENOENT: return "ENOENT";
        case ENOTCONN: return "ENOTCONN";
        case ENOTSOCK: return "ENOTSOCK";
        case EOPNOTSUPP: return "EOPNOTSUPP";
        case EPIPE: return "EPIPE";
        case ETIMEDOUT: return "ETIMEDOUT";
        default: return "error " + std::to_string(error);
    }
}

inline std::string text_of(const IoResult& result) {
    return result.is_ok() ? std::to_string(result.count) : error_name(result.error);
}

/// The helpers of a test over any sockets.
class SocketUser {
public:
    explicit SocketUser(Sockets& sockets) : sockets_(sockets) {}

    int open(Family family = Family::ip4, SocketKind kind = SocketKind::stream) {
        const IoResult result = sockets_.open(family, kind);
        REQUIRE(result.error == 0);
        return static_cast<int>(result.count);
    }
    std::string bind(int fd, const Address& address) { return text_of(sockets_.bind(fd, address)); }
    std::string connect(int fd, const Address& address) { return text_of(sockets_.connect(fd, address)); }
    std::string send(int fd, std::string_view text) { return text_of(sockets_.send(fd, bytes_of(text))); }
    /// Returns what was read in quotes, or the name of the error.
    std::string receive(int fd, std::size_t size_max = 100) {
        std::string text(size_max, '.');
        const IoResult result = sockets_.receive(fd, {reinterpret_cast<std::byte*>(text.data()), text.size()});
        return result.is_ok() ? "'" + text.substr(0, static_cast<std::size_t>(result.count)) + "'" : text_of(result);
    }
    std::string receive_from(int fd, Address& from, std::size_t size_max = 100) {
        std::string text(size_max, '.');
        const IoResult result =
            sockets_.receive_from(fd, {reinterpret_cast<std::byte*>(text.data()), text.size()}, &from);
        return result.is_ok() ? "'" + text.substr(0, static_cast<std::size_t>(result.count)) + "'" : text_of(result);
    }
    std::string send_to(int fd, std::string_view text, const Address& to) {
        return text_of(sockets_.send_to(fd, bytes_of(text), to));
    }
    std::string shutdown(int fd, Half half = Half::sending) { return text_of(sockets_.shutdown(fd, half)); }
    /// Returns the error that waits, or "0".
    std::string error(int fd) {
        const IoResult result = sockets_.take_error(fd);
        REQUIRE(result.error == 0);
        return result.count == 0 ? "0" : error_name(static_cast<int>(result.count));
    }
    /// Opens a socket that listens on `address`; returns it with the address it got.
    int listen(Address& address, int backlog = 100) {
        const int fd = open(address.family());
        REQUIRE(bind(fd, address) == "0");
        REQUIRE(sockets_.listen(fd, backlog).error == 0);
        REQUIRE(sockets_.local_address(fd, address).error == 0);
        return fd;
    }
    std::string accept(int fd, int& accepted, Address* peer = nullptr) {
        const IoResult result = sockets_.accept(fd, peer);
        accepted = static_cast<int>(result.count);
        return result.is_ok() ? "0" : text_of(result);
    }

private:
    Sockets& sockets_;
};

struct NetworkWorld : SocketUser {
    explicit NetworkWorld(Strategy* strategy = nullptr) : SocketUser(network) { begin_run(strategy); }

    World world{WorldOptions{}};
    FakeSelector& selector = static_cast<FakeSelector&>(world.selector());
    Network network{world, selector};

    void begin_run(Strategy* strategy) {
        world.begin_run(strategy);
        network.reset();
        world.begin_step({detail::main_key, 1}, &chain_);
    }

    /// Lets everything happen until `now`.
    void wait_until(std::int64_t now_ns) {
        while (network.next_event_ns() <= now_ns) {
            world.move_clock(network.next_event_ns());
            network.deliver_until(world.now_ns());
        }
        world.move_clock(now_ns);
    }
    void wait(std::chrono::nanoseconds span) { wait_until(world.now_ns() + span.count()); }
    /// Lets everything happen that will happen by itself.
    void settle() {
        while (network.next_event_ns() != detail::NetworkEvents::never) {
            world.move_clock(network.next_event_ns());
            network.deliver_until(world.now_ns());
        }
    }
    std::chrono::nanoseconds now() { return std::chrono::nanoseconds(world.now_ns()); }

    /// Returns `r`, `w`, `rw` or nothing.
    std::string readiness(int fd) {
        selector.register_fd(fd, {.readable = true, .writable = true}, 0);
        std::vector<Ready> all;
        selector.select(std::chrono::nanoseconds(0), all);
        selector.unregister_fd(fd);
        std::string text;
        for (const Ready& ready : all) {
            if (ready.fd == fd) text = std::string(ready.readable ? "r" : "") + (ready.writable ? "w" : "");
        }
        return text;
    }

    /// Connects a new socket of `from` with a new listener of `to`, and closes the listener.
    struct Pair {
        int client;
        int server;
    };
    Pair connected(HostId from = HostId::local, HostId to = HostId::local) {
        network.set_current_host(to);
        Address address = network.addresses(to)[0];
        const int listener = SocketUser::listen(address);
        network.set_current_host(from);
        Pair pair{SocketUser::open(), -1};
        REQUIRE(SocketUser::connect(pair.client, address) == "EINPROGRESS");
        settle();
        REQUIRE(error(pair.client) == "0");
        REQUIRE(SocketUser::accept(listener, pair.server) == "0");
        REQUIRE(network.close(listener).error == 0);
        return pair;
    }

private:
    std::uint64_t chain_ = 0;
};

}  // namespace mishap::test
