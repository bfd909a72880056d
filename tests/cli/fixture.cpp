// A scenario program with one scenario for everything the command line must cope with.

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <vector>

#include <mishap/loop/await.hpp>
#include <mishap/loop/sleep.hpp>
#include <mishap/primitives/lock.hpp>
#include <mishap/primitives/shared.hpp>
#include <mishap/properties/claims.hpp>
#include <mishap/properties/scenario.hpp>

namespace {

using namespace mishap;
using namespace std::chrono_literals;

/// Runs two tasks and returns whether the second one was the first to come to its end, which takes a mishap.
bool second_wins() {
    char first_done = 0;
    const auto finish = [&](char who) {
        sleep(0s);
        first_done = first_done == 0 ? who : first_done;
    };
    const auto a = create_task([&] { finish('a'); }, {.name = "a"});
    const auto b = create_task([&] { finish('b'); }, {.name = "b"});
    await(a);
    await(b);
    return first_done == 'b';
}

[[gnu::noinline]] int recurse(int depth) {
    volatile char frame[1024];
    frame[0] = static_cast<char>(depth);
    return depth == 0 ? 0 : recurse(depth - 1) + frame[0];
}

MISHAP_SCENARIO("good/ordered") {
    second_wins();
}

MISHAP_SCENARIO("good/many", .runs_max = 50) {
    for (int i = 0; i < 6; ++i) {
        second_wins();
    }
}

MISHAP_SCENARIO("bad/check") {
    always(!second_wins(), "a is first");
}

MISHAP_SCENARIO("bad/scripted", .script = {at("main/b", 2).before("main/a", 2)}) {
    always(!second_wins(), "a is first");
}

MISHAP_SCENARIO("bad/exception") {
    if (second_wins()) {
        throw std::runtime_error("b was first");
    }
}

MISHAP_SCENARIO("bad/deadlock") {
    auto woken = get_running_loop().create_future<void>();
    bool is_waiting = false;
    const auto waiter = create_task(
        [&] {
            is_waiting = true;
            await(woken);
        },
        {.name = "waiter"});
    const auto waker = create_task(
        [&] {
            if (is_waiting) {
                woken.set_result();
            }
        },
        {.name = "waker"});
    await(waiter);
    await(waker);
}

MISHAP_SCENARIO("bad/lost_update") {
    Shared<int> balance{0, "balance"};
    const auto deposit = [&] {
        const int seen = balance.load();
        sleep(0s);
        balance.store(seen + 1);
    };
    const auto a = create_task(deposit, {.name = "a"});
    const auto b = create_task(
        [&] {
            sleep(0s);
            sleep(0s);
            deposit();
        },
        {.name = "b"});
    await(a);
    await(b);
}

MISHAP_SCENARIO("bad/budget", .steps_max = 200) {
    for (;;) {
        sleep(0s);
    }
}

MISHAP_SCENARIO("bad/long_line") {
    // So many mishaps that the replay line would be too long.
    int late = 0;
    for (int i = 0; i < 12; ++i) {
        late += second_wins() ? 1 : 0;
    }
    always(late < 6, "a is mostly first");
}

/// Two tasks use a lock across a wait, with a guard or without one.
void use_lock(bool has_guard) {
    const auto lock = std::make_shared<Lock>("door");
    const auto use = [=] {
        const auto guard = has_guard ? lock->guard() : std::unique_lock<Lock>();
        if (!has_guard) {
            lock->acquire();
        }
        sleep(1s);
        if (!has_guard) {
            lock->release();
        }
    };
    for (const auto& task : {create_task(use, {.name = "a"}), create_task(use, {.name = "b"})}) {
        try {
            await(task);
        } catch (const CancelledError&) {
        } catch (const TimeoutError&) {
        }
    }
}

MISHAP_SCENARIO("sweep/guarded") {
    use_lock(true);
}

MISHAP_SCENARIO("sweep/unguarded") {
    use_lock(false);
}

MISHAP_SCENARIO("crash/mishap_bug") {
    detail::invariant(!second_wins(), "a is first, says the fixture");
}

MISHAP_SCENARIO("crash/abort") {
    if (second_wins()) {
        std::abort();
    }
}

MISHAP_SCENARIO("crash/segv") {
    if (second_wins()) {
        std::raise(SIGSEGV);
    }
}

MISHAP_SCENARIO("crash/kill") {
    if (second_wins()) {
        std::raise(SIGKILL);
    }
}

MISHAP_SCENARIO("crash/stack") {
    if (second_wins()) {
        recurse(1'000'000);
    }
}

MISHAP_SCENARIO("hang/step", .step_time_max = 1s) {
    if (second_wins()) {
        for (volatile bool forever = true; forever;) {
        }
    }
}

MISHAP_SCENARIO("fault/global_state") {
    static int calls = 0;
    sleep(std::chrono::seconds(++calls));
}

MISHAP_SCENARIO("usage/nested") {
    explore([] {});
}

}  // namespace
