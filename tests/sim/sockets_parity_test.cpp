// The same bodies on sockets of the operating system over loopback and on simulated ones: what each operation says, errno by
// errno, and what is ready, must agree.
#include <mishap/sim/sockets.hpp>

#include <unistd.h>

#include <chrono>
#include <initializer_list>

#include <mishap/sim/epoll_selector.hpp>
#include <mishap/sim/system_sockets.hpp>

#include "sim/network_world.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

/// One of the two worlds, and the log of what a body saw in it.
class Parity : public SocketUser {
public:
    Parity(Sockets& own_sockets, Selector& own_selector)
        : SocketUser(own_sockets), sockets(own_sockets), selector(own_selector) {}
    virtual ~Parity() = default;
    void close_all() {
        for (const int fd : opened_) sockets.close(fd);
    }

    /// Waits until something can be done on a descriptor: `r`, `w`, `rw`, or nothing for a long time.
    std::string wait(int fd, Interest interest = {.readable = true, .writable = true}) {
        selector.register_fd(fd, interest, 0);
        std::vector<Ready> ready;
        look(ready);
        selector.unregister_fd(fd);
        if (ready.empty()) return "nothing";
        return std::string(ready[0].readable ? "r" : "") + (ready[0].writable ? "w" : "");
    }
    std::string wait_readable(int fd) { return wait(fd, {.readable = true, .writable = false}); }
    std::string ready_now(int fd) {
        selector.register_fd(fd, {.readable = true, .writable = true}, 0);
        std::vector<Ready> ready;
        selector.select(0ns, ready);
        selector.unregister_fd(fd);
        if (ready.empty()) return "nothing";
        return std::string(ready[0].readable ? "r" : "") + (ready[0].writable ? "w" : "");
    }
    virtual void settle() = 0;
    virtual void look(std::vector<Ready>& ready) = 0;

    /// A list, for its elements are evaluated from left to right.
    void log(std::initializer_list<std::string> words) {
        for (const std::string& word : words) text += (text.empty() || text.back() == '\n' ? "" : " ") + word;
        text += '\n';
    }

    int opened(int fd) {
        opened_.push_back(fd);
        return fd;
    }
    int stream() { return opened(open()); }
    int datagram() { return opened(open(Family::ip4, SocketKind::datagram)); }
    int path_stream() { return opened(open(Family::unix_path)); }
    void close(int fd) {
        std::erase(opened_, fd);
        REQUIRE(sockets.close(fd).is_ok());
    }
    void set(int fd, SocketOption option, int value) { REQUIRE(sockets.set_option(fd, option, value).is_ok()); }

    struct Pair {
        int client;
        int server;
        int listener;
        Address address;
    };
    Pair connected() {
        Pair pair{-1, -1, -1, Address::loopback(Family::ip4)};
        pair.listener = opened(listen(pair.address));
        pair.client = stream();
        REQUIRE(connect(pair.client, pair.address) == "EINPROGRESS");
        REQUIRE(wait(pair.client) == "w");
        REQUIRE(wait_readable(pair.listener) == "r");
        REQUIRE(accept(pair.listener, pair.server) == "0");
        opened(pair.server);
        return pair;
    }

    Sockets& sockets;
    Selector& selector;
    std::string text;

private:
    std::vector<int> opened_;
};

class RealParity final : public Parity {
public:
    RealParity() : Parity(system_, epoll_) {}
    ~RealParity() override { close_all(); }
    void settle() override {
        std::vector<Ready> ready;
        epoll_.select(5ms, ready);
    }
    void look(std::vector<Ready>& ready) override { epoll_.select(2s, ready); }

private:
    SystemSockets system_;
    EpollSelector epoll_;
};

class SimulatedParity final : public Parity {
public:
    explicit SimulatedParity(NetworkWorld& net) : Parity(net.network, net.selector), net_(net) {}
    void settle() override { net_.settle(); }
    void look(std::vector<Ready>& ready) override {
        for (;;) {
            net_.selector.select(0ns, ready);
            const std::int64_t next = net_.network.next_event_ns();
            if (!ready.empty() || next == detail::NetworkEvents::never) return;
            net_.wait_until(next);
        }
    }

private:
    NetworkWorld& net_;
};

