#include <mishap/primitives/staggered_race.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <mishap/primitives/wait.hpp>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

using Attempts = std::vector<std::function<int()>>;

/// An attempt that succeeds with its result after a while, or fails if that is negative.
auto attempt(std::chrono::nanoseconds delay, int result) {
    return [=] {
        sleep(delay);
        if (result < 0) {
            throw std::runtime_error("attempt " + std::to_string(-result));
        }
        return result;
    };
}

std::vector<std::string> texts(const std::vector<std::exception_ptr>& exceptions) {
    std::vector<std::string> result;
    for (const std::exception_ptr& exception : exceptions) {
        result.push_back(exception != nullptr ? describe_exception(exception) : "");
    }
    return result;
}
using Texts = std::vector<std::string>;

std::chrono::milliseconds since_start() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(get_running_loop().time().time_since_epoch());
}

}  // namespace

TEST_CASE("a race of nothing has no winner") {
    in_both_worlds([] {
        const auto race = staggered_race(Attempts(), std::nullopt);
        CHECK(!race.result.has_value());
        CHECK(!race.index.has_value());
        CHECK(race.exceptions.empty());
    });
}

TEST_CASE("the first attempt wins if it succeeds in time, and no other begins") {
    in_both_worlds([] {
        bool other_began = false;
        const auto race = staggered_race(Attempts{attempt(0s, 7), [&] {
                                                      other_began = true;
                                                      return 8;
                                                  }},
                                         1h);
        CHECK(race.result == 7);
        CHECK(race.index == 0u);
        CHECK(texts(race.exceptions) == Texts{""});
        CHECK(!other_began);
    });
}

TEST_CASE("an attempt that fails starts the next at once") {
    in_a_calm_world([] {
        const auto race = staggered_race(Attempts{attempt(0s, -1), attempt(1s, 8)}, 10s);
        CHECK(race.result == 8);
        CHECK(race.index == 1u);
        CHECK(texts(race.exceptions) == Texts{"std::runtime_error: attempt 1", ""});
        CHECK(since_start() == 1s);
    });
}

TEST_CASE("an attempt that is slow gets company after the delay, and is cancelled when that wins") {
    in_a_calm_world([] {
        const auto race = staggered_race(Attempts{attempt(10s, 7), attempt(1s, 8)}, 100ms);
        CHECK(race.result == 8);
        CHECK(race.index == 1u);
        CHECK(texts(race.exceptions) == Texts{"CancelledError", ""});
        CHECK(since_start() == 1100ms);
        CHECK(all_tasks().size() == 1);
    });
}

TEST_CASE("the first attempt may still win after the second has begun") {
    in_a_calm_world([] {
        const auto race = staggered_race(Attempts{attempt(1s, 7), attempt(10s, 8), attempt(10s, 9)}, 800ms);
        CHECK(race.index == 0u);
        CHECK(texts(race.exceptions) == Texts{"", "CancelledError"});
        CHECK(since_start() == 1s);
    });
}

TEST_CASE("if all attempts fail there is no winner, and every failure is told") {
    in_a_calm_world([] {
        const auto race = staggered_race(Attempts{attempt(1s, -1), attempt(0s, -2)}, std::nullopt);
        CHECK(!race.result.has_value());
        CHECK(!race.index.has_value());
        CHECK(texts(race.exceptions) == Texts{"std::runtime_error: attempt 1", "std::runtime_error: attempt 2"});
        CHECK(since_start() == 1s);
    });
}

TEST_CASE("without a delay the next attempt begins only when the last one has failed") {
    in_a_calm_world([] {
        const auto race = staggered_race(Attempts{attempt(100s, -1), attempt(1s, 8)}, std::nullopt);
        CHECK(race.index == 1u);
        CHECK(since_start() == 101s);
    });
}

