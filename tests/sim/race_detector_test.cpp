#include <mishap/sim/race_detector.hpp>

#include "support/catch.hpp"

namespace mishap {
namespace {

constexpr std::uint64_t variable = 7;
constexpr std::uint64_t mutex = 9;

RacyAccess plain(Access access) { return {.access = access}; }
RacyAccess atomic(Access access) { return {.access = access, .is_atomic = true}; }

/// A detector with threads 1 and 2, which nothing orders.
struct TwoThreads : RaceDetector {
    TwoThreads() {
        begin_run();
        start();
        fork(1);
        fork(2);
    }
    bool races(std::uint32_t thread, const RacyAccess& use) {
        switch_to(thread);
        return access(variable, use).has_value();
    }
    void locks(std::uint32_t thread) {
        switch_to(thread);
        synchronise(mutex, Access::write);
    }
};

}  // namespace

TEST_CASE("a write races with a read and a write of another thread, two reads do not") {
    for (const Access first : {Access::read, Access::write}) {
        for (const Access second : {Access::read, Access::write}) {
            TwoThreads threads;
            CHECK_FALSE(threads.races(1, plain(first)));
            CHECK(threads.races(2, plain(second)) == (first == Access::write || second == Access::write));
        }
    }
}

TEST_CASE("a thread does not race with itself, nor with what its maker did before it began") {
    RaceDetector threads;
    threads.begin_run();
    threads.start();
    CHECK_FALSE(threads.access(variable, plain(Access::write)).has_value());
    threads.fork(1);
    threads.switch_to(1);
    CHECK_FALSE(threads.access(variable, plain(Access::write)).has_value());
    CHECK_FALSE(threads.access(variable, plain(Access::write)).has_value());
    threads.switch_to(0);
    CHECK(threads.access(variable, plain(Access::read)).has_value());
}

TEST_CASE("what a mutex orders does not race, in whichever order it came") {
    TwoThreads threads;
    threads.locks(2);
    CHECK_FALSE(threads.races(2, plain(Access::write)));
    threads.locks(2);  // gives it up
    threads.locks(1);
    CHECK_FALSE(threads.races(1, plain(Access::write)));
    threads.locks(1);
    CHECK(threads.races(2, plain(Access::read)));  // after it gave the mutex up and did not take it again
}

TEST_CASE("the end of a thread comes before its join") {
    TwoThreads threads;
    CHECK_FALSE(threads.races(1, plain(Access::write)));
    threads.synchronise(1001, Access::write);  // its control cell
    threads.switch_to(0);
    threads.synchronise(1001, Access::read);
    CHECK_FALSE(threads.races(0, plain(Access::write)));
}

TEST_CASE("atomic accesses do not race with each other, but with plain ones they do") {
    TwoThreads threads;
    CHECK_FALSE(threads.races(1, atomic(Access::update)));
    CHECK_FALSE(threads.races(2, atomic(Access::update)));
    CHECK_FALSE(threads.races(1, atomic(Access::read)));
    CHECK_FALSE(threads.races(2, atomic(Access::update)));
    CHECK(threads.races(1, plain(Access::read)));
    TwoThreads others;
    CHECK_FALSE(others.races(1, plain(Access::read)));
    CHECK(others.races(2, atomic(Access::update)));
}

TEST_CASE("an access that only happened to come later is found all the same") {
    TwoThreads threads;
    CHECK_FALSE(threads.races(1, plain(Access::write)));
    for (int i = 0; i < 100; ++i) {
        threads.locks(1);
    }
    CHECK(threads.races(2, plain(Access::read)));
}

TEST_CASE("a new run knows nothing of the one before") {
    TwoThreads threads;
    CHECK_FALSE(threads.races(1, plain(Access::write)));
    threads.begin_run();
    CHECK_FALSE(threads.is_active());
    threads.start();
    threads.fork(1);
    CHECK_FALSE(threads.races(1, plain(Access::write)));
}

}  // namespace mishap
