// What debug mode watches, and what the loop says of exceptions that nobody caught.

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <mishap/loop/await.hpp>
#include <mishap/loop/coro.hpp>
#include <mishap/loop/detail/open_resource.hpp>
#include <mishap/loop/sleep.hpp>

#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

/// Collects the warnings of the running loop for as long as it lives.
class Warnings {
public:
    Warnings() {
        get_running_loop().set_log_handler([this](EventLoop&, const LogRecord& record) {
            (record.level == LogRecord::Level::warning ? texts : infos).push_back(record.message);
        });
    }
    ~Warnings() { get_running_loop().set_log_handler(nullptr); }
    Warnings(const Warnings&) = delete;
    Warnings& operator=(const Warnings&) = delete;

    std::vector<std::string> texts;
    std::vector<std::string> infos;
};

/// Runs `body` in a calm world and returns the notes of the run.
template <class F>
std::vector<Note> notes_of(F body) {
    World world{WorldOptions{}};
    world.begin_run(nullptr);
    EventLoop loop(world);
    LoopRun run(loop);
    run.run(body);
    return world.notes();
}

}  // namespace

TEST_CASE("in debug mode, a step that takes long is told, by virtual time when simulated") {
    in_a_calm_world([] {
        EventLoop& loop = get_running_loop();
        Warnings warnings;
        await(create_task([&] { loop.busy_for(10s); }));
        CHECK(warnings.texts.empty());
        loop.set_debug(true);
        loop.slow_callback_duration = 100ms;
        sleep(1h);
        await(create_task([&] { loop.busy_for(99ms); }, {.name = "quick"}));
        CHECK(warnings.texts.empty());
        const VirtualTime began = loop.time();
        await(create_task([&] { loop.busy_for(1250ms); }, {.name = "slow"}));
        CHECK(loop.time() - began == 1250ms);
        loop.call_soon([&] { loop.busy_for(100ms); });
        sleep(0s);
        REQUIRE(warnings.texts.size() == 2);
        CHECK(warnings.texts[0].find("slow took 1.250 s") != std::string::npos);
        CHECK(warnings.texts[1].find("a callback took 0.100 s") != std::string::npos);
        loop.set_debug(false);
        await(create_task([&] { loop.busy_for(10s); }));
        CHECK(warnings.texts.size() == 2);
    });
}

TEST_CASE("a step that takes long makes timers late, and nothing goes meanwhile") {
    in_a_calm_world([] {
        EventLoop& loop = get_running_loop();
        std::vector<int> log;
        loop.call_later(1s, [&] { log.push_back(1); });
        loop.call_later(2s, [&] { log.push_back(2); });
        loop.busy_for(5s);
        CHECK(log.empty());
        sleep(0s);
        sleep(0s);
        CHECK(log == std::vector<int>{1, 2});
        CHECK(loop.time() == VirtualTime(5s));
        loop.busy_for(-1s);
        CHECK(loop.time() == VirtualTime(5s));
    });
}

TEST_CASE("in debug mode, a slow step is told in the real world too", "[real]") {
    mishap::run([] {
        EventLoop& loop = get_running_loop();
        loop.set_debug(true);
        loop.slow_callback_duration = 5ms;
        Warnings warnings;
        await(create_task([&] { loop.busy_for(6ms); }, {.name = "slow"}));
        REQUIRE(!warnings.texts.empty());
        CHECK(warnings.texts[0].find("slow took") != std::string::npos);
        sleep(1ms);
        CHECK(!warnings.infos.empty());  // of the selector
        CHECK(warnings.infos[0].find("the selector took") == 0);
    });
}

TEST_CASE("busy_for is part of a step, and says so elsewhere") {
    World world{WorldOptions{}};
    world.begin_run(nullptr);
    EventLoop loop(world);
    CHECK_THROWS_AS(loop.busy_for(1s), UsageError);
    in_a_calm_world([] { CHECK_THROWS_AS(get_running_loop().busy_for(1s), UsageError); }, {.sharing = Sharing::tracked});
}

TEST_CASE("in debug mode, a task that nobody looked at is told") {
    in_a_calm_world([] {
        EventLoop& loop = get_running_loop();
        Warnings warnings;
        create_task([] {});
        sleep(0s);
        CHECK(warnings.texts.empty());
        loop.set_debug(true);
        create_task([] {}, {.name = "forgotten"});
        sleep(0s);
        REQUIRE(warnings.texts.size() == 1);
        CHECK(warnings.texts[0].find("forgotten was never awaited") != std::string::npos);
        // Each of these looks at its task.
        await(create_task([] {}));
        const auto awaited_late = create_task([] {});
        sleep(0s);
        await(awaited_late);
        const auto asked = create_task([] { return 1; });
        sleep(0s);
        CHECK(asked.result() == 1);
        create_task([] {}).add_done_callback([](const Future<void>&) {});
        create_task([] {}).cancel();
        sleep(1ms);
        CHECK(warnings.texts.size() == 1);
    });
}