std::string in_the_real_world(void (*body)(Parity&)) {
    RealParity real;
    body(real);
    return real.text;
}

std::string in_the_simulated_world(void (*body)(Parity&)) {
    NetworkWorld net;
    SimulatedParity simulated(net);
    body(simulated);
    return simulated.text;
}

Address test_path() { return Address::unix_path("/tmp/mishap_parity_" + std::to_string(::getpid())); }

// ---- the bodies ------------------------------------------------------------------------------------------------------

void new_stream(Parity& net) {
    const int fd = net.stream();
    Address address;
    net.log({net.ready_now(fd), net.receive(fd), net.send(fd, "x"), net.shutdown(fd), net.error(fd)});
    net.log({text_of(net.sockets.peer_address(fd, address)), text_of(net.sockets.local_address(fd, address)), address.text()});
    int accepted = -1;
    net.log({net.accept(fd, accepted)});
}

void echo(Parity& net) {
    const auto [client, server, listener, at] = net.connected();
    net.log({net.error(client), net.ready_now(client), net.receive(client), net.receive(server)});
    net.log({net.send(client, "ping"), net.wait_readable(server), net.receive(server, 2), net.receive(server)});
    net.log({net.receive(server), net.send(server, "pong"), net.wait_readable(client), net.receive(client)});
    net.log({net.send(client, ""), net.receive(client, 0)});
    Address one;
    Address other;
    net.sockets.local_address(client, one);
    net.sockets.peer_address(server, other);
    net.log({one == other ? "same" : "different"});
    net.sockets.peer_address(client, other);
    net.log({other == at ? "same" : "different"});
}

void connect_again(Parity& net) {
    const auto [client, server, listener, at] = net.connected();
    net.log({net.connect(client, at), net.connect(client, at)});
}

void refused(Parity& net) {
    Address address = Address::loopback(Family::ip4);
    net.close(net.opened(net.listen(address)));  // a port where nobody listens
    const int fd = net.stream();
    net.log({net.connect(fd, address), net.wait(fd), net.error(fd), net.error(fd)});
    net.log({net.receive(fd), net.send(fd, "x"), net.ready_now(fd), net.shutdown(fd)});
    const int other = net.stream();
    net.log({net.connect(other, address), net.wait(other), net.connect(other, address), net.error(other)});
    const int third = net.stream();
    net.log({net.connect(third, address), net.wait(third), net.receive(third), net.error(third)});
}

void half_close(Parity& net) {
    const auto [client, server, listener, at] = net.connected();
    net.log({net.send(client, "last"), net.shutdown(client), net.send(client, "x"), net.wait_readable(server)});
    net.log({net.receive(server, 2), net.receive(server), net.wait_readable(server), net.receive(server), net.receive(server)});
    net.log({net.send(server, "answer"), net.wait_readable(client), net.receive(client), net.receive(client)});
    net.log({net.shutdown(client), net.shutdown(server), net.wait_readable(client), net.receive(client)});
    net.log({net.ready_now(client), net.ready_now(server)});
}

void stop_reading(Parity& net) {
    const auto [client, server, listener, at] = net.connected();
    net.log({net.shutdown(client, Half::receiving), net.ready_now(client), net.receive(client), net.send(client, "x")});
    net.log({net.wait_readable(server), net.receive(server)});
    net.send(server, "still");
    net.settle();
    net.log({net.receive(client), net.receive(client)});
}

void closed(Parity& net) {
    const auto [client, server, listener, at] = net.connected();
    net.log({net.send(server, "bye")});
    net.close(server);
    net.log({net.wait_readable(client), net.receive(client), net.wait_readable(client), net.receive(client)});
    net.log({net.send(client, "a")});
    net.settle();
    Address peer;
    net.log({net.send(client, "b"), net.receive(client), net.ready_now(client), net.shutdown(client)});
    net.log({text_of(net.sockets.peer_address(client, peer))});
}