TEST_CASE("attempts may be coroutines, give nothing, and give what can only be moved") {
    in_both_worlds([] {
        int runs = 0;
        const auto quiet = [&]() -> Coro<> {
            ++runs;
            co_await sleep(1ms);
        };
        const auto race = staggered_race(std::vector{quiet}, std::nullopt);
        CHECK(race.result.has_value());
        CHECK(runs == 1);
        const auto movable = [] { return std::make_unique<int>(3); };
        CHECK(**staggered_race(std::vector{movable}, std::nullopt).result == 3);
        await([&]() -> Coro<> {
            const auto inner = staggered_race(Attempts{attempt(1ms, 7)}, 1s);
            CHECK(inner.result == 7);
            co_await sleep(0s);
        }());
    });
}

TEST_CASE("a race that is cancelled waits until its attempts have ended") {
    in_a_calm_world([] {
        int cleaned_up = 0;
        const auto stubborn = [&] {
            try {
                sleep(1h);
            } catch (const CancelledError&) {
                sleep(1s);
                ++cleaned_up;
                throw;
            }
            return 1;
        };
        const auto racing = create_task([&] { staggered_race(Attempts{stubborn, stubborn, stubborn}, 1s); });
        sleep(1500ms);
        racing.cancel();
        CHECK(!ended_well(racing));
        CHECK(cleaned_up == 2);
        CHECK(all_tasks().size() == 1);
        CHECK(since_start() == 2500ms);
    });
}

TEST_CASE("a race is the same when tasks begin at once (gh-124309)") {
    in_a_calm_world([] {
        get_running_loop().set_task_factory(eager_task_factory);
        for (const auto delay : {0s, 1s}) {
            const auto race = staggered_race(Attempts{[]() -> int { throw std::runtime_error("at once"); },
                                                      [] { return 8; }, attempt(1h, 9)},
                                             delay);
            CHECK(race.result == 8);
            CHECK(race.index == 1u);
            CHECK(race.exceptions.size() >= 2);
            CHECK(all_tasks().size() == 1);
        }
    });
}

TEST_CASE("a race needs a task") { CHECK_THROWS_AS(staggered_race(Attempts(), std::nullopt), UsageError); }

namespace {

/// Cancels what it knew of when it was cancelled and leaves: attempts that begin meanwhile live on.
struct LeavesAtOnce {
    static void race(const Attempts& attempts) {
        std::vector<Task<int>> tasks;
        for (const auto& one : attempts) {
            tasks.push_back(create_task(one));
        }
        try {
            wait(tasks, {.return_when = ReturnWhen::first_completed});
        } catch (const CancelledError&) {
            tasks.front().cancel();
            throw;
        }
        for (const auto& task : tasks) {
            task.cancel();
        }
    }
};
struct Ours {
    static void race(const Attempts& attempts) { staggered_race(attempts, 1s); }
};

/// However a race ends, nothing of it is alive then.
template <class R>
void race_and_count() {
    int alive = 0;
    int winners = 0;
    const auto counted = [&](bool fails) {
        return [&alive, &winners, fails] {
            struct Alive {
                int& count;
                ~Alive() { --count; }
            };
            const Alive one{++alive};
            sleep(0s);
            if (fails) {
                throw std::runtime_error("fails");
            }
            return ++winners;
        };
    };
    const auto racing = create_task([&] { R::race({counted(true), counted(false)}); }, {.name = "racing"});
    const auto canceller = create_task([&] { racing.cancel(); }, {.name = "canceller"});
    const bool is_well = ended_well(racing);
    claim(alive == 0, "an attempt outlives its race");
    claim(winners <= 1, "two winners");
    claim(!is_well || winners == 1, "no winner");
    await(canceller);
}

}  // namespace

TEST_CASE("in every order, an attempt that is starting as the race is cancelled ends before it (gh-128479)") {
    CHECK(verdict(search_every_order(race_and_count<Ours>)) == "passes");
    CHECK(verdict(search_every_order(race_and_count<LeavesAtOnce>)) == "an attempt outlives its race");
}