TEST_CASE("a coroutine that is never awaited is told") {
    in_both_worlds([] {
        Warnings warnings;
        const auto coro = []() -> Coro<void> { co_return; };
        { const auto dropped = coro(); }
        REQUIRE(warnings.texts.size() == 1);
        CHECK(warnings.texts[0].find("a coroutine was never awaited") == 0);
        await(coro());
        create_task(coro()).cancel();
        await(create_task(coro()));
        sleep(0s);
        get_running_loop().set_task_factory(
            [](EventLoop&, TaskMaker&, const TaskOptions&) -> AnyTask { throw std::runtime_error("no task"); });
        CHECK_THROWS_AS(create_task(coro()), std::runtime_error);  // who gave it away has not forgotten it
        get_running_loop().set_task_factory(nullptr);
        CHECK(warnings.texts.size() == 1);
    });
    const std::vector<Note> notes = notes_of([] { const auto dropped = []() -> Coro<void> { co_return; }(); });
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].kind == FindingKind::never_awaited);
}

TEST_CASE("in debug mode, a resource that goes without having been closed is told, once") {
    in_both_worlds([] {
        EventLoop& loop = get_running_loop();
        Warnings warnings;
        { const detail::OpenResource unwatched(loop, "file"); }
        loop.set_debug(true);
        { const detail::OpenResource forgotten(loop, "transport 1"); }
        CHECK(warnings.texts == std::vector<std::string>{"unclosed transport 1"});
        {
            detail::OpenResource closed(loop, "transport 2");
            closed.close();
            closed.close();
        }
        CHECK(warnings.texts.size() == 1);
    });
}

TEST_CASE("in debug mode, a resource that is open when the loop ends is told") {
    std::vector<std::string> texts;
    EventLoop loop;
    loop.set_debug(true);
    loop.set_log_handler([&](EventLoop&, const LogRecord& record) { texts.push_back(record.message); });
    detail::OpenResource resource(loop, "server");
    loop.close();
    CHECK(texts == std::vector<std::string>{"unclosed server when the loop ended"});
}

TEST_CASE("in debug mode, scheduling from another thread is refused", "[real]") {
    mishap::run(
        [] {
            EventLoop& loop = get_running_loop();
            int refused = 0;
            std::thread([&] {
                const auto attempt = [&](auto schedule) {
                    try {
                        schedule();
                    } catch (const UsageError&) {
                        ++refused;
                    }
                };
                attempt([&] { loop.call_soon([] {}); });
                attempt([&] { loop.call_later(1ms, [] {}); });
                attempt([&] { loop.call_at(loop.time(), [] {}); });
                loop.call_soon_threadsafe([] {});
            }).join();
            CHECK(refused == 3);
            loop.call_soon([] {});
        },
        {.debug = true});
}

TEST_CASE("an exception in a callback is told to the default handler, which makes it a note of the run") {
    const std::vector<Note> notes = notes_of([] {
        get_running_loop().call_soon([] { throw std::runtime_error("x"); });
        sleep(0s);
    });
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].kind == FindingKind::exception);
    CHECK(notes[0].what == "Exception in callback: std::runtime_error: x");
}

TEST_CASE("what an exception handler throws goes to the default handler, with what it was told") {
    const std::vector<Note> notes = notes_of([] {
        EventLoop& loop = get_running_loop();
        CHECK(loop.get_exception_handler() == nullptr);
        loop.set_exception_handler([](EventLoop&, const LoopException&) { throw std::logic_error("broken"); });
        CHECK(loop.get_exception_handler() != nullptr);
        loop.call_exception_handler({"told", std::make_exception_ptr(std::runtime_error("x"))});
    });
    REQUIRE(notes.size() == 2);
    CHECK(notes[0].what == "Unhandled error in exception handler: std::logic_error: broken");
    CHECK(notes[1].what == "told: std::runtime_error: x");
}

TEST_CASE("an exception handler may set another one while it runs") {
    in_both_worlds([] {
        EventLoop& loop = get_running_loop();
        std::vector<int> log;
        loop.set_exception_handler([&log](EventLoop& told, const LoopException&) {
            told.set_exception_handler([&log](EventLoop&, const LoopException&) { log.push_back(2); });
            log.push_back(1);
        });
        loop.call_exception_handler({"a", nullptr});
        loop.call_exception_handler({"b", nullptr});
        CHECK(log == std::vector<int>{1, 2});
        loop.set_exception_handler(nullptr);
    });
}