void closed_with_bytes_unread(Parity& net, int how) {
    const auto [client, server, listener, at] = net.connected();
    net.log({net.send(client, "unread"), net.wait_readable(server)});
    net.close(server);
    net.log({net.wait_readable(client), net.ready_now(client)});
    if (how == 0) net.log({net.receive(client), net.receive(client), net.send(client, "x"), net.error(client)});
    if (how == 1) net.log({net.send(client, "x"), net.send(client, "x"), net.receive(client)});
    if (how == 2) net.log({net.error(client), net.error(client), net.receive(client), net.send(client, "x")});
}
void closed_unread_then_read(Parity& net) { closed_with_bytes_unread(net, 0); }
void closed_unread_then_written(Parity& net) { closed_with_bytes_unread(net, 1); }
void closed_unread_then_asked(Parity& net) { closed_with_bytes_unread(net, 2); }

void reset_after_data(Parity& net) {
    const auto [client, server, listener, at] = net.connected();
    net.log({net.send(client, "unread"), net.wait_readable(server), net.send(server, "bye"), net.wait_readable(client)});
    net.close(server);
    net.settle();
    net.log({net.receive(client), net.receive(client), net.receive(client)});
}

void reset_on_close(Parity& net) {
    const auto [client, server, listener, at] = net.connected();
    net.set(client, SocketOption::reset_on_close, 1);
    net.log({text_of(net.sockets.get_option(client, SocketOption::reset_on_close))});
    net.close(client);
    net.log({net.wait_readable(server), net.receive(server), net.receive(server), net.send(server, "x")});
}

void reset_after_end(Parity& net) {
    const auto [client, server, listener, at] = net.connected();
    net.log({net.shutdown(server), net.wait_readable(client), net.receive(client)});
    net.set(server, SocketOption::reset_on_close, 1);
    net.close(server);
    net.settle();
    net.log({net.receive(client), net.error(client), net.send(client, "x")});
}

void addresses_in_use(Parity& net) {
    Address address = Address::loopback(Family::ip4);
    const int listener = net.opened(net.listen(address));
    net.log({net.bind(net.stream(), address), net.bind(net.stream(), Address::any(Family::ip4, address.port()))});
    net.log({net.bind(listener, address), net.bind(net.datagram(), address)});
    net.log({net.bind(net.stream(), *Address::parse("192.0.2.1"))});
    net.log({net.bind(net.stream(), Address::any(Family::ip4)), net.bind(net.stream(), *Address::parse("127.0.0.2", address.port()))});
}

void listening_twice(Parity& net) {
    Address address = Address::loopback(Family::ip4);
    int fds[3];
    for (int& fd : fds) {
        fd = net.stream();
        net.set(fd, SocketOption::reuse_address, 1);
        if (&fd == &fds[2]) break;
        net.log({net.bind(fd, address)});
        net.sockets.local_address(fd, address);
    }
    net.log({text_of(net.sockets.listen(fds[0], 1)), text_of(net.sockets.listen(fds[1], 1)), net.bind(fds[2], address)});
    net.log({text_of(net.sockets.listen(fds[0], 5))});
}

void waiting_after_close(Parity& net) {
    const auto [client, server, listener, at] = net.connected();
    net.close(listener);
    net.log({net.bind(net.stream(), at)});
    net.close(server);
    net.log({net.wait_readable(client), net.receive(client)});
    net.close(client);
    net.settle();
    net.log({net.bind(net.stream(), at)});
    const int reusing = net.stream();
    net.set(reusing, SocketOption::reuse_address, 1);
    net.log({net.bind(reusing, at), text_of(net.sockets.listen(reusing, 1))});
}

void listener_is_no_connection(Parity& net) {
    Address address = Address::loopback(Family::ip4);
    const int listener = net.opened(net.listen(address));
    int accepted = -1;
    net.log({net.accept(listener, accepted), net.ready_now(listener), net.connect(listener, address)});
    net.log({net.receive(listener), net.send(listener, "x")});
}

