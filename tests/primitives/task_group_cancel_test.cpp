#include <mishap/primitives/task_group.hpp>

#include <optional>
#include <stdexcept>

#include <mishap/primitives/timeout.hpp>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

/// Waits for ever, and counts how often that was cancelled.
auto patient(int& cancelled) {
    return [&cancelled] {
        try {
            sleep(24h);
        } catch (const CancelledError&) {
            ++cancelled;
            throw;
        }
    };
}

/// Nothing is left of a group's own request.
void check_untouched(int cancelling = 0) {
    CHECK(current_task().cancelling() == cancelling);
    sleep(0s);
}

}  // namespace

TEST_CASE("a cancelled group cancels its tasks and its body, and ends well") {
    in_both_worlds([] {
        int cancelled = 0;
        bool went_on = false;
        task_group([&](TaskGroup& group) {
            group.create_task(patient(cancelled));
            group.create_task([&] {
                sleep(1ms);
                group.cancel();
                group.cancel();
            });
            patient(cancelled)();
            went_on = true;
        });
        CHECK(cancelled == 2);
        CHECK(!went_on);
        check_untouched();
    });
}

TEST_CASE("a group cancelled by its body ends at the body's next wait, or at its end if there is none") {
    in_both_worlds([] {
        int cancelled = 0;
        bool went_on = false;
        task_group([&](TaskGroup& group) {
            group.create_task(patient(cancelled));
            sleep(0s);
            group.cancel();
            sleep(0s);
            went_on = true;
        });
        CHECK(!went_on);
        CHECK(cancelled == 1);
        check_untouched();
        task_group([&](TaskGroup& group) {
            group.create_task(patient(cancelled));
            sleep(0s);
            group.cancel();
        });
        CHECK(cancelled == 2);
        check_untouched();
        task_group([](TaskGroup& group) { group.cancel(); });
        check_untouched();
    });
}

TEST_CASE("a group cancelled while it waits for its tasks ends well") {
    in_both_worlds([] {
        int cancelled = 0;
        task_group([&](TaskGroup& group) {
            group.create_task(patient(cancelled));
            group.create_task([&] {
                sleep(1ms);
                group.cancel();
            });
        });
        CHECK(cancelled == 1);
        check_untouched();
    });
}

TEST_CASE("a group cancelled before it runs is cancelled as it begins, and one that has ended is not harmed") {
    in_both_worlds([] {
        TaskGroup group;
        group.cancel();
        bool began = false;
        bool went_on = false;
        group.run([&] {
            began = true;
            sleep(1h);
            went_on = true;
        });
        CHECK(began);
        CHECK(!went_on);
        check_untouched();
        group.cancel();
        check_untouched();
    });
}

TEST_CASE("a cancelled group takes no tasks any more") {
    in_both_worlds([] {
        task_group([](TaskGroup& group) {
            group.cancel();
            CHECK_THROWS_AS(group.create_task([] {}), UsageError);
        });
    });
}

TEST_CASE("errors of a cancelled group's tasks and body are thrown all the same") {
    in_both_worlds([] {
        CHECK_THROWS_AS(task_group([](TaskGroup& group) {
                            group.create_task([] {
                                try {
                                    sleep(1h);
                                } catch (const CancelledError&) {
                                    throw std::runtime_error("clean-up");
                                }
                            });
                            sleep(0s);
                            group.cancel();
                            sleep(1h);
                        }),
                        ExceptionGroup);
        CHECK_THROWS_AS(task_group([](TaskGroup& group) {
                            group.cancel();
                            throw std::runtime_error("body");
                        }),
                        ExceptionGroup);
        check_untouched();
    });
}

TEST_CASE("a body that is cut short has no result") {
    in_both_worlds([] {
        const auto cut = [](TaskGroup& group) -> std::optional<int> {
            group.cancel();
            sleep(1h);
            return 1;
        };
        CHECK(!task_group(cut).has_value());
        CHECK_THROWS_AS(task_group([](TaskGroup& group) {
                            group.cancel();
                            sleep(1h);
                            return 1;
                        }),
                        UsageError);
        CHECK(task_group([](TaskGroup& group) {
                  group.cancel();
                  return 1;
              }) == 1);
        check_untouched();
    });
}

