// What is left of a run ends, whatever it does; or it is given up, and that is noted.

#include <mishap/properties/explore.hpp>

#include <memory>
#include <string>
#include <vector>

#include <mishap/primitives/primitives.hpp>
#include <mishap/properties/claims.hpp>

#include "outcomes.hpp"

namespace mishap {
namespace {

using namespace std::chrono_literals;
using test::contains;

bool notes_refusal(const Report& report) {
    return std::any_of(report.notes.begin(), report.notes.end(),
                       [](const Note& note) { return contains(note.what, "refused to end"); });
}

/// Explores a program whose main ends while `task` is alive.
template <class F>
Report leave_behind(F task) {
    ExploreOptions options;
    options.runs_max = 20;
    return explore(
        [task] {
            create_task(task, {.name = "left"});
            create_task([] { sleep(1s); }, {.name = "other"});
            sleep(1s);
        },
        options);
}

struct SleepingDestructor {
    std::chrono::nanoseconds delay = 1s;
    ~SleepingDestructor() { sleep(delay); }
};

}  // namespace

TEST_CASE("a task that waits is cancelled when the run is over") {
    std::vector<std::string> heard;
    const Report report = explore([&] {
        heard.clear();
        create_task([&] {
            try {
                sleep(1h);
            } catch (const CancelledError&) {
                heard.push_back("cancelled");
                throw;
            }
        });
        sleep(1s);
    });
    CHECK(report.passed());
    CHECK(heard == std::vector<std::string>{"cancelled"});
    CHECK_FALSE(notes_refusal(report));
}

TEST_CASE("tasks are cancelled newest first, main last") {
    std::vector<std::string> heard;
    const auto leaves = [&](const char* name) {
        return [&heard, name] {
            try {
                sleep(1h);
            } catch (const CancelledError&) {
                heard.emplace_back(name);
                throw;
            }
        };
    };
    const Report report = explore(
        [&] {
            heard.clear();
            create_task(leaves("old"));
            create_task(leaves("new"));
            const auto failing = create_task([] {
                sleep(1s);
                always(false, "over");
            });
            leaves("main")();
        },
        {.shrink = false});
    CHECK_FALSE(report.passed());
    CHECK(heard == std::vector<std::string>{"new", "old", "main"});
}

TEST_CASE("a task that swallows its cancellation and then ends is not given up") {
    const Report report = leave_behind([] {
        try {
            sleep(1h);
        } catch (const CancelledError&) {
        }
        sleep(1s);  // good manners take time
    });
    CHECK(report.passed());
    CHECK_FALSE(notes_refusal(report));
}

TEST_CASE("main that ends while others still leave does not keep them from it") {
    const auto program = [] {
        create_task([] {
            try {
                sleep(1h);
            } catch (const CancelledError&) {
                sleep(2s);
            }
        });
        create_task([] {
            sleep(1s);
            always(false, "over");
        });
        sleep(1h);
    };
    const Report report = explore(program);
    CHECK(report.finding->kind == FindingKind::check);
    CHECK_FALSE(notes_refusal(report));
}

TEST_CASE("a task that catches everything for ever is given up") {
    const Report report = explore(
        [] {
            create_task([] {
                for (;;) {
                    try {
                        sleep(0s);
                    } catch (...) {
                    }
                }
            });
            sleep(0s);
            sleep(0s);
        },
        {.runs_max = 5});
    CHECK(report.passed());
    CHECK(notes_refusal(report));
}

TEST_CASE("a task that catches everything and sleeps for long is given up") {
    CHECK(notes_refusal(leave_behind([] {
        for (;;) {
            try {
                sleep(1h);
            } catch (...) {
            }
        }
    })));
}

TEST_CASE("a task that waits in vain in its handler is unwound") {
    const Report report = leave_behind([] {
        Event never;
        try {
            sleep(1h);
        } catch (const CancelledError&) {
            never.wait();
        }
    });
    CHECK(report.passed());
    CHECK_FALSE(notes_refusal(report));
}

TEST_CASE("a task that waits in a destructor while it leaves is waited for") {
    const Report report = leave_behind([] {
        const SleepingDestructor polite;
        sleep(1h);
    });
    CHECK(report.passed());
    CHECK_FALSE(notes_refusal(report));
}

TEST_CASE("a task that is cancelled while it waits in a destructor is given up, not the process") {
    const Report report = leave_behind([] { const SleepingDestructor slow{1h}; });
    CHECK(report.passed());
    CHECK(notes_refusal(report));
}

TEST_CASE("a task that waits in vain in a destructor while it leaves is given up, not the process") {
    const Report report = leave_behind([] {
        struct Stubborn {
            Event never;
            ~Stubborn() { never.wait(); }
        };
        const Stubborn stubborn;
        sleep(1h);
    });
    CHECK(report.passed());
    CHECK(notes_refusal(report));
}

TEST_CASE("a failed check below a destructor that waits does no harm") {
    const auto program = [] {
        const SleepingDestructor guard;
        always(false, "no");
    };
    CHECK(explore(program).finding->kind == FindingKind::check);
}

TEST_CASE("a deadlock is torn down, and its locks with it") {
    ExploreOptions options;
    options.shrink = false;
    const Report report = explore(
        [] {
            auto lock = std::make_shared<Lock>();
            await(create_task([lock] {
                const auto guard = lock->guard();
                const auto again = lock->guard();
            }));
        },
        options);
    CHECK(report.finding->kind == FindingKind::stuck);
    CHECK_FALSE(notes_refusal(report));
}

TEST_CASE("tasks that never began never run") {
    bool has_run = false;
    const Report report = explore(
        [&] {
            create_task([&] { has_run = true; });
            always(false, "over");
        },
        {.shrink = false});
    CHECK_FALSE(report.passed());
    CHECK_FALSE(has_run);
}

TEST_CASE("what is left of a given-up task is not touched by what others leave") {
    // The event and its waiter both are the stubborn task's; main holds the last reference to the event.
    const Report report = explore([] {
        auto event = std::make_shared<Event>();
        create_task([event] {
            for (;;) {
                try {
                    event->wait();
                } catch (...) {
                }
            }
        });
        sleep(1s);
    });
    CHECK(report.passed());
    CHECK(notes_refusal(report));
}

TEST_CASE("a task made while the run is torn down ends too") {
    const Report report = leave_behind([] {
        try {
            sleep(1h);
        } catch (const CancelledError&) {
            create_task([] { sleep(1h); });
            throw;
        }
    });
    CHECK(report.passed());
}

TEST_CASE("results and closures are destroyed with their run") {
    auto token = std::make_shared<int>(0);
    const auto program = [&token] {
        create_task([token] { sleep(1h); });
        create_task([token] {
            for (;;) {
                try {
                    sleep(1h);
                } catch (...) {
                }
            }
        });
        const auto kept = create_task([token] { return token; });
        await(kept);
        get_running_loop().call_later(1h, [token] {});
    };
    ExploreOptions options;
    options.runs_max = 3;
    CHECK(explore(program, options).passed());
    CHECK(token.use_count() == 1);
}

}  // namespace mishap