void listener_closed(Parity& net) {
    Address address = Address::loopback(Family::ip4);
    const int listener = net.opened(net.listen(address));
    const int client = net.stream();
    net.log({net.connect(client, address), net.wait(client), net.wait_readable(listener), net.error(client)});
    net.close(listener);
    net.log({net.wait_readable(client), net.receive(client), net.receive(client), net.send(client, "x")});
}

void closed_before_accepted(Parity& net) {
    Address address = Address::loopback(Family::ip4);
    const int listener = net.opened(net.listen(address));
    const int client = net.stream();
    net.log({net.connect(client, address), net.wait(client), net.send(client, "hello")});
    net.close(client);
    int server = -1;
    net.log({net.wait_readable(listener), net.accept(listener, server)});
    net.opened(server);
    net.log({net.wait_readable(server), net.receive(server), net.wait_readable(server), net.receive(server)});
}

void back_pressure(Parity& net) {
    const auto [client, server, listener, at] = net.connected();
    const std::string piece(10'000, 'x');
    std::size_t sent = 0;
    for (int idle = 0; idle < 2;) {  // what is in buffers of the system moves on for a while
        const IoResult result = net.sockets.send(client, bytes_of(piece));
        if (result.is_ok()) {
            sent += static_cast<std::size_t>(result.count);
            idle = 0;
        } else {
            REQUIRE(result.error == EAGAIN);
            net.settle();
            ++idle;
        }
    }
    net.log({net.ready_now(client), net.send(client, "x")});
    std::size_t received = 0;
    while (received < sent && net.wait_readable(server) == "r") {
        received += net.receive(server, 100'000).size() - 2;
    }
    net.log({received == sent ? "all" : "not all", net.receive(server), net.wait(client), net.send(client, "x")});
}

void unix_paths(Parity& net) {
    const Address path = test_path();
    net.sockets.unlink(path);
    const int client = net.path_stream();
    net.log({net.ready_now(client), net.receive(client), net.send(client, "x"), net.connect(client, path)});
    Address address = path;
    const int listener = net.opened(net.listen(address, 0));
    net.log({net.connect(client, path), net.connect(client, path), net.connect(net.path_stream(), path)});
    net.log({net.send(client, "early"), net.ready_now(listener), net.bind(net.path_stream(), path)});
    int server = -1;
    Address peer;
    net.log({net.accept(listener, server, &peer), peer.text(), net.ready_now(listener)});
    net.opened(server);
    net.log({net.receive(server), net.send(server, "answer"), net.receive(client), net.receive(client)});
    net.sockets.peer_address(client, peer);
    net.log({peer == path ? "path" : "another", net.shutdown(client), net.receive(server), net.send(client, "x")});
    net.close(listener);
    net.log({net.connect(net.path_stream(), path), net.bind(net.path_stream(), path)});
    net.log({text_of(net.sockets.unlink(path)), text_of(net.sockets.unlink(path))});
}

void unix_listener_closed(Parity& net) {
    Address path = test_path();
    net.sockets.unlink(path);
    const int listener = net.opened(net.listen(path));
    const int client = net.path_stream();
    net.log({net.connect(client, path)});
    net.close(listener);
    net.log({net.ready_now(client), net.receive(client), net.receive(client), net.send(client, "x")});
    net.sockets.unlink(path);
}

void pair_of(Parity& net, int (&fds)[2]) {
    REQUIRE(net.sockets.open_pair(fds).is_ok());
    for (const int fd : fds) net.opened(fd);
}

void socket_pair(Parity& net) {
    int fds[2];
    pair_of(net, fds);
    Address address = Address::loopback(Family::ip4);
    net.log({net.ready_now(fds[0]), net.receive(fds[0]), net.send(fds[0], "ping"), net.receive(fds[1])});
    net.log({text_of(net.sockets.local_address(fds[0], address)), address.text()});
    net.log({net.shutdown(fds[0]), net.ready_now(fds[1]), net.receive(fds[1]), net.send(fds[1], "pong")});
    net.log({net.receive(fds[0]), net.shutdown(fds[0], Half::receiving), net.send(fds[1], "x"), net.ready_now(fds[1])});
}

void socket_pair_closed(Parity& net) {
    int fds[2];
    pair_of(net, fds);
    net.log({net.send(fds[0], "rest")});
    net.close(fds[0]);
    net.log({net.ready_now(fds[1]), net.send(fds[1], "x"), net.receive(fds[1]), net.receive(fds[1]), net.error(fds[1])});
}

void socket_pair_closed_unread(Parity& net) {
    int fds[2];
    pair_of(net, fds);
    net.log({net.send(fds[0], "rest"), net.send(fds[1], "unread")});
    net.close(fds[0]);
    net.log({net.send(fds[1], "x"), net.receive(fds[1]), net.receive(fds[1]), net.receive(fds[1])});
}

void pipe_of(Parity& net, int (&fds)[2]) {
    REQUIRE(net.sockets.open_pipe(fds).is_ok());
    for (const int fd : fds) net.opened(fd);
}

void pipe_ends(Parity& net) {
    int fds[2];
    pipe_of(net, fds);
    net.log({net.ready_now(fds[0]), net.ready_now(fds[1]), net.receive(fds[0]), net.receive(fds[1]), net.send(fds[0], "x")});
    net.log({net.send(fds[1], "abc"), net.ready_now(fds[0]), net.receive(fds[0], 2), net.receive(fds[0])});
    net.log({net.send(fds[1], "rest")});
    net.close(fds[1]);
    net.log({net.ready_now(fds[0]), net.receive(fds[0]), net.receive(fds[0]), net.ready_now(fds[0])});
}

void pipe_broken(Parity& net) {
    int fds[2];
    pipe_of(net, fds);
    net.close(fds[0]);
    net.log({net.ready_now(fds[1]), net.send(fds[1], "x"), net.send(fds[1], "y")});
}

void pipe_full(Parity& net) {
    int fds[2];
    pipe_of(net, fds);
    const std::string large(80'000, 'x');
    net.log({net.send(fds[1], large), net.send(fds[1], "x"), net.ready_now(fds[1])});
    net.log({std::to_string(net.receive(fds[0], 4'096).size()), net.ready_now(fds[1])});
    net.log({net.send(fds[1], large.substr(0, 4'097)), net.send(fds[1], "x")});
    net.log({std::to_string(net.receive(fds[0], 8'192).size()), net.send(fds[1], large.substr(0, 4'096))});
}

void not_a_socket(Parity& net) {
    int fds[2];
    pipe_of(net, fds);
    Address address;
    int accepted = -1;
    net.log({net.bind(fds[0], address), net.connect(fds[0], address), net.shutdown(fds[0]), net.accept(fds[0], accepted)});
    net.log({text_of(net.sockets.local_address(fds[0], address)), text_of(net.sockets.take_error(fds[0]))});
    net.log({text_of(net.sockets.set_option(fds[0], SocketOption::reuse_address, 1)), net.receive_from(fds[0], address)});
    net.log({net.receive(1'000'000), net.send(-1, "x"), net.bind(1'000'000, address), text_of(net.sockets.close(1'000'000))});
}

void datagrams(Parity& net) {
    const int receiver = net.datagram();
    const int sender = net.datagram();
    Address to = Address::loopback(Family::ip4);
    Address from;
    net.log({net.ready_now(sender), net.receive(sender), net.send(sender, "x"), net.bind(receiver, to)});
    net.sockets.local_address(receiver, to);
    net.log({net.send_to(sender, "0123456789", to), net.send_to(sender, "", to), net.send_to(sender, "next", to)});
    net.log({net.wait_readable(receiver), net.receive_from(receiver, from, 4), net.wait_readable(receiver)});
    net.log({net.receive(receiver), net.wait_readable(receiver), net.receive(receiver), net.receive(receiver)});
    net.log({net.send_to(receiver, "answer", from), net.wait_readable(sender), net.receive(sender)});
    net.log({net.send_to(sender, std::string(65'508, 'x'), to), net.send_to(sender, "x", to.with_port(0))});
    int accepted = -1;
    net.log({net.accept(sender, accepted), text_of(net.sockets.listen(sender, 1))});
}

void datagram_shut_down(Parity& net) {
    const int sender = net.datagram();
    Address to = Address::loopback(Family::ip4);
    const int receiver = net.datagram();
    net.bind(receiver, to);
    net.sockets.local_address(receiver, to);
    net.log({net.shutdown(sender), net.send_to(sender, "x", to), net.shutdown(receiver, Half::receiving)});
    net.log({net.ready_now(sender), net.ready_now(receiver), net.receive(receiver)});
}

void datagram_peer(Parity& net) {
    const int receiver = net.datagram();
    const int sender = net.datagram();
    const int stranger = net.datagram();
    Address to = Address::loopback(Family::ip4);
    Address local;
    net.bind(receiver, to);
    net.sockets.local_address(receiver, to);
    net.log({net.connect(sender, to), text_of(net.sockets.local_address(sender, local)), local.host()});
    net.log({net.send_to(stranger, "stranger", local), net.send(sender, "question"), net.wait_readable(receiver)});
    net.log({net.send_to(receiver, "answer", local), net.wait_readable(sender), net.receive(sender), net.receive(sender)});
    net.close(receiver);
    net.log({net.send(sender, "x"), net.wait_readable(sender), net.ready_now(sender), net.receive(sender), net.receive(sender)});
    net.log({net.send(sender, "x"), net.wait_readable(sender), net.send(sender, "y"), net.error(sender)});
    net.log({net.shutdown(sender, Half::both), net.send(sender, "x"), net.receive(sender), net.ready_now(sender)});
}

void numbers(Parity& net) {
    const int first = net.stream();
    const int second = net.stream();
    net.close(first);
    const int third = net.stream();
    net.log({third == first ? "the lowest" : "another", second == first + 1 ? "in turn" : "not in turn"});
}

struct Named {
    const char* name;
    void (*body)(Parity&);
};

constexpr Named bodies[] = {
    {"a new stream socket", new_stream},
    {"an echo", echo},
    {"connecting once more", connect_again},
    {"a refused connection", refused},
    {"a half that is closed", half_close},
    {"a half that is not read", stop_reading},
    {"a closed connection", closed},
    {"a connection closed with bytes unread, read", closed_unread_then_read},
    {"a connection closed with bytes unread, written to", closed_unread_then_written},
    {"a connection closed with bytes unread, asked for its error", closed_unread_then_asked},
    {"a reset after data", reset_after_data},
    {"a reset on close", reset_on_close},
    {"a reset after the end", reset_after_end},
    {"addresses in use", addresses_in_use},
    {"listening twice", listening_twice},
    {"waiting after a close", waiting_after_close},
    {"a listener is no connection", listener_is_no_connection},
    {"a closed listener", listener_closed},
    {"closed before it was accepted", closed_before_accepted},
    {"back-pressure", back_pressure},
    {"Unix sockets", unix_paths},
    {"a closed Unix listener", unix_listener_closed},
    {"a socket pair", socket_pair},
    {"a socket pair, one closed", socket_pair_closed},
    {"a socket pair, one closed with bytes unread", socket_pair_closed_unread},
    {"the ends of a pipe", pipe_ends},
    {"a broken pipe", pipe_broken},
    {"a full pipe", pipe_full},
    {"what is no socket", not_a_socket},
    {"datagrams", datagrams},
    {"datagrams with one peer", datagram_peer},
    {"datagrams that are shut down", datagram_shut_down},
    {"numbers of descriptors", numbers},
};

}  // namespace

TEST_CASE("simulated sockets say what those of the system say", "[real]") {
    for (const Named& one : bodies) {
        INFO(one.name);
        const std::string real = in_the_real_world(one.body);
        CHECK(in_the_simulated_world(one.body) == real);
        CHECK_FALSE(real.empty());
    }
}
