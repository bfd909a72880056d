#include <mishap/sim/fake_selector.hpp>

#include <chrono>

#include <mishap/sim/errors.hpp>

#include "support/catch.hpp"

using namespace mishap;
using namespace std::chrono_literals;

TEST_CASE("a virtual descriptor gets the lowest free number, at once after it was closed") {
    FakeSelector selector;
    REQUIRE(selector.open() == 3);
    REQUIRE(selector.open() == 4);
    REQUIRE(selector.open() == 5);
    selector.close(4);
    selector.close(3);
    REQUIRE(selector.open() == 3);
    REQUIRE(selector.open() == 4);
    REQUIRE(selector.open() == 6);
}

TEST_CASE("ready descriptors are reported in ascending order") {
    FakeSelector selector;
    const int low = selector.open();
    const int high = selector.open();
    selector.register_fd(high, {.readable = true, .writable = true}, 1);
    selector.register_fd(low, {.readable = true, .writable = true}, 2);
    selector.set_writable(high, true);
    selector.set_readable(low, true);
    selector.set_writable(low, true);
    std::vector<Ready> ready;
    selector.select(24h, ready);
    REQUIRE(ready == std::vector<Ready>{{low, 2, true, true}, {high, 1, false, true}});
}

TEST_CASE("a fake selector does not wait, and refuses to wait for ever") {
    FakeSelector selector;
    std::vector<Ready> ready;
    selector.select(24h, ready);
    REQUIRE(ready.empty());
    REQUIRE_THROWS_AS(selector.select(std::nullopt, ready), detail::WouldWaitForEver);
}

TEST_CASE("what is not open cannot be closed or scripted") {
    FakeSelector selector;
    REQUIRE_THROWS_AS(selector.close(3), UsageError);
    REQUIRE_THROWS_AS(selector.close(-1), UsageError);
    REQUIRE_THROWS_AS(selector.set_readable(0, true), UsageError);
    REQUIRE_THROWS_AS(selector.set_writable(9, true), UsageError);
}

TEST_CASE("a reset fake selector is like a new one") {
    FakeSelector selector;
    const int fd = selector.open();
    selector.register_fd(fd, {.readable = true, .writable = false}, 1);
    selector.set_readable(fd, true);
    selector.wake_up();
    selector.reset();
    std::vector<Ready> ready;
    REQUIRE_THROWS_AS(selector.select(std::nullopt, ready), detail::WouldWaitForEver);
    REQUIRE(selector.open() == fd);
    selector.register_fd(fd, {.readable = true, .writable = false}, 2);
    selector.select(0ns, ready);
    REQUIRE(ready.empty());
}
