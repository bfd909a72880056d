// What a task keeps across its waits, and what is the same in every run of one tape.

#include <mishap/loop/event_loop.hpp>

#include <cerrno>
#include <cstring>
#include <exception>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include <mishap/loop/await.hpp>
#include <mishap/loop/sleep.hpp>
#include <mishap/sim/random_walk.hpp>

#include "support/catch.hpp"
#include "support/worlds.hpp"

namespace mishap {
namespace {

using namespace std::chrono_literals;
using test::in_every_order;

/// Waits inside `catch` and says what is being handled afterwards.
std::string handle_slowly(const std::string& thrown) {
    try {
        throw std::string(thrown);
    } catch (const std::string&) {
        sleep(0s);
        try {
            throw;
        } catch (const std::string& handled) {
            return handled;
        }
    }
}

/// Some tasks that wait in all ways there are.
void busy_program() {
    const auto future = get_running_loop().create_future<int>();
    const auto a = create_task([&] { return await(future) + 1; }, {.name = "a"});
    const auto b = create_task([&] {
        sleep(0s);
        sleep(3ms);
        future.set_result(2);
    });
    const auto c = create_task([] {
        for (int i = 0; i < 3; ++i) {
            sleep(std::chrono::milliseconds(i));
        }
    });
    get_running_loop().call_later(1ms, [] {});
    get_running_loop().call_soon([] {});
    await(a);
    await(b);
    await(c);
}

/// Hashes runs 0 to 99 of a seed.
std::uint64_t digest_of_runs(std::uint64_t seed) {
    World world{WorldOptions{}};
    EventLoop loop(world);
    loop.end_run();
    RandomWalk strategy(seed);
    Digest all;
    for (std::uint64_t run = 0; run < 100; ++run) {
        strategy.begin_run({run});
        world.begin_run(&strategy);
        test::LoopRun(loop).run(busy_program);
        all.fold(world.digest().value());
    }
    return all.value();
}

std::uint64_t digest_in_child(std::uint64_t seed) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        // Other addresses than the parent's: what depends on them is to show.
        static const std::string* const shift = new std::string(100'003, 'x');
        static_cast<void>(shift);
        const std::uint64_t digest = digest_of_runs(seed);
        const ssize_t written = ::write(ends[1], &digest, sizeof digest);
        ::_exit(written == sizeof digest ? 0 : 1);
    }
    ::close(ends[1]);
    std::uint64_t digest = 0;
    CHECK(::read(ends[0], &digest, sizeof digest) == sizeof digest);
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    return digest;
}

}  // namespace

TEST_CASE("tasks that wait inside catch each find their own exception again, in every order") {
    const std::uint64_t runs = in_every_order([] {
        const auto a = create_task([] { return handle_slowly("a's"); });
        const auto b = create_task([] { return handle_slowly("b's"); });
        CHECK(await(a) == "a's");
        CHECK(await(b) == "b's");
        CHECK(std::current_exception() == nullptr);
    });
    CHECK(runs > 2);
}

TEST_CASE("a task that waits while it unwinds leaves no uncaught exception to others, in every order") {
    struct Waiting {
        ~Waiting() {
            sleep(0s);
            CHECK(std::uncaught_exceptions() == 1);
        }
    };
    in_every_order([] {
        const auto unwinding = create_task([] {
            try {
                const Waiting guard;
                throw 1;
            } catch (int) {
                sleep(0s);
            }
        });
        const auto other = create_task([] {
            CHECK(std::uncaught_exceptions() == 0);
            CHECK(std::current_exception() == nullptr);
            sleep(0s);
            CHECK(std::uncaught_exceptions() == 0);
            CHECK(std::current_exception() == nullptr);
        });
        await(unwinding);
        await(other);
    });
}

TEST_CASE("errno is a task's own, in every order") {
    in_every_order([] {
        const auto keep = [](int number) {
            CHECK(errno == 0);
            errno = number;
            sleep(0s);
            CHECK(errno == number);
        };
        const auto a = create_task([&] { keep(ENOENT); });
        const auto b = create_task([&] { keep(EAGAIN); });
        await(a);
        await(b);
    });
}

TEST_CASE("the same seed gives the same runs in one process and in another") {
    const std::uint64_t digest = digest_of_runs(1);
    CHECK(digest_of_runs(1) == digest);
    CHECK(digest_in_child(1) == digest);
    CHECK(digest_in_child(1) == digest);
    CHECK(digest_of_runs(2) != digest);
}

TEST_CASE("the same tape gives the same digest, whether the run is traced, observed or neither") {
    struct Busy final : Program {
        explicit Busy(EventLoop& loop_) : loop(loop_) {}
        void run(World& world) override {
            test::LoopRun loop_run(loop);
            auto body = busy_program;
            loop_run.run(body);
            world.end_verdict();
        }
        EventLoop& loop;
    };
    World world{WorldOptions{}};
    EventLoop loop(world);
    loop.end_run();
    Busy program(loop);
    RandomWalk strategy(4);
    for (std::uint64_t run = 0; run < 50; ++run) {
        strategy.begin_run({run});
        world.begin_run(&strategy);
        program.run(world);
        const Tape tape(world.choices().tape().begin(), world.choices().tape().end());
        const std::uint64_t digest = world.verdict().digest;
        Trace trace;
        const Replayed traced = replay(program, world, tape, &trace);
        const Replayed plain = replay(program, world, tape);
        CHECK_FALSE(traced.mismatch.has_value());
        CHECK(traced.digest == digest);
        CHECK(plain.digest == digest);
        CHECK(traced.mishaps == plain.mishaps);
        CHECK(replay(program, world, plain.mishaps).digest == digest);
        CHECK_FALSE(trace.events().empty());
    }
}

}  // namespace mishap
