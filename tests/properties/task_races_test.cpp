#include <algorithm>
#include <functional>

#include <mishap/loop/await.hpp>
#include <mishap/loop/sleep.hpp>
#include <mishap/primitives/event.hpp>
#include <mishap/primitives/lock.hpp>
#include <mishap/primitives/queue.hpp>
#include <mishap/primitives/shared.hpp>
#include <mishap/properties/explore.hpp>

#include "support/catch.hpp"

namespace mishap {

using namespace std::chrono_literals;

namespace {

/// Returns what is noted of races when `writer` and `reader` run as tasks.
std::vector<std::string> races(const std::function<void(Shared<int>&)>& writer,
                               const std::function<void(Shared<int>&)>& reader) {
    const Report report = explore(
        [&] {
            Shared<int> n{0, "n"};
            const Task<void> one = create_task([&] { writer(n); }, {.name = "writer"});
            const Task<void> other = create_task([&] { reader(n); }, {.name = "reader"});
            await(one);
            await(other);
        },
        {.runs_max = 2, .out = ""});
    std::vector<std::string> noted;
    for (const Note& note : report.notes) {
        if (note.kind == FindingKind::race) {
            noted.push_back(note.what);
        }
    }
    return noted;
}

void write(Shared<int>& n) { n.store(1); }
void read(Shared<int>& n) { static_cast<void>(n.load()); }

}  // namespace

TEST_CASE("two tasks that use a variable in any order are noted, with both places") {
    const std::vector<std::string> noted = races(write, read);
    REQUIRE(noted.size() == 1);
    CHECK(noted[0].find("main/writer (at ") != std::string::npos);
    CHECK(noted[0].find("main/reader (at ") != std::string::npos);
    CHECK(noted[0].find("tests/properties/task_races_test.cpp:") != std::string::npos);
}

TEST_CASE("a callback and who schedules it are no race") {
    const Report report = explore(
        [] {
            get_running_loop().call_soon([] {});
            sleep(0s);
        },
        {.runs_max = 3});
    for (const Note& note : report.notes) {
        CHECK(note.kind != FindingKind::race);
    }
}

TEST_CASE("time orders nothing") {
    CHECK(races(write, [](Shared<int>& n) {
              sleep(1s);
              read(n);
          }).size() == 1);
}

TEST_CASE("reads alone, and updates that look at what they replace, are no race of tasks") {
    CHECK(races(read, read).empty());
    CHECK(races([](Shared<int>& n) { n.fetch_add(1); }, [](Shared<int>& n) { n.fetch_add(1); }).empty());
}

TEST_CASE("what tasks do under a lock is ordered, whether they had to wait for it or not") {
    Lock lock;
    const auto locked = [&lock](void (*use)(Shared<int>&), std::chrono::seconds before) {
        return [&lock, use, before](Shared<int>& n) {
            sleep(before);
            const auto guard = lock.guard();
            use(n);
            sleep(0s);
        };
    };
    CHECK(races(locked(write, 0s), locked(read, 0s)).empty());
    CHECK(races(locked(write, 0s), locked(read, 1s)).empty());
}

TEST_CASE("an event, a queue and the end of a task order what lies before them and what comes after") {
    Event written;
    CHECK(races(
              [&](Shared<int>& n) {
                  write(n);
                  written.set();
              },
              [&](Shared<int>& n) {
                  written.wait();
                  read(n);
              })
              .empty());
    Queue<int> queue(0);
    CHECK(races(
              [&](Shared<int>& n) {
                  write(n);
                  queue.put(1);
              },
              [&](Shared<int>& n) {
                  static_cast<void>(queue.get());
                  read(n);
              })
              .empty());
    CHECK(races([](Shared<int>& n) { await(create_task([&n] { write(n); })); }, [](Shared<int>&) {}).empty());
    CHECK(races(
              [](Shared<int>& n) {
                  await(create_task([&n] { write(n); }));
                  read(n);
              },
              [](Shared<int>&) {})
              .empty());
}

TEST_CASE("a callback comes after the step that scheduled it") {
    CHECK(races(
              [](Shared<int>& n) {
                  write(n);
                  get_running_loop().call_soon([&n] { write(n); });
                  sleep(1s);
              },
              [](Shared<int>&) {})
              .empty());
}

TEST_CASE("races of tasks can be switched off") {
    const Report report = explore(
        [] {
            Shared<int> n{0, "n"};
            const Task<void> one = create_task([&] { n.store(1); });
            n.store(2);
            await(one);
        },
        {.runs_max = 2, .races = Detect::off, .out = ""});
    CHECK(std::none_of(report.notes.begin(), report.notes.end(),
                       [](const Note& note) { return note.kind == FindingKind::race; }));
}

}  // namespace mishap
