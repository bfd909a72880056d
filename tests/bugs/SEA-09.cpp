// Seastar's with_lock, commit 25b842bc0 (2020).
//
// The lock is given up however the body ends, also when it was never taken: a lock() that fails gives up
// somebody else's.

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "SEA-09",
                                    .upstream = "Seastar 25b842bc0",
                                    .title = "with_lock: releases a lock that it failed to take",
                                    .invariant = Invariant::ownership,
                                    .pattern = Pattern::cancellation_swallowed});

enum class Guard { around_lock_and_body, around_body };

template <Guard guard, class F>
void with_lock(OwnedLock& lock, F&& body) {
    if (guard == Guard::around_body) {
        lock.acquire();
    }
    try {
        if (guard == Guard::around_lock_and_body) {
            lock.acquire();
        }
        body();
    } catch (const CancelledError&) {
        lock.release();
        throw;
    }
    lock.release();
}

template <Guard guard>
void write_in_turn() {
    OwnedLock lock;
    const auto write = [&] { with_lock<guard>(lock, [] { sleep(0s); }); };
    const auto first = create_task(write, {.name = "writer"});
    const auto second = create_task(write, {.name = "writer"});
    const auto third = create_task(write, {.name = "writer"});
    join(first, second, third);
}

}  // namespace

MISHAP_SCENARIO("SEA-09/buggy", .cancellations = 1) { write_in_turn<Guard::around_lock_and_body>(); }
MISHAP_SCENARIO("SEA-09/fixed", .cancellations = 1) { write_in_turn<Guard::around_body>(); }
