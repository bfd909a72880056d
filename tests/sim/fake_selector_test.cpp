#include <mishap/sim/fake_selector.hpp>

#include <algorithm>
#include <chrono>

#include <mishap/sim/errors.hpp>
#include <mishap/sim/hash.hpp>

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

TEST_CASE("among thousands of open descriptors numbers and readiness are those of a simple model") {
    FakeSelector selector;
    std::vector<int> model(3, 2);  // a number a descriptor: 0 closed, 1 open, 2 standard stream, 3 readable
    std::uint64_t random = 1;
    std::vector<Ready> ready;
    for (int round = 0; round < 40'000; ++round) {
        random = scramble(random);
        const std::size_t at = 3 + (random >> 8U) % 9'000;
        if (at >= model.size() || model[at] == 0) {
            const auto free = std::find(model.begin(), model.end(), 0);
            const auto expected = static_cast<std::size_t>(free - model.begin());
            if (free == model.end()) model.push_back(0);
            REQUIRE(selector.open() == static_cast<int>(expected));
            model[expected] = 1;
            selector.register_fd(static_cast<int>(expected), {.readable = true, .writable = false}, expected);
        } else if (random % 4 == 0) {
            selector.unregister_fd(static_cast<int>(at));
            selector.close(static_cast<int>(at));
            model[at] = 0;
        } else {
            model[at] = model[at] == 1 ? 3 : 1;
            selector.set_readable(static_cast<int>(at), model[at] == 3);
        }
        if (round % 1'000 == 0) {
            std::vector<Ready> expected;
            for (std::size_t fd = 3; fd < model.size(); ++fd) {
                if (model[fd] == 3) expected.push_back({static_cast<int>(fd), fd, true, false});
            }
            selector.select(0ns, ready);
            REQUIRE(ready == expected);
        }
    }
    REQUIRE(model.size() > 4'200);  // more than one word of the upper level
}
