#include <mishap/loop/detail/thread_state.hpp>

#include "support/catch.hpp"
#include "test_fiber.hpp"

#include <cerrno>
#include <exception>
#include <memory>
#include <string>

namespace mishap::detail {
namespace {

// Suspends inside `catch`, then finds out which exception `throw;` rethrows.
void rethrow_after_suspending(TestFiber& self, const std::string& thrown, std::string& rethrown) {
    try {
        throw std::string(thrown);
    } catch (...) {
        self.suspend();
        try {
            throw;
        } catch (const std::string& text) {
            rethrown = text;
        }
    }
}

struct Rethrown {
    std::string first;
    std::string second;
};

Rethrown rethrow_in_two_fibers(bool switches_state) {
    TestHub hub;
    hub.switches_state = switches_state;
    Rethrown rethrown;
    TestFiber first(hub, [&](TestFiber& self) { rethrow_after_suspending(self, "first", rethrown.first); });
    TestFiber second(hub,
                     [&](TestFiber& self) { rethrow_after_suspending(self, "second", rethrown.second); });
    first.resume();
    second.resume();
    first.resume();
    second.resume();
    return rethrown;
}

struct SuspendingDestructor {
    TestFiber& fiber;
    int& exceptions_seen;
    ~SuspendingDestructor() {
        fiber.suspend();
        exceptions_seen = std::uncaught_exceptions();
    }
};

}  // namespace

TEST_CASE("two fibers suspended inside catch each rethrow their own exception") {
    const Rethrown rethrown = rethrow_in_two_fibers(true);
    CHECK(rethrown.first == "first");
    CHECK(rethrown.second == "second");
}

// Why the state is switched at all: the runtime's stack of caught exceptions is the thread's.
TEST_CASE("if only stacks are switched, two fibers suspended inside catch rethrow each other's exception") {
    const Rethrown rethrown = rethrow_in_two_fibers(false);
    CHECK(rethrown.first == "second");
    CHECK(rethrown.second == "first");
}

TEST_CASE("a fiber suspended during unwinding leaves no uncaught exception to others") {
    TestHub hub;
    int seen_in_destructor = -1;
    int seen_elsewhere = -1;
    TestFiber unwinding(hub, [&](TestFiber& self) {
        try {
            const SuspendingDestructor guard{self, seen_in_destructor};
            throw 1;
        } catch (int) {
            self.suspend();
        }
    });
    TestFiber other(hub, [&](TestFiber&) { seen_elsewhere = std::uncaught_exceptions(); });
    unwinding.resume();
    CHECK(std::uncaught_exceptions() == 0);
    other.resume();
    CHECK(seen_elsewhere == 0);
    unwinding.resume();
    CHECK(seen_in_destructor == 1);
    CHECK(std::current_exception() == nullptr);
    unwinding.resume();
    CHECK(unwinding.is_done());
}

TEST_CASE("nested handlers in interleaved fibers see their own current exception") {
    TestHub hub;
    const auto nested = [](TestFiber& self, int outer, int inner) {
        try {
            throw outer;
        } catch (int) {
            self.suspend();
            try {
                throw inner;
            } catch (int caught_inner) {
                self.suspend();
                CHECK(caught_inner == inner);
            }
            self.suspend();
            try {
                std::rethrow_exception(std::current_exception());
            } catch (int caught_outer) {
                CHECK(caught_outer == outer);
            }
        }
        CHECK(std::current_exception() == nullptr);
    };
    TestFiber first(hub, [&](TestFiber& self) { nested(self, 1, 2); });
    TestFiber second(hub, [&](TestFiber& self) { nested(self, 3, 4); });
    for (int i = 0; i < 4; ++i) {
        first.resume();
        second.resume();
    }
    CHECK(first.is_done());
    CHECK(second.is_done());
}

TEST_CASE("a loop run inside catch gives its fibers no exception and its caller the old one") {
    try {
        throw std::string("the caller's");
    } catch (const std::string&) {
        {
            TestHub hub;
            TestFiber fiber(hub, [](TestFiber& self) {
                CHECK(std::current_exception() == nullptr);
                rethrow_after_suspending(self, "own", *std::make_unique<std::string>());
            });
            fiber.resume();
            fiber.resume();
            CHECK(fiber.is_done());
        }
        CHECK_THROWS_AS(throw, std::string);
    }
}

TEST_CASE("errno is a fiber's own and begins as 0") {
    TestHub hub;
    TestFiber first(hub, [](TestFiber& self) {
        CHECK(errno == 0);
        errno = ENOENT;
        self.suspend();
        CHECK(errno == ENOENT);
    });
    TestFiber second(hub, [](TestFiber& self) {
        CHECK(errno == 0);
        errno = EAGAIN;
        self.suspend();
        CHECK(errno == EAGAIN);
    });
    first.resume();
    second.resume();
    errno = EBUSY;
    first.resume();
    second.resume();
}

}  // namespace mishap::detail
