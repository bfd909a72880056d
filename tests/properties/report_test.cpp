#include <mishap/properties/report.hpp>

#include <algorithm>
#include <string_view>

#include <mishap/primitives/primitives.hpp>
#include <mishap/properties/claims.hpp>

#include "outcomes.hpp"

namespace mishap {
namespace {

using namespace std::chrono_literals;
using test::contains;

/// Replaces paths of files by their names and lines by `N`, so that the text is the same wherever this is built.
std::string normalised(const std::string& text) {
    constexpr std::string_view extension = ".cpp:";
    std::string result;
    std::size_t done = 0;
    for (std::size_t at = 0; (at = text.find(extension, done)) != std::string::npos;) {
        const std::size_t begin = text.find_last_of(" \n/", at) + 1;  // 0 if there is none: npos + 1
        const std::size_t path = text.find_last_of(" \n", at) + 1;
        result += text.substr(done, std::max(path, done) - done) + text.substr(begin, at - begin) + ".cpp:N";
        done = text.find_first_not_of("0123456789", at + extension.size());
    }
    return result + text.substr(done);
}

void two_locks() {
    Lock first("first");
    Lock second("second");
    const auto a = create_task(
        [&] {
            const auto outer = first.guard();
            sleep(1s);
            const auto inner = second.guard();
        },
        {.name = "a"});
    const auto b = create_task(
        [&] {
            sleep(1s);
            const auto outer = second.guard();
            checkpoint("has one lock");
            const auto inner = first.guard();
        },
        {.name = "b"});
    await(a);
    await(b);
}

}  // namespace

TEST_CASE("a report tells what failed, the shortest story, how it was found and the line that replays it") {
    ExploreOptions options;
    options.name = "report/two locks";
    options.strategy = Strategy::exhaustive;
    CHECK(normalised(explore(two_locks, options).to_text()) ==
          R"(report_test.cpp:N: error: report/two locks: deadlock: 2 tasks wait for each other
  main waits for task main/a
      in await at report_test.cpp:N
  main/a waits for Lock 'second', held by main/b [locked, waiters:1]
      in Lock.acquire at report_test.cpp:N
  main/b waits for Lock 'first', held by main/a [locked, waiters:1]
      in Lock.acquire at report_test.cpp:N
  cycle: main/a -> main/b -> main/a
the shortest story found:
      0.000s  main#1            starts; creates main/a; creates main/b; waits in await at report_test.cpp:N
      0.000s  main/a#1          starts; Lock.acquire main/first#1; waits in sleep at report_test.cpp:N
      0.000s  main/b#1          starts; waits in sleep at report_test.cpp:N
      1.000s  time              the clock moves to 1.000s
      1.000s  main/a/timer#1#1  is due
      1.000s  main/b/timer#1#1  is due
  !   1.000s  main/b#2          wakes; Lock.acquire main/second#2; "has one lock"; Lock.acquire main/first#1; waits in Lock.acquire at report_test.cpp:N
                                (mishap; calm: main/a#2 goes first)
      1.000s  main/a#2          wakes; Lock.acquire main/second#2; waits in Lock.acquire at report_test.cpp:N
shrunk in 11 runs: mishaps 1 -> 1, tasks 3 -> 3, steps 7 -> 7; no run with fewer mishaps fails like this
FIFO legality: impossible (1 FIFO run, all there are)
the failure becomes inevitable at step 7 of 8: main/b#2 wakes; Lock.acquire main/second#2; "has one lock"; Lock.acquire main/first#1; waits in Lock.acquire at report_test.cpp:N (failure probability 0.53 -> 1.00)
closest passing run: without main/b#2<main/a#2; the same for 6 steps, then
  fails:  main/b#2  wakes; Lock.acquire main/second#2; "has one lock"; Lock.acquire main/first#1; waits in Lock.acquire at report_test.cpp:N
          main/a#2  wakes; Lock.acquire main/second#2; waits in Lock.acquire at report_test.cpp:N
  passes: main/a#2  wakes; Lock.acquire main/second#2; Lock.release main/second#2; Lock.release main/first#1; ends
          main/b#2  wakes; Lock.acquire main/second#2; "has one lock"; Lock.acquire main/first#1; Lock.release main/first#1; Lock.release main/second#2; ends
3 runs, 3 distinct, 3 fingerprints, strategy exhaustive, seed 7914524029563812336
replay with
mishap1:report/two%20locks:any::main/b#2<main/a#2:4ac2a4f0
)");
}

TEST_CASE("a clean report tells how many orders there were and what was promised") {
    ExploreOptions options;
    options.name = "clean";
    options.cancellations = 1;
    options.timer_slack = 5ms;
    options.strategy = Strategy::exhaustive;
    const std::string text = explore(
                                 [] {
                                     const auto a = create_task([] { sleep(0s); });
                                     const auto b = create_task([] { sleep(0s); });
                                     await(a);
                                     await(b);
                                 },
                                 options)
                                 .to_text();
    CHECK(text ==
          R"(clean: all 10 orders pass (2 distinct fingerprints)
  promised: any ready task may go next, at most 1 injected cancellation, timers within 0.005s count as simultaneous; tasks switch only where they wait
)");
}

TEST_CASE("a search that ends before everything was seen does not say all") {
    ExploreOptions options;
    options.runs_max = 3;
    options.strategy = Strategy::random;
    const Report report = explore(
        [] {
            const auto a = create_task([] { sleep(0s); });
            const auto b = create_task([] { sleep(0s); });
            await(a);
            await(b);
        },
        options);
    CHECK(contains(report.headline(), "3 runs passed"));
    CHECK(contains(report.headline(), "not all there are"));
}

TEST_CASE("a portfolio's search that ends early says how many interleavings it has seen, and how likely another is") {
    const Report report = explore(
        [] {
            Shared<int> n{0, "n"};
            std::vector<Task<void>> tasks;
            for (int i = 0; i < 4; ++i) {
                tasks.push_back(create_task([&n] {
                    for (int k = 0; k < 4; ++k) {
                        n.fetch_add(1);
                        sleep(0s);
                    }
                }));
            }
            gather(tasks);
        },
        {.runs_max = 40});
    INFO(report.headline());
    CHECK(contains(report.headline(), "40 runs passed, "));
    CHECK(contains(report.headline(), "of them distinct, in "));
    CHECK(contains(report.headline(), " interleavings; that is not all there are (one more random run shows a new interleaving with a probability of at most "));
}

TEST_CASE("of a long story the mishaps and the end are told, and how much is left out") {
    ExploreOptions options;
    options.order = Order::fifo;
    const std::string text = explore(
                                 [] {
                                     for (int i = 0; i < 50; ++i) {
                                         sleep(0s);
                                     }
                                     always(false, "in the end");
                                 },
                                 options)
                                 .to_text();
    CHECK(contains(text, " ... "));
    CHECK(std::count(text.begin(), text.end(), '\n') < 40);
}

}  // namespace mishap
