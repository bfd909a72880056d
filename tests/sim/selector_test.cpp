// The same body on the fake selector and on epoll, so that the fake is held against the real thing.
#include <mishap/sim/selector.hpp>

#include <unistd.h>

#include <array>
#include <chrono>

#include <mishap/sim/epoll_selector.hpp>
#include <mishap/sim/errors.hpp>
#include <mishap/sim/fake_selector.hpp>

#include "support/catch.hpp"

using namespace mishap;
using namespace std::chrono_literals;

namespace {

/// A descriptor that can be read once `make_readable` was called.
class FakePipe {
public:
    using SelectorType = FakeSelector;

    explicit FakePipe(FakeSelector& selector) : selector_(selector), fd_(selector.open()) {}
    ~FakePipe() { close(); }
    int fd() const { return fd_; }
    void make_readable() { selector_.set_readable(fd_, true); }
    void drain() { selector_.set_readable(fd_, false); }
    void close() {
        if (!closed_) selector_.close(fd_);
        closed_ = true;
    }

private:
    FakeSelector& selector_;
    int fd_;
    bool closed_ = false;
};

class RealPipe {
public:
    using SelectorType = EpollSelector;

    explicit RealPipe(EpollSelector&) { REQUIRE(::pipe(fds_.data()) == 0); }
    ~RealPipe() {
        close();
        ::close(fds_[1]);
    }
    int fd() const { return fds_[0]; }
    void make_readable() { REQUIRE(::write(fds_[1], "x", 1) == 1); }
    void drain() {
        char byte = 0;
        REQUIRE(::read(fds_[0], &byte, 1) == 1);
    }
    void close() {
        if (!closed_) ::close(fds_[0]);
        closed_ = true;
    }

private:
    std::array<int, 2> fds_{};
    bool closed_ = false;
};

constexpr Interest reading{.readable = true, .writable = false};

std::vector<Ready> look(Selector& selector) {
    std::vector<Ready> ready{{.fd = 99, .token = 99, .readable = true, .writable = true}};  // to be replaced
    selector.select(0ns, ready);
    return ready;
}

}  // namespace

TEMPLATE_TEST_CASE("a descriptor is reported with its token as long as it is ready", "", FakePipe, RealPipe) {
    typename TestType::SelectorType selector;
    TestType pipe(selector);
    selector.register_fd(pipe.fd(), reading, 7);
    REQUIRE(look(selector).empty());
    pipe.make_readable();
    const std::vector<Ready> expected{{.fd = pipe.fd(), .token = 7, .readable = true, .writable = false}};
    REQUIRE(look(selector) == expected);
    REQUIRE(look(selector) == expected);
    std::vector<Ready> ready;
    selector.select(std::nullopt, ready);
    REQUIRE(ready == expected);
    pipe.drain();
    REQUIRE(look(selector).empty());
}

TEMPLATE_TEST_CASE("only what was asked for is reported", "", FakePipe, RealPipe) {
    typename TestType::SelectorType selector;
    TestType pipe(selector);
    pipe.make_readable();
    selector.register_fd(pipe.fd(), {.readable = false, .writable = true}, 1);
    REQUIRE(look(selector).empty());
    selector.modify_fd(pipe.fd(), reading, 2);
    REQUIRE(look(selector) == std::vector<Ready>{{pipe.fd(), 2, true, false}});
    selector.unregister_fd(pipe.fd());
    REQUIRE(look(selector).empty());
}

TEMPLATE_TEST_CASE("a descriptor can be registered again after it was unregistered", "", FakePipe, RealPipe) {
    typename TestType::SelectorType selector;
    TestType pipe(selector);
    selector.register_fd(pipe.fd(), reading, 1);
    selector.unregister_fd(pipe.fd());
    selector.register_fd(pipe.fd(), reading, 2);
    pipe.make_readable();
    REQUIRE(look(selector) == std::vector<Ready>{{pipe.fd(), 2, true, false}});
}

TEMPLATE_TEST_CASE("a wake-up ends one select that would wait", "", FakePipe, RealPipe) {
    typename TestType::SelectorType selector;
    selector.wake_up();
    selector.wake_up();
    std::vector<Ready> ready;
    selector.select(std::nullopt, ready);
    REQUIRE(ready.empty());
}

TEMPLATE_TEST_CASE("wrong requests to a selector are usage errors", "", FakePipe, RealPipe) {
    typename TestType::SelectorType selector;
    TestType pipe(selector);
    TestType other(selector);
    REQUIRE_THROWS_AS(selector.register_fd(-1, reading, 0), UsageError);
    REQUIRE_THROWS_AS(selector.register_fd(1'000'000, reading, 0), UsageError);
    REQUIRE_THROWS_AS(selector.register_fd(pipe.fd(), Interest{}, 0), UsageError);
    REQUIRE_THROWS_AS(selector.modify_fd(pipe.fd(), reading, 0), UsageError);
    REQUIRE_THROWS_AS(selector.unregister_fd(pipe.fd()), UsageError);
    REQUIRE_THROWS_AS(selector.unregister_fd(-1), UsageError);
    selector.register_fd(pipe.fd(), reading, 0);
    REQUIRE_THROWS_AS(selector.register_fd(pipe.fd(), reading, 0), UsageError);
    REQUIRE_THROWS_AS(selector.modify_fd(pipe.fd(), Interest{}, 0), UsageError);
    REQUIRE_THROWS_AS(selector.modify_fd(other.fd(), reading, 0), UsageError);
    selector.unregister_fd(pipe.fd());
}

TEMPLATE_TEST_CASE("unregistering a closed descriptor says so and frees its number", "", FakePipe, RealPipe) {
    typename TestType::SelectorType selector;
    TestType pipe(selector);
    const int fd = pipe.fd();
    selector.register_fd(fd, reading, 1);
    pipe.make_readable();
    pipe.close();
    REQUIRE(look(selector).empty());
    REQUIRE_THROWS_WITH(selector.modify_fd(fd, reading, 1), Catch::Contains("was closed"));

    TestType successor(selector);
    REQUIRE(successor.fd() == fd);  // the lowest free number
    successor.make_readable();
    REQUIRE(look(selector).empty());
    REQUIRE_THROWS_WITH(selector.unregister_fd(fd), Catch::Contains("was closed"));
    selector.register_fd(fd, reading, 2);
    REQUIRE(look(selector) == std::vector<Ready>{{fd, 2, true, false}});
}
