// Larger programs: many tasks beside those that the bug needs, and bugs that need several things to go wrong.

#include <array>
#include <string_view>

#include "edits.hpp"

namespace mishap::edits {

namespace {

using namespace std::chrono_literals;

/// Makes tasks that are busy with something else.
std::vector<Task<void>> crowd(int count, int turns) {
    std::vector<Task<void>> tasks;
    for (int i = 0; i < count; ++i) {
        tasks.push_back(create_task([turns] {
            for (int turn = 0; turn < turns; ++turn) {
                elsewhere("one of the crowd");
                sleep(0s);
            }
        }));
    }
    return tasks;
}

/// A runner in a crowd: three laps in which nobody else makes a step are one too many.
void lonely_runner() {
    int steps = 0;  // of everybody
    int hurried = 0;
    task("first of all");
    auto tasks = crowd(6, 8);
    task("behind the crowd");
    const int laps = bound("laps", 4);
    const auto runner = [&] {
        for (int lap = 0; lap < laps; ++lap) {
            line("at the start of a lap");
            const int before = ++steps;
            sleep(0s);
            hurried = ++steps == before + 1 ? hurried + 1 : 0;
            always(hurried < 3, "nobody makes three laps alone");
        }
    };
    Task<void> runner_task;
    Task<void> walker;
    spawn("runner and walker", [&] { runner_task = create_task(runner, {.name = "runner"}); },
          [&] {
              walker = create_task(
                  [&] {
                      for (int i = 0; i < 12; ++i) {
                          ++steps;
                          sleep(0s);
                      }
                  },
                  {.name = "walker"});
          });
    for (const Task<void>& one : tasks) {
        await(one);
    }
    gather(runner_task, walker);
}

/// Five philosophers that think for different times: all of them have to reach for a fork in time.
void five_philosophers() {
    std::array<Lock, 5> forks{Lock(name("fork0")), Lock(name("fork1")), Lock(name("fork2")), Lock(name("fork3")),
                              Lock(name("fork4"))};
    const int meals = bound("meals", 1);
    const auto dine = [&](std::size_t seat) {
        for (std::size_t i = 0; i < 2 * seat; ++i) {
            sleep(0s);
        }
        for (int meal = 0; meal < meals; ++meal) {
            line("before the meal");
            const auto left = forks[seat].guard();
            line("between the forks");
            sleep(0s);
            const auto right = forks[(seat + 1) % 5].guard();
        }
    };
    std::vector<Task<void>> tasks;
    const auto sit = [&](std::size_t seat) {
        return [&, seat] { tasks.push_back(create_task([&, seat] { dine(seat); })); };
    };
    task("first of all");
    spawn("philosophers 0 and 1", sit(0), sit(1));
    sit(2)();
    task("between the philosophers");
    spawn("philosophers 3 and 4", sit(3), sit(4));
    elsewhere("main, before it gathers");
    gather(tasks);
}

/// A reader fills a cache with what it read before a write, and the write's own invalidation is over by then.
void stale_cache() {
    int stored = 1;
    std::optional<int> cached;
    Lock database{name("database")};
    task("first of all");
    auto tasks = crowd(4, 6);
    const auto read = [&] {
        line("before it reads");
        int value = 0;
        {
            const auto guard = database.guard();
            sleep(0s);
            value = stored;
        }
        line("before it fills the cache");
        sleep(0s);
        if (!cached.has_value()) {
            cached = value;
        }
    };
    Task<void> reader;
    Task<void> writer;
    spawn("reader and writer", [&] { reader = create_task(read, {.name = "reader"}); },
          [&] {
              writer = create_task(
                  [&] {
                      for (int i = 0; i < 7; ++i) {
                          sleep(0s);
                      }
                      line("before it writes");
                      {
                          const auto guard = database.guard();
                          sleep(0s);
                          stored = 2;
                      }
                      cached.reset();
                  },
                  {.name = "writer"});
          });
    task("behind everybody");
    const int looks = bound("main's looks", 2);
    for (int i = 0; i < looks; ++i) {
        sleep(0s);
    }
    for (const Task<void>& one : tasks) {
        await(one);
    }
    gather(reader, writer);
    always(!cached.has_value() || *cached == stored, "the cache has what is stored");
}

/// Three parties of a protocol, and an order of their messages that nobody thought of.
void protocol() {
    constexpr std::string_view forbidden = "ccsstcst";
    std::size_t seen = 0;
    const auto message = [&](char from) {
        seen = from == forbidden[seen] ? seen + 1 : from == forbidden[0] ? 1U : 0U;
        always(seen < forbidden.size(), "the forbidden order of messages never comes");
    };
    const auto party = [&](char from, int messages) {
        return [&message, from, messages] {
            for (int i = 0; i < messages; ++i) {
                line("before a message");
                message(from);
                sleep(0s);
            }
        };
    };
    const int messages = bound("messages", 5);
    Task<void> client;
    Task<void> server;
    Task<void> timer;
    task("first of all");
    spawn("client and server", [&] { client = create_task(party('c', messages), {.name = "client"}); },
          [&] { server = create_task(party('s', messages), {.name = "server"}); });
    task("between the parties");
    timer = create_task(party('t', messages), {.name = "timer"});
    elsewhere("main, before it gathers");
    gather(client, server, timer);
}

}  // namespace

std::vector<Fixture> crowd_fixtures() {
    return {{"lonely_runner", lonely_runner, {}},
            {"five_philosophers", five_philosophers, {}},
            {"stale_cache", stale_cache, {}},
            {"protocol", protocol, {}}};
}

}  // namespace mishap::edits