TEST_CASE("a group cancelled in the clean-up of a cancelled task ends well, and the level of cancellation stays") {
    in_both_worlds([] {
        bool cleaned_up = false;
        const auto task = create_task([&] {
            try {
                sleep(1h);
            } catch (const CancelledError&) {
                task_group([](TaskGroup& group) {
                    group.cancel();
                    sleep(1h);
                });
                task_group([](TaskGroup& group) { group.cancel(); });
                check_untouched(1);
                cleaned_up = true;
                throw;
            }
        });
        sleep(1ms);
        task.cancel();
        CHECK(!ended_well(task));
        CHECK(cleaned_up);
    });
}

TEST_CASE("a cancellation from outside that a group's own meets is not lost (gh-155433)") {
    in_both_worlds([] {
        // In the body, before and after the group's own; and while the group waits for its tasks.
        for (const int when : {0, 1, 2}) {
            TaskGroup* running = nullptr;
            const auto task = create_task([&] {
                TaskGroup group;
                running = &group;
                group.run([&] {
                    group.create_task([] {
                        try {
                            sleep(1h);
                        } catch (const CancelledError&) {
                            sleep(1ms);
                            throw;
                        }
                    });
                    if (when != 2) {
                        sleep(1h);
                    }
                });
                running = nullptr;
            });
            sleep(1ms);
            REQUIRE(running != nullptr);
            if (when == 0) {
                task.cancel();
                running->cancel();
            } else {
                running->cancel();
                if (when == 2) {
                    sleep(0s);
                }
                task.cancel();
            }
            CHECK(!ended_well(task));
            CHECK(task.cancelling() == 1);
        }
    });
}

TEST_CASE("a cancellation requested before a group that is cancelled at once is not lost") {
    in_both_worlds([] {
        const auto task = create_task([] {
            current_task().cancel("before");
            task_group([](TaskGroup& group) {
                group.cancel();
                sleep(1h);
            });
        });
        CHECK(!ended_well(task));
        CHECK(task.cancelling() == 1);
    });
}

TEST_CASE("a cancelled inner group leaves the outer one, and an enclosing deadline, alone") {
    in_a_calm_world([] {
        int cancelled = 0;
        CHECK_THROWS_AS(timeout(1s,
                                [&] {
                                    task_group([&](TaskGroup& outer) {
                                        outer.create_task(patient(cancelled));
                                        task_group([](TaskGroup& inner) {
                                            inner.cancel();
                                            sleep(1h);
                                        });
                                        CHECK(cancelled == 0);
                                        sleep(2s);
                                    });
                                }),
                        TimeoutError);
        CHECK(cancelled == 1);
        check_untouched();
    });
}

namespace {

/// A group whose body and two tasks race to end it while somebody cancels its task from outside.
template <bool keeps_request>
void race_to_end() {
    int alive = 0;
    const auto worker = [&] {
        struct Alive {
            int& count;
            ~Alive() { --count; }
        };
        const Alive one{++alive};
        sleep(1h);
    };
    bool was_seen = false;
    const auto task = create_task(
        [&] {
            TaskGroup group;
            // What a group does that takes every cancellation for its own.
            const auto run = [&] {
                group.run([&] {
                    group.create_task(worker, {.name = "worker"});
                    group.create_task([&] { group.cancel(); }, {.name = "ender"});
                    sleep(1h);
                });
            };
            try {
                run();
            } catch (const CancelledError&) {
                was_seen = true;
                if (keeps_request) {
                    throw;
                }
            }
            claim(alive == 0, "a task outlives its group");
            if (current_task().cancelling() == 0) {
                sleep(0s);
            }
        },
        {.name = "task"});
    const auto canceller = create_task([&] { task.cancel(); }, {.name = "canceller"});
    const bool is_well = ended_well(task);
    await(canceller);
    claim(task.cancelling() == 0 || !is_well || (!was_seen && task.done() && !task.cancelled()),
          "a cancellation is swallowed");
    claim(is_well || task.cancelling() == 1, "cancelled by nobody");
    claim(alive == 0, "a task outlives its group");
}

}  // namespace

TEST_CASE("in every order, a group that is ended by its task and cancelled from outside keeps the two apart") {
    CHECK(verdict(search_every_order(race_to_end<true>)) == "passes");
    CHECK(verdict(search_every_order(race_to_end<false>)) == "a cancellation is swallowed");
}
