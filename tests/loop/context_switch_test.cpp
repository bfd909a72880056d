#include <mishap/loop/detail/context_switch.hpp>

#include "child_process.hpp"
#include "support/catch.hpp"
#include "test_fiber.hpp"

#include <execinfo.h>

#include <array>
#include <cfenv>
#include <csignal>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace mishap::detail {
namespace {

// Not inlined, and not to be folded into a loop: each level is a real frame with something to restore.
[[gnu::noinline]] int suspend_below(TestFiber& fiber, int depth) {
    volatile int own = depth;
    if (depth == 0) {
        fiber.suspend();
        return 0;
    }
    const int sum = suspend_below(fiber, depth - 1);
    return sum + own;
}

[[gnu::noinline]] int throw_below(TestFiber& fiber, int depth) {
    volatile int own = depth;
    if (depth == 0) {
        fiber.suspend();
        throw std::runtime_error("from below");
    }
    return throw_below(fiber, depth - 1) + own;
}

}  // namespace

TEST_CASE("a fiber runs when resumed, stops where it suspends and goes on from there") {
    TestHub hub;
    std::string events;
    TestFiber fiber(hub, [&](TestFiber& self) {
        events += 'b';
        self.suspend();
        events += 'd';
    });
    events += 'a';
    fiber.resume();
    events += 'c';
    fiber.resume();
    CHECK(events == "abcd");
    CHECK(fiber.is_done());
}

TEST_CASE("local variables of many interleaved fibers keep their values") {
    TestHub hub;
    std::vector<std::unique_ptr<TestFiber>> fibers;
    long total = 0;
    for (int i = 0; i < 100; ++i) {
        fibers.push_back(std::make_unique<TestFiber>(hub, [&total, i](TestFiber& self) {
            std::array<int, 64> numbers{};
            for (int round = 0; round < 64; ++round) {
                numbers[static_cast<std::size_t>(round)] = i + round;
                self.suspend();
            }
            for (int round = 0; round < 64; ++round) {
                total += numbers[static_cast<std::size_t>(round)] - round;
            }
        }));
    }
    for (int round = 0; round <= 64; ++round) {
        for (const auto& fiber : fibers) {
            fiber->resume();
        }
    }
    CHECK(total == 64 * 4950);
}

TEST_CASE("a fiber suspends below a deep call chain and returns through it") {
    TestHub hub;
    int first_sum = 0;
    int second_sum = 0;
    TestFiber first(hub, [&](TestFiber& self) { first_sum = suspend_below(self, 100); });
    TestFiber second(hub, [&](TestFiber& self) { second_sum = suspend_below(self, 50); });
    first.resume();
    second.resume();
    first.resume();
    second.resume();
    CHECK(first_sum == 5050);
    CHECK(second_sum == 1275);
}

TEST_CASE("an exception unwinds a fiber's frames, destructors included, to a handler in the fiber") {
    TestHub hub;
    std::string caught;
    const auto owned = std::make_shared<int>(1);
    TestFiber fiber(hub, [&](TestFiber& self) {
        try {
            const std::shared_ptr<int> copy = owned;
            throw_below(self, 20);
        } catch (const std::runtime_error& error) {
            caught = error.what();
        }
        CHECK(owned.use_count() == 1);
        self.suspend();
    });
    fiber.resume();
    CHECK(owned.use_count() == 2);
    fiber.resume();
    CHECK(caught == "from below");
    fiber.resume();
    CHECK(fiber.is_done());
}

TEST_CASE("a stack that was abandoned in the middle of its frames is as good as new") {
    StackPool pool;
    TestHub hub;
    Context context;
    Stack* stack = pool.acquire();
    for (int i = 0; i < 3; ++i) {
        struct Pair {
            TestHub& hub;
            Context& own;
        } pair{hub, context};
        make_context(
            context, *stack,
            [](void* argument) {
                auto& [hub_of_fiber, own] = *static_cast<Pair*>(argument);
                std::array<volatile char, 2000> buffer{};
                buffer[1999] = 1;
                switch_context(own, hub_of_fiber.context);
                switch_context_finally(own, hub_of_fiber.context);
            },
            &pair);
        switch_context(hub.context, context);
        pool.release(stack);
        CHECK(pool.acquire() == stack);
    }
}

TEST_CASE("a backtrace taken in a fiber ends at the fiber's start") {
    TestHub hub;
    int frames = 0;
    TestFiber fiber(hub, [&](TestFiber&) {
        std::array<void*, 100> addresses{};
        frames = backtrace(addresses.data(), 100);
    });
    fiber.resume();
    CHECK(frames > 2);
    CHECK(frames < 20);
}

TEST_CASE("an exception that leaves a fiber's entry ends the process by terminate") {
    const ChildResult result = run_in_child([] {
        std::signal(SIGABRT, SIG_DFL);
        TestHub hub;
        TestFiber fiber(hub, [](TestFiber&) { throw std::runtime_error("nobody catches this"); });
        fiber.resume();
    });
    CHECK(result.signal == SIGABRT);
    CHECK(result.error_output.find("nobody catches this") != std::string::npos);
}

TEST_CASE("the rounding mode is a fiber's own, and at first the hub's") {
    TestHub hub;
    TestFiber upward(hub, [](TestFiber& self) {
        CHECK(std::fegetround() == FE_TONEAREST);
        std::fesetround(FE_UPWARD);
        self.suspend();
        CHECK(std::fegetround() == FE_UPWARD);
    });
    TestFiber downward(hub, [](TestFiber& self) {
        CHECK(std::fegetround() == FE_TONEAREST);
        std::fesetround(FE_DOWNWARD);
        self.suspend();
        CHECK(std::fegetround() == FE_DOWNWARD);
    });
    upward.resume();
    CHECK(std::fegetround() == FE_TONEAREST);
    downward.resume();
    upward.resume();
    downward.resume();
    CHECK(std::fegetround() == FE_TONEAREST);
}

TEST_CASE("floating-point values in registers survive a switch") {
    TestHub hub;
    const auto sum = [](TestFiber& self, double step, double& result, long double& long_result) {
        double total = 0;
        long double long_total = 0;
        for (int i = 0; i < 100; ++i) {
            total += step;
            long_total += static_cast<long double>(step);
            self.suspend();
        }
        result = total;
        long_result = long_total;
    };
    std::array<double, 2> results{};
    std::array<long double, 2> long_results{};
    TestFiber halves(hub, [&](TestFiber& self) { sum(self, 0.5, results[0], long_results[0]); });
    TestFiber quarters(hub, [&](TestFiber& self) { sum(self, 0.25, results[1], long_results[1]); });
    double hub_total = 0;
    for (int i = 0; i <= 100; ++i) {
        hub_total += 0.125;
        halves.resume();
        quarters.resume();
    }
    CHECK(hub_total == 12.625);
    CHECK(results[0] == 50.0);
    CHECK(results[1] == 25.0);
    CHECK(long_results[0] == 50.0L);
    CHECK(long_results[1] == 25.0L);
}

}  // namespace mishap::detail
