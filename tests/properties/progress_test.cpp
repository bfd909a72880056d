// Runs that go on and get nowhere: each detector has a program in which it must fire, and its repaired twin.

#include <deque>
#include <memory>

#include <mishap/primitives/primitives.hpp>
#include <mishap/primitives/shared.hpp>
#include <mishap/primitives/thread.hpp>
#include <mishap/properties/claims.hpp>
#include <mishap/properties/explore.hpp>

#include "outcomes.hpp"

namespace mishap {
namespace {

using namespace std::chrono_literals;
using test::contains;
using test::every_order;
using test::tells;
using test::verdict;

/// Waits for a flag by giving way again and again; somebody sets it, or nobody does.
auto flag_program(bool sets) {
    return [sets] {
        const auto flag = std::make_shared<bool>(false);
        const auto spinner = create_task(
            [flag] {
                while (!*flag) {
                    sleep(0s);
                }
            },
            {.name = "spinner"});
        const auto setter = create_task(
            [flag, sets] {
                sleep(0s);
                *flag = sets;
            },
            {.name = "setter"});
        await(spinner);
    };
}

/// As `flag_program` with a tracked flag, which is set in the last of `steps` steps; counts how often it was asked.
auto polling_program(int steps, std::shared_ptr<int> asked = std::make_shared<int>(0)) {
    return [steps, asked] {
        const auto flag = std::make_shared<Shared<bool>>(false, "flag");
        const auto poller = create_task(
            [flag, asked] {
                while (!flag->load()) {
                    ++*asked;
                    sleep(0s);
                }
            },
            {.name = "poller"});
        const auto setter = create_task(
            [flag, steps] {
                for (int i = 1; i < steps; ++i) {
                    sleep(0s);
                }
                flag->store(true);
            },
            {.name = "setter"});
        gather(poller, setter);
    };
}

/// Two tasks that want to pass the same door, and step aside when the other wants it too: both, or only the second.
auto door_program(bool both_step_aside) {
    return [both_step_aside] {
        struct Door {
            Shared<bool> wants[2] = {Shared<bool>(false, "first wants"), Shared<bool>(false, "second wants")};
        };
        const auto door = std::make_shared<Door>();
        const auto pass = [door, both_step_aside](std::size_t me) {
            for (;;) {
                door->wants[me].store(true);
                sleep(0s);
                const bool is_wanted = door->wants[1 - me].load();
                sleep(0s);
                if (!is_wanted) {
                    break;
                }
                if (both_step_aside || me == 1) {
                    door->wants[me].store(false);
                    sleep(0s);
                    while (!both_step_aside && door->wants[0].load()) {
                        sleep(0s);
                    }
                } else {
                    while (door->wants[1].load()) {
                        sleep(0s);
                    }
                    break;
                }
            }
            door->wants[me].store(false);
        };
        const auto first = create_task([pass] { pass(0); }, {.name = "first"});
        const auto second = create_task([pass] { pass(1); }, {.name = "second"});
        gather(first, second);
    };
}

/// A semaphore that wakes the first waiter, who finds that whoever came by meanwhile has taken the permit.
class BargingSemaphore {
public:
    void acquire() {
        while (permits_.load() == 0) {
            const auto turn = get_running_loop().create_future<void>();
            waiters_.push_back(turn);
            await(turn);
        }
        permits_.fetch_add(-1);
    }
    void release() {
        permits_.fetch_add(1);
        if (!waiters_.empty()) {
            waiters_.front().set_result();
            waiters_.pop_front();
        }
    }

private:
    Shared<int> permits_{1, "permits"};
    std::deque<Future<void>> waiters_;
};

/// One task takes the only permit again as soon as it has given it back; another waits for its turn.
template <class S>
auto greedy_program() {
    return [] {
        const auto semaphore = [] {
            if constexpr (std::is_default_constructible_v<S>) {
                return std::make_shared<S>();
            } else {
                return std::make_shared<S>(1);
            }
        }();
        const auto greedy = create_task(
            [semaphore] {
                for (int i = 0; i < 30; ++i) {
                    semaphore->acquire();
                    sleep(1ms);
                    semaphore->release();
                }
            },
            {.name = "greedy"});
        const auto patient = create_task(
            [semaphore] {
                semaphore->acquire();
                semaphore->release();
            },
            {.name = "patient"});
        gather(greedy, patient);
    };
}

/// Picks whoever has made the most steps, and remembers the longest row of steps of one entity.
class Stubborn final : public Strategy {
public:
    const char* name() const override { return "stubborn"; }
    bool begin_run(const RunInfo& run) override { return run.number == 0; }
    std::uint32_t pick(const Question& question) override {
        const auto candidates = question.candidates();
        std::uint32_t best = 0;
        for (std::uint32_t i = 0; i < candidates.size(); ++i) {
            best = candidates[i].step > candidates[best].step ? i : best;
        }
        return best;
    }
    Needs needs() const override { return {.steps = true, .footprints = false}; }
    void after_step(const Step& step) override {
        row = step.entity.entity == last ? row + 1 : 1;
        last = step.entity.entity;
        row_max = std::max(row_max, row);
    }
    std::uint64_t last = 0;
    std::uint32_t row = 0;
    std::uint32_t row_max = 0;
};

/// Runs `body` as main with `strategy`, and returns what was found.
template <class F>
std::optional<Finding> run_with(Strategy& strategy, const WorldOptions& options, F body) {
    World world(options);
    EventLoop loop(world);
    strategy.begin_run({0});
    world.begin_run(&strategy);
    loop.begin_run();
    {
        const auto main = loop.create_task(body, {.name = "main"});
        loop.run_main(main.state());
        loop.tear_down();
    }
    loop.end_run();
    return world.finding();
}

}  // namespace

TEST_CASE("a task that spins for ever on a flag is a livelock, if the flag is set it is none in any order") {
    ExploreOptions options = every_order();
    options.livelock_steps = 100;
    const Report report = explore(flag_program(false), options);
    INFO(report.to_text());
    CHECK(verdict(report) == "livelock");
    CHECK(report.finding->tasks == std::vector<std::string>{"main/spinner"});
    CHECK(tells(report, "main/spinner made "));
    CHECK(tells(report, "sleep at "));
    CHECK(tells(report, "main waits in await"));
    CHECK(replay(report.replay_line, flag_program(false), options).finding->signature() == report.finding->signature());
    CHECK(verdict(explore(flag_program(true), options)) == "passes");
}

TEST_CASE("two tasks that step aside for each other for ever are a livelock, unless one of them goes first") {
    ExploreOptions options;
    options.livelock_steps = 100;
    const Report report = explore(door_program(true), options);
    INFO(report.to_text());
    CHECK(verdict(report) == "livelock");
    CHECK(report.finding->tasks == std::vector<std::string>{"main/first", "main/second"});
    options.strategy = Strategy::random;
    options.runs_max = 300;
    const Report repaired = explore(door_program(false), options);
    INFO(repaired.to_text());
    CHECK(repaired.passed());
}

TEST_CASE("a long loop is no livelock as long as something comes of it") {
    ExploreOptions options;
    options.livelock_steps = 50;
    options.order = Order::fifo;
    SECTION("a variable gets another value each time") {
        CHECK(explore(
                  [] {
                      Shared<int> count{0, "count"};
                      for (int i = 0; i < 1000; ++i) {
                          count.store(i);
                          sleep(0s);
                      }
                  },
                  options)
                  .passed());
    }
    SECTION("a variable that is no number is written each time") {
        CHECK(explore(
                  [] {
                      Shared<std::string> text{"", "text"};
                      for (int i = 0; i < 1000; ++i) {
                          text.store("again");
                          sleep(0s);
                      }
                  },
                  options)
                  .passed());
    }
    SECTION("items go through a queue") {
        CHECK(explore(
                  [] {
                      Queue<int> queue(1);
                      const auto putter = create_task([&] {
                          for (int i = 0; i < 1000; ++i) {
                              queue.put(i);
                          }
                      });
                      const auto getter = create_task([&] {
                          for (int i = 0; i < 1000; ++i) {
                              queue.get();
                          }
                      });
                      gather(putter, getter);
                  },
                  options)
                  .passed());
    }
    SECTION("tasks end") {
        CHECK(explore(
                  [] {
                      for (int i = 0; i < 1000; ++i) {
                          await(create_task([] { sleep(0s); }));
                      }
                  },
                  options)
                  .passed());
    }
    SECTION("time passes") {
        CHECK(explore(
                  [] {
                      for (int i = 0; i < 1000; ++i) {
                          sleep(1ns);
                      }
                  },
                  options)
                  .passed());
    }
    SECTION("or nobody asks") {
        options.livelock_steps = 0;
        CHECK(explore(
                  [] {
                      for (int i = 0; i < 1000; ++i) {
                          sleep(0s);
                      }
                  },
                  options)
                  .passed());
    }
}

TEST_CASE("an order that never lets somebody go shows no livelock") {
    Stubborn stubborn;
    const auto body = [] {
        const auto flag = std::make_shared<bool>(false);
        const auto spin = [flag] {
            while (!*flag) {
                sleep(0s);
            }
        };
        const auto one = create_task(spin);
        const auto two = create_task(spin);
        sleep(0s);
        sleep(0s);
        const auto setter = create_task([flag] { *flag = true; });
        gather(one, two, setter);
    };
    const std::optional<Finding> finding = run_with(stubborn, {.steps_max = 1000, .livelock_steps = 50}, body);
    REQUIRE(finding.has_value());
    CHECK(finding->kind == FindingKind::over_budget);
}

TEST_CASE("a task that spins is held back after some steps in a row, so that whoever it waits for can go") {
    Stubborn stubborn;
    const std::optional<Finding> finding = run_with(stubborn, {.steps_max = 1000}, flag_program(true));
    CHECK_FALSE(finding.has_value());
    CHECK(stubborn.row_max == 9);
    Stubborn with_tracked_flag;
    CHECK_FALSE(run_with(with_tracked_flag, {.steps_max = 1000}, polling_program(1)).has_value());
    CHECK(with_tracked_flag.row_max == 4);
}

TEST_CASE("an exhaustive search of a program that spins comes to its end, and says what it left out") {
    for (const Strategy::Kind strategy : {Strategy::exhaustive, Strategy::dpor}) {
        ExploreOptions options = every_order();
        options.strategy = strategy;
        const Report tracked = explore(polling_program(2), options);
        INFO(tracked.to_text());
        CHECK(tracked.passed());
        CHECK(tracked.search.is_exhausted);
        CHECK(tracked.search.has_spun);
        CHECK(contains(tracked.to_text(), "again and again"));
    }
    const Report untracked = explore(flag_program(true), every_order());
    INFO(untracked.to_text());
    CHECK(untracked.passed());
    CHECK(untracked.search.is_exhausted);
    CHECK(untracked.search.has_spun);
    const Report unbounded = explore(flag_program(true), {.strategy = Strategy::delays, .runs_max = 200'000});
    INFO(unbounded.to_text());
    CHECK(unbounded.passed());
}

TEST_CASE("a tape of a search in which a task spun gives the same run") {
    const auto program = [] {
        const auto steps = std::make_shared<int>(0);
        polling_program(2, steps)();
        always(*steps < 6, "the poller is seldom first");
    };
    ExploreOptions options = every_order();
    const Report report = explore(program, options);
    INFO(report.to_text());
    REQUIRE(verdict(report) == "check failed");
    const Report again = replay(report.replay_line, program);
    CHECK(again.run->digest == report.run->digest);
    CHECK(again.finding->signature() == report.finding->signature());
}

TEST_CASE("a loop that counts in plain variables goes in every order") {
    const Report report = explore(
        [] {
            const auto count = std::make_shared<int>(0);
            const auto add = [count] {
                for (int i = 0; i < 5; ++i) {
                    const int seen = *count;
                    sleep(0s);
                    *count = seen + 1;
                }
            };
            gather(create_task(add), create_task(add));
        },
        every_order());
    INFO(report.to_text());
    CHECK(report.search.is_exhausted);
    CHECK_FALSE(report.search.has_spun);
    CHECK(report.search.runs == 3432);  // two rows of seven: six steps, and gather's callback
}

TEST_CASE("a task that writes, or is alone, is not held back") {
    Stubborn stubborn;
    const auto body = [](bool has_company) {
        return [has_company] {
            const auto busy = create_task([] {
                const auto count = std::make_shared<Shared<int>>(0, "count");
                for (int i = 0; i < 12; ++i) {
                    count->fetch_add(1);
                    sleep(0s);
                }
            });
            const auto other = create_task([has_company] { sleep(has_company ? 0ns : 1ns); });
            gather(busy, other);
        };
    };
    CHECK_FALSE(run_with(stubborn, {}, body(true)).has_value());
    CHECK(stubborn.row_max >= 12);
    Stubborn alone;
    CHECK_FALSE(run_with(alone, {}, [] {
                    for (int i = 0; i < 12; ++i) {
                        sleep(0s);
                    }
                }).has_value());
    CHECK(alone.row_max == 13);
}

TEST_CASE("a thread that spins on a variable lets others go, in the calm order too") {
    ExploreOptions options = every_order();
    options.races = Detect::off;
    const Report report = explore(
        [] {
            Shared<bool> flag{false, "flag"};
            Thread waiter([&] {
                while (!flag.load()) {
                }
            });
            flag.store(true);
            waiter.join();
        },
        options);
    INFO(report.to_text());
    CHECK(verdict(report) == "passes");
}

TEST_CASE("threads that spin for ever are a livelock") {
    ExploreOptions options;
    options.livelock_steps = 100;
    const Report report = explore(
        [] {
            const auto flag = std::make_shared<Shared<bool>>(false, "flag");
            Thread waiter([flag] {
                while (!flag->load()) {
                }
            });
            waiter.join();
        },
        options);
    INFO(report.to_text());
    CHECK(verdict(report) == "livelock");
}

TEST_CASE("a waiter that a barging semaphore wakes in vain again and again starves, with a fair one it does not") {
    ExploreOptions options = {.order = Order::fifo};
    options.overtaken_max = 10;
    const Report report = explore(greedy_program<BargingSemaphore>(), options);
    INFO(report.to_text());
    CHECK(verdict(report) == "starvation");
    CHECK(report.finding->tasks == std::vector<std::string>{"main/patient"});
    CHECK(contains(report.finding->what, "11 times in a row"));
    CHECK(contains(report.finding->place.file, "progress_test.cpp"));
    const Report fair = explore(greedy_program<Semaphore>(), options);
    INFO(fair.to_text());
    CHECK(fair.passed());
    options.overtaken_max = 50;
    CHECK(explore(greedy_program<BargingSemaphore>(), options).passed());
    options.overtaken_max = 0;
    CHECK(explore(greedy_program<BargingSemaphore>(), options).passed());
}

TEST_CASE("a task that sleeps again and again, or is told again and again and does something, does not starve") {
    ExploreOptions options = {.order = Order::fifo};
    options.overtaken_max = 3;
    const auto program = [] {
        const auto news = std::make_shared<Event>("news");
        const auto worker = create_task(
            [news] {
                for (int i = 0; i < 10; ++i) {
                    news->wait();
                    news->clear();
                }
            },
            {.name = "worker"});
        for (int i = 0; i < 10; ++i) {
            sleep(1ms);
            news->set();
        }
        await(worker);
    };
    const Report report = explore(program, options);
    INFO(report.to_text());
    CHECK(report.passed());
}

TEST_CASE("a run that its limit of steps ends leaves a tape that ends in the same way") {
    ExploreOptions options;
    options.steps_max = 60;
    options.name = "limit";
    // Only when second goes before first it never ends.
    const auto program = [] {
        const auto first_was_first = std::make_shared<int>(0);
        const auto first = create_task([=] { *first_was_first = *first_was_first == 0 ? 1 : *first_was_first; }, {.name = "first"});
        const auto second = create_task([=] { *first_was_first = *first_was_first == 0 ? 2 : *first_was_first; }, {.name = "second"});
        gather(first, second);
        while (*first_was_first == 2) {
            sleep(0s);
        }
    };
    const Report report = explore(program, options);
    INFO(report.to_text());
    REQUIRE(verdict(report) == "over budget");
    CHECK(report.mishaps.size() == 1);
    CHECK(report.run->steps == 61);
    const Report again = replay(report.replay_line, program);
    CHECK(verdict(again) == "over budget");
    CHECK(again.run->digest == report.run->digest);
}

}  // namespace mishap
