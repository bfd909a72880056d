// Lost updates and deadlocks of tasks.

#include <array>

#include "edits.hpp"

namespace mishap::edits {

namespace {

using namespace std::chrono_literals;

/// Two tasks of one name add to a counter; the second begins a step late.
void counter() {
    Shared<int> value{0, "counter"};
    const auto increment = [&] {
        line("before the read");
        const int read = value.load();
        line("after the read");
        sleep(0s);
        value.store(read + 1);
    };
    Task<void> first;
    Task<void> second;
    task("first of all");
    spawn("adders", [&] { first = create_task(increment, {.name = "adder"}); },
          [&] {
              second = create_task(
                  [&] {
                      sleep(0s);
                      increment();
                  },
                  {.name = "adder"});
          });
    task("behind the adders");
    elsewhere("main, before it gathers");
    gather(first, second);
    always(value.load() == 2, "both increments count");
}

/// The same with tasks that have no names, in a loop, and a variable that nobody tracks.
void counter_nameless() {
    int value = 0;
    const int times = bound("increments", 2);
    const auto work = [&](int sleeps_first) {
        for (int i = 0; i < sleeps_first; ++i) {
            sleep(0s);
        }
        for (int i = 0; i < times; ++i) {
            const int read = value;
            line("after the read");
            sleep(0s);
            value = read + 1;
        }
    };
    std::vector<Task<void>> tasks;
    task("first of all");
    spawn("workers", [&] { tasks.push_back(create_task([&] { work(0); })); },
          [&] { tasks.push_back(create_task([&] { work(2 * times); })); });
    task("behind the workers");
    elsewhere("main, before it gathers");
    gather(tasks);
    always(value == 2 * times, "every increment counts");
}

/// Three philosophers that think for different times.
void philosophers() {
    std::array<Lock, 3> forks{Lock(name("fork0")), Lock(name("fork1")), Lock(name("fork2"))};
    const int meals = bound("meals", 1);
    const auto dine = [&](std::size_t seat) {
        for (std::size_t i = 0; i < seat; ++i) {
            sleep(0s);
        }
        for (int meal = 0; meal < meals; ++meal) {
            line("before the meal");
            const auto left = forks[seat].guard();
            line("between the forks");
            sleep(0s);
            const auto right = forks[(seat + 1) % 3].guard();
        }
    };
    std::vector<Task<void>> tasks;
    const auto sit = [&](std::size_t seat) {
        return [&, seat] {
            tasks.push_back(create_task([&, seat] { dine(seat); }, {.name = "philosopher" + std::to_string(seat)}));
        };
    };
    task("first of all");
    spawn("philosophers 0 and 1", sit(0), sit(1));
    task("between the philosophers");
    sit(2)();
    elsewhere("main, before it gathers");
    gather(tasks);
}

/// Two locks taken in two orders; the tasks have no names.
void two_locks() {
    Lock one{name("one")};
    Lock two{name("two")};
    const auto take_both = [&](Lock& first, Lock& second, const char* place) {
        line(place);
        const auto outer = first.guard();
        sleep(0s);
        const auto inner = second.guard();
    };
    Task<void> forward;
    Task<void> backward;
    task("first of all");
    spawn("takers", [&] { forward = create_task([&] { take_both(one, two, "forward"); }); },
          [&] {
              backward = create_task([&] {
                  sleep(0s);
                  sleep(0s);
                  sleep(0s);
                  take_both(two, one, "backward");
              });
          });
    elsewhere("main, before it waits");
    await(forward);
    elsewhere("main, between its waits");
    await(backward);
}

/// Nothing suspends between the forks; a forced yield does.
void hasty_philosophers() {
    std::array<Lock, 3> forks{Lock(name("fork0")), Lock(name("fork1")), Lock(name("fork2"))};
    const auto dine = [&](std::size_t seat) {
        line("before the meal");
        const auto left = forks[seat].guard();
        const auto right = forks[(seat + 1) % 3].guard();
    };
    std::vector<Task<void>> tasks;
    const auto sit = [&](std::size_t seat) {
        return [&, seat] {
            tasks.push_back(create_task([&, seat] { dine(seat); }, {.name = "philosopher" + std::to_string(seat)}));
        };
    };
    task("first of all");
    spawn("philosophers 0 and 1", sit(0), sit(1));
    sit(2)();
    task("behind the philosophers");
    elsewhere("main, before it gathers");
    gather(tasks);
}

/// Two withdrawals look before they take, and an auditor has nothing to do with it.
void withdrawals() {
    int balance = 100;
    Lock ledger{name("ledger")};
    const int amount = 60;
    const auto withdraw = [&] {
        line("before it looks");
        if (balance >= amount) {
            {
                const auto guard = ledger.guard();
                sleep(0s);
            }
            line("before it takes");
            balance -= amount;
        }
    };
    Task<void> card;
    Task<void> transfer;
    const int audits = bound("audits", 1);
    const auto auditor = create_task(
        [&] {
            for (int i = 0; i < audits; ++i) {
                elsewhere("the auditor");
                sleep(0s);
            }
        },
        {.name = "auditor"});
    task("behind the auditor");
    spawn("withdrawals", [&] { card = create_task(withdraw, {.name = "card"}); },
          [&] {
              transfer = create_task(
                  [&] {
                      for (int i = 0; i < 4; ++i) {
                          sleep(0s);
                      }
                      withdraw();
                  },
                  {.name = "transfer"});
          });
    gather(auditor, card, transfer);
    always(balance >= 0, "nobody overdraws");
}

}  // namespace

std::vector<Fixture> lock_fixtures() {
    return {{"counter", counter, {}},
            {"counter_nameless", counter_nameless, {}},
            {"philosophers", philosophers, {}},
            {"two_locks", two_locks, {}},
            {"hasty_philosophers", hasty_philosophers, {.forced_yields = 1}},
            {"withdrawals", withdrawals, {}}};
}

}  // namespace mishap::edits
